#include "reclaim/reclaim_run.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/display_text.hpp"
#include "core/glob.hpp"
#include "reclaim/advice_table.hpp"

namespace gpukeeper::reclaim {
namespace {

// Beside what a holder was given: its answer has to travel, and HTTP's own timeout comes first.
constexpr std::chrono::seconds kAnswerGrace{2};
// A checkpoint copies all memory to the host (some GB a second); MPS gets 30 s to let a client go.
constexpr std::chrono::seconds kCopying{120};
constexpr std::chrono::seconds kDraining{35};
// What is smaller is not worth anybody's attention: a context that waits has more.
constexpr Bytes kWorthNaming = 64_MiB;
// A drop to within this share of what was promised is a promise kept; drivers count in blocks of 2 MiB.
constexpr std::uint64_t kPromiseShare = 20;

std::string_view base_name(std::string_view name) {
  return name.substr(name.rfind('/') + 1);
}

std::string seconds_text(std::chrono::nanoseconds time) {
  return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

// The least important first, then who holds most.
bool goes_first(const Lease& a, const Lease& b) {
  if (a.priority != b.priority) return a.priority < b.priority;
  const Bytes x = a.observed.value_or(Bytes(0)), y = b.observed.value_or(Bytes(0));
  return x != y ? x > y : a.id < b.id;
}

std::vector<const Lease*> in_order(const std::vector<Lease>& leases) {
  std::vector<const Lease*> all;
  for (const Lease& lease : leases) all.push_back(&lease);
  std::ranges::sort(all, [](const Lease* a, const Lease* b) { return goes_first(*a, *b); });
  return all;
}

std::chrono::nanoseconds patience_with(const ReclaimAction& action) {
  switch (action.kind) {
    case ReclaimAction::Kind::reap: return kAnswerGrace;
    case ReclaimAction::Kind::ask: return action.request.deadline + kAnswerGrace;
    case ReclaimAction::Kind::suspend: return action.patience + kCopying;
    case ReclaimAction::Kind::terminate: return action.patience + (action.mps ? kDraining : kAnswerGrace);
  }
  return kAnswerGrace;
}

Deed deed_of(const Lease& lease, std::string what) {
  Deed deed;
  deed.lease = lease.id;
  deed.service = lease.service.text();
  deed.device = lease.device.text();
  if (const auto* owner = std::get_if<ProcessOwner>(&lease.owner)) deed.pid = owner->pid;
  deed.what = std::move(what);
  return deed;
}

Deed deed_of(const SeenProcess& process, std::string what) {
  Deed deed;
  deed.pid = process.pid;
  deed.name = process.name;
  deed.device = process.device;
  deed.what = std::move(what);
  return deed;
}

// What a lease holds now, by its driver's word. One that is over was seen to have given its memory back: that of a
// holder who died all of it, that of one who goes on at least three quarters (Ledger).
Metric<Bytes> held_by(const Sight& sight, LeaseId id, const Deed& deed, bool died) {
  if (const Lease* lease = sight.lease(id); lease && lease->device == deed.device) return lease->observed;
  const SeenDevice* there = sight.device(deed.device);
  if (!there || !there->lists_processes) return missing(Missing::not_supported);
  if (!deed.before) return deed.before;
  return Bytes(died ? 0 : deed.before->value() / 4);
}

// The processes that work under a lease, on its device.
std::vector<const SeenProcess*> processes_of(const Sight& sight, const Lease& lease) {
  std::vector<const SeenProcess*> all;
  for (const SeenProcess& process : sight.processes) {
    if (process.lease == lease.id && process.device == lease.device.text()) all.push_back(&process);
  }
  return all;
}

}  // namespace

ReclaimRun::ReclaimRun(std::uint64_t number, ReclaimOrder order, ReclaimSettings settings, ReclaimFacts facts,
                       Moment start)
    : order_(std::move(order)), settings_(std::move(settings)), facts_(std::move(facts)), start_(start.now) {
  report_.number = number;
  report_.why = order_.why;
  report_.started = start.wall;
}

bool ReclaimRun::in_scope(std::string_view device) const {
  return order_.devices.empty() || std::ranges::find(order_.devices, device) != order_.devices.end();
}

bool ReclaimRun::in_scope(const Lease& lease) const {
  if (order_.lease && lease.id != *order_.lease) return false;
  return in_scope(lease.device.text()) &&
         (order_.service.empty() || ServiceEqual()(order_.service, lease.service.text()));
}

// What the device should still get back; absent where what it uses is not known.
Metric<Bytes> ReclaimRun::still_wanted(const Sight& sight, std::string_view id) const {
  const SeenDevice* device = sight.device(id);
  if (!device) return missing(Missing::failed);
  if (order_.room) {
    const bool is_target = std::ranges::find(order_.plan.devices, id) != order_.plan.devices.end();
    if (!is_target) return Bytes(0);
    if (!device->available) return device->available;
    return remaining(order_.room->min, *device->available);
  }
  const auto fill = device->fill();
  if (!fill) return tl::make_unexpected(fill.error());
  if (!(*fill > settings_.memory_threshold)) return Bytes(0);
  const double most = settings_.memory_threshold * static_cast<double>(device->total->value());
  return remaining(*device->used, Bytes(static_cast<std::uint64_t>(std::floor(most))));
}

bool ReclaimRun::any_still_wants(const Sight& sight) const {
  return std::ranges::any_of(report_.devices, [&](const DeviceReport& device) {
    return still_wanted(sight, device.id).value_or(Bytes(0)) > Bytes(0);
  });
}

void ReclaimRun::skip(std::string why) {
  report_.steps.back().skipped = std::move(why);
}

void ReclaimRun::begin(const Sight& sight) {
  begun_ = true;
  for (const SeenDevice& device : sight.devices) {
    if (!in_scope(device.id)) continue;
    DeviceReport& report = report_.devices.emplace_back();
    report.id = device.id;
    report.index = device.index;
    report.total = device.total;
    report.used_before = report.used_after = device.used;
    report.wanted = report.still_wanted = still_wanted(sight, device.id);
  }
}

std::vector<ReclaimAction> ReclaimRun::advance(const Sight& sight, MonotonicTime now) {
  std::vector<ReclaimAction> actions;
  if (done()) return actions;
  if (sight.taken < start_) {  // what was before is no measure of what comes
    if (now - start_ >= order_.deadline) {
      stop(fmt::format("no GPU was looked at within {}", seconds_text(order_.deadline)), now);
    }
    return actions;
  }
  if (!begun_) begin(sight);
  for (DeviceReport& device : report_.devices) {
    if (const SeenDevice* seen = sight.device(device.id)) device.used_after = seen->used;
    device.still_wanted = still_wanted(sight, device.id);
  }
  measure(sight, now);
  if (now - start_ >= order_.deadline) {
    stop(fmt::format("it was not done within {}", seconds_text(order_.deadline)), now);
    return actions;
  }
  while (!done() && actions.empty() && flying_.empty()) {
    if (!stage_begun_) begin_stage(sight);
    if (waves_.empty()) {
      end_stage(now);
    } else {
      begin_wave(sight, now, actions);
    }
  }
  return actions;
}

void ReclaimRun::begin_stage(const Sight& sight) {
  stage_begun_ = true;
  report_.steps.push_back({.stage = kStages[stage_], .deeds = {}, .skipped = {}});
  switch (kStages[stage_]) {
    case Stage::reap: return plan_reaping(sight);
    case Stage::ask: return order_.room ? plan_moves(sight) : plan_asking(sight);
    case Stage::name: return name(sight);
    case Stage::suspend: return plan_suspending(sight);
    case Stage::terminate: return plan_terminating(sight);
  }
}

void ReclaimRun::end_stage(MonotonicTime now) {
  stage_begun_ = false;
  StepReport& step = report_.steps.back();
  if (step.deeds.empty() && step.skipped.empty() && step.stage != Stage::name) {
    step.skipped = "no device wanted any more back by then";
  }
  if (++stage_ == std::size(kStages)) finish(now);
}

void ReclaimRun::finish(MonotonicTime now) {
  report_.finished = true;
  report_.took = now - start_;
}

void ReclaimRun::stop(std::string why, MonotonicTime now) {
  if (done()) return;
  for (const InFlight& flight : flying_) {
    Deed& deed = report_.steps.back().deeds[flight.deed];
    if (!flight.answered) deed.problem = "there was no answer before the end";
  }
  flying_.clear();
  waves_.clear();
  report_.problem = std::move(why);
  finish(now);
}

void ReclaimRun::begin_wave(const Sight& sight, MonotonicTime now, std::vector<ReclaimAction>& actions) {
  const Wave wave = std::move(waves_.front());
  waves_.pop_front();
  StepReport& step = report_.steps.back();
  for (const Planned& planned : wave) {
    const bool wanted = still_wanted(sight, planned.deed.device).value_or(Bytes(0)) > Bytes(0);
    if (!planned.even_below && !wanted) continue;
    step.deeds.push_back(planned.deed);
    Deed& deed = step.deeds.back();
    InFlight flight;
    flight.deed = step.deeds.size() - 1;
    flight.sent = now;
    if (deed.lease != LeaseId{}) flight.lease = deed.lease;
    deed.before = deed.after = measured(sight, flight, deed);
    if (!deed.problem.empty()) continue;
    if (planned.action) {
      ReclaimAction action = *planned.action;
      action.number = flight.action = ++last_action_;
      flight.patience = patience_with(action);
      if (action.kind == ReclaimAction::Kind::ask && !order_.even_below && !order_.room) {
        action.request.wanted = still_wanted(sight, deed.device).value_or(Bytes(0));
      }
      actions.push_back(std::move(action));
    } else {
      flight.answered = now;  // nothing is to be done but to look
    }
    flying_.push_back(flight);
  }
}

Metric<Bytes> ReclaimRun::measured(const Sight& sight, const InFlight& flight, const Deed& deed) const {
  const bool by_process = !flight.lease || report_.steps.back().stage >= Stage::suspend;
  const bool died = report_.steps.back().stage == Stage::reap;
  if (!by_process) return held_by(sight, *flight.lease, deed, died);
  const SeenDevice* device = sight.device(deed.device);
  if (!device || !device->lists_processes) return missing(Missing::not_supported);
  const SeenProcess* process = sight.process(deed.device, deed.pid);
  return process ? process->memory : Metric<Bytes>(Bytes(0));
}

void ReclaimRun::receipt(std::size_t action, const Result<HolderReply>& reply, MonotonicTime now) {
  const auto found = std::ranges::find(flying_, action, &InFlight::action);
  if (found == flying_.end() || found->answered) return;  // its time was over
  found->answered = now;
  Deed& deed = report_.steps.back().deeds[found->deed];
  deed.took = now - found->sent;
  if (!reply) {
    found->failed = true;
    deed.problem = reply.error().message;
    return;
  }
  deed.promised = reply->promised;
  deed.scrubbed = reply->scrubbed;
  deed.note = reply->note;
}

// Looks at everybody who was acted on. Only what was seen after the answer counts, and the last look is what is said.
void ReclaimRun::measure(const Sight& sight, MonotonicTime now) {
  for (InFlight& flight : flying_) {
    Deed& deed = report_.steps.back().deeds[flight.deed];
    if (!flight.answered) {
      if (now - flight.sent < flight.patience) continue;
      deed.problem = fmt::format("there was no answer within {}", seconds_text(now - flight.sent));
      flight.answered = now;
      flight.failed = true;
    }
    const bool late = now - *flight.answered >= facts_.settle;
    if (sight.taken > *flight.answered) {
      deed.after = measured(sight, flight, deed);
      const auto returned = deed.returned();
      const Bytes hoped = deed.promised.value_or(deed.before.value_or(Bytes(0)));
      const bool all = returned && returned->value() + hoped.value() / kPromiseShare >= hoped.value();
      flight.settled = all || flight.failed;
    }
    if (flight.settled || !late) continue;
    flight.settled = true;
    if (!deed.returned()) {
      if (deed.note.empty()) deed.note = "the driver does not say what it holds";
    } else if (deed.promised && *deed.returned() < *deed.promised) {
      deed.note +=
          fmt::format("{}{} were promised, and after {} the driver shows {} returned", deed.note.empty() ? "" : "; ",
                      mib(*deed.promised), seconds_text(facts_.settle), mib(*deed.returned()));
    } else if (*deed.returned() == Bytes(0) && *deed.before > Bytes(0)) {
      deed.note += fmt::format("{}after {} the driver shows no drop", deed.note.empty() ? "" : "; ",
                               seconds_text(facts_.settle));
    }
  }
  std::erase_if(flying_, &InFlight::settled);
}

void ReclaimRun::plan_reaping(const Sight& sight) {
  Wave wave;
  for (const Lease& lease : sight.leases) {
    if (!in_scope(lease) || lease.state == LeaseState::waiting) continue;
    Planned planned;
    planned.even_below = true;
    if (lease.state == LeaseState::draining) {
      planned.deed = deed_of(lease, fmt::format("over ({}): its memory is on its way back", to_string(lease.reason)));
      wave.push_back(std::move(planned));
      continue;
    }
    if (!is_held(lease.state)) continue;
    const auto* owner = std::get_if<ProcessOwner>(&lease.owner);
    const bool gone = owner && facts_.is_gone(*owner);
    if (!gone && lease.deadline > sight.booked) continue;
    planned.deed = deed_of(lease, gone ? fmt::format("reaped: its process {} is gone", owner->pid)
                                       : std::string("reaped: its time was over"));
    planned.deed.unbooked = lease.min;
    planned.action.emplace();
    planned.action->kind = ReclaimAction::Kind::reap;
    planned.action->lease = lease.id;
    planned.action->reason = gone ? EndReason::owner_died : EndReason::expired;
    wave.push_back(std::move(planned));
  }
  if (wave.empty()) {
    skip("no lease belongs to a process that is gone, and none has expired");
  } else {
    waves_.push_back(std::move(wave));
  }
}

ReclaimRun::Planned ReclaimRun::asking(const Lease& lease, const std::string& move_to) const {
  Planned planned;
  planned.even_below = order_.even_below || order_.room.has_value();
  const auto holder = facts_.holders.find(lease.id);
  if (holder == facts_.holders.end()) {
    planned.deed = deed_of(lease, move_to.empty() ? "not asked" : "not moved");
    planned.deed.problem = "nobody is registered as its holder, so nobody can be asked";
    return planned;
  }
  planned.deed = deed_of(lease, fmt::format("asked ({})", to_string(holder->second.kind)));
  ReclaimAction& action = planned.action.emplace();
  action.kind = ReclaimAction::Kind::ask;
  action.lease = lease.id;
  action.holder = holder->second;
  HolderRequest& request = action.request;
  request.lease = lease.id;
  request.service = lease.service.text();
  request.device = lease.device.text();
  if (const auto* owner = std::get_if<ProcessOwner>(&lease.owner)) request.process = *owner;
  request.observed = lease.observed;
  request.guaranteed = lease.min;
  request.move_to = move_to;
  request.scrub = order_.scrub;
  request.deadline = settings_.ask_timeout;
  return planned;
}

// A wave for each priority, the lowest first: who matters is not asked while somebody else can give enough.
void ReclaimRun::plan_asking(const Sight& sight) {
  bool any = false;
  for (const Lease* lease : in_order(sight.leases)) {
    if (!in_scope(*lease) || !is_held(lease->state) || lease->state == LeaseState::suspended) continue;
    if (!facts_.holders.contains(lease->id)) continue;
    any = true;
    if (lease->observed && *lease->observed == Bytes(0)) continue;  // it has nothing to give
    const bool same = !waves_.empty() && sight.lease(waves_.back().front().deed.lease)->priority == lease->priority;
    if (!same) waves_.emplace_back();
    waves_.back().push_back(asking(*lease, {}));
  }
  if (!any) {
    skip("no lease has a registered holder that could be asked");
  } else if (waves_.empty()) {
    skip("the registered holders hold no memory");
  } else if (!order_.even_below && !any_still_wants(sight)) {
    waves_.clear();
    skip(fmt::format("no GPU is filled above {:g} %, so nobody was asked", settings_.memory_threshold * 100));
  }
}

// The plan's steps one by one, as each needs the room that the one before it left.
void ReclaimRun::plan_moves(const Sight& sight) {
  for (const PlanStep& step : order_.plan.steps) {
    const Lease* lease = sight.lease(step.lease);
    if (!lease || (step.kind != PlanStep::Kind::ask && step.kind != PlanStep::Kind::move)) continue;
    waves_.push_back({asking(*lease, step.to)});
  }
  if (waves_.empty()) skip("the plan asks nobody to give memory back or to move");
}

void ReclaimRun::name(const Sight& sight) {
  const auto worth = [&](std::string_view device) {
    return in_scope(device) && (order_.even_below || still_wanted(sight, device).value_or(Bytes(0)) > Bytes(0));
  };
  for (const SeenProcess& process : sight.processes) {
    if (order_.lease || !process.foreign || !worth(process.device) ||
        process.memory.value_or(kWorthNaming) < kWorthNaming)
      continue;
    const auto idle = facts_.idle_for(process);
    const bool works = process.load.value_or(Percent(0)) > Percent(0);
    if (works && idle && *idle < settings_.idle_after) continue;
    Advice& advice = report_.advice.emplace_back();
    advice.pid = process.pid;
    advice.name = process.name;
    advice.user = process.user;
    advice.device = process.device;
    advice.memory = process.memory;
    advice.idle = idle;
    advice.recommendation = recommendation_for_process(base_name(process.name), process.compute);
  }
  for (const Lease& lease : sight.leases) {
    if (!in_scope(lease) || !worth(lease.device.text()) || facts_.holders.contains(lease.id)) continue;
    if (!is_held(lease.state) && lease.state != LeaseState::leaked) continue;
    if (lease.observed.value_or(kWorthNaming) < kWorthNaming) continue;
    std::optional<std::chrono::nanoseconds> idle;
    const auto* owner = std::get_if<ProcessOwner>(&lease.owner);
    const auto processes = processes_of(sight, lease);
    const SeenProcess* process = processes.empty() ? nullptr : processes.front();
    if (process) idle = facts_.idle_for(*process);
    const bool works = process && process->load.value_or(Percent(0)) > Percent(0);
    if (works && idle && *idle < settings_.idle_after) continue;
    Advice& advice = report_.advice.emplace_back();
    advice.lease = lease.id;
    advice.service = lease.service.text();
    advice.pid = process ? process->pid : owner ? owner->pid : 0;
    advice.name = process ? process->name : "";
    advice.device = lease.device.text();
    advice.memory = lease.observed;
    advice.idle = idle;
    advice.recommendation = recommendation_for_lease(lease);
  }
  std::ranges::stable_sort(report_.advice, [](const Advice& a, const Advice& b) {
    return a.memory.value_or(Bytes(0)) > b.memory.value_or(Bytes(0));
  });
}

// Why nobody lays hands on it, a phrase; empty when somebody may.
std::string ReclaimRun::why_untouchable(const SeenProcess& process, const Sight& sight) const {
  const SeenDevice* device = sight.device(process.device);
  if (!device || !device->ours) return "the GPU is not of this machine (simulated or recorded), nor is its process";
  if (process.pid <= 1 || facts_.own_pids.contains(process.pid)) return "gpukeeper itself depends on it";
  if (must_run(base_name(process.name))) return fmt::format("{} must run", harmless(base_name(process.name)));
  if (!process.compute) return "it draws the screen";
  if (process.start_ticks == 0) return "it is not known when it began, so it might be another one by now";
  return {};
}

void ReclaimRun::plan_suspending(const Sight& sight) {
  if (settings_.suspend_services.empty())
    return skip("reclaim.suspend_services names no service, so none is suspended");
  if (!any_still_wants(sight)) return skip("no device wants any more back");
  if (!facts_.no_checkpoint.empty()) return skip(facts_.no_checkpoint);
  for (const Lease* lease : in_order(sight.leases)) {
    const bool running = lease->state == LeaseState::active || lease->state == LeaseState::starting;
    if (!in_scope(*lease) || !running || lease->observed.value_or(Bytes(0)) == Bytes(0)) continue;
    if (!names_service(settings_.suspend_services, lease->service.text())) continue;
    const SeenDevice* device = sight.device(lease->device.text());
    Planned planned;
    planned.deed = deed_of(*lease, "suspended (cuda-checkpoint)");
    const auto processes = processes_of(sight, *lease);
    const SeenProcess* process = processes.size() == 1 ? processes.front() : nullptr;
    if (!device || !device->nvidia) {
      planned.deed.problem = "its GPU is not NVIDIA's";
    } else if (!process) {
      planned.deed.problem =
          fmt::format("{} processes work under it, and only one alone can be suspended", processes.size());
    } else if (std::ranges::count(sight.processes, process->pid, &SeenProcess::pid) > 1) {
      planned.deed.problem = "its process works on several GPUs, and would lose all of them";
    } else if (process->mps) {
      planned.deed.problem = "it is a client of MPS, which cannot be suspended";
    } else {
      planned.deed.problem = why_untouchable(*process, sight);
    }
    if (process) planned.deed.pid = process->pid;
    if (process) planned.deed.name = process->name;
    if (planned.deed.problem.empty()) {
      ReclaimAction& action = planned.action.emplace();
      action.kind = ReclaimAction::Kind::suspend;
      action.lease = lease->id;
      action.process = {process->pid, process->start_ticks};
      action.name = process->name;
      action.patience = settings_.ask_timeout;
    } else {
      planned.deed.what = "not suspended";
    }
    waves_.push_back({std::move(planned)});
  }
  if (waves_.empty()) skip("no lease of the services that may be suspended holds memory");
}

void ReclaimRun::plan_terminating(const Sight& sight) {
  if (settings_.terminate_services.empty() && settings_.terminate_idle.empty()) {
    return skip("reclaim.terminate_services and reclaim.terminate_idle name nobody, so nobody is terminated");
  }
  if (!any_still_wants(sight)) return skip("no device wants any more back");
  const auto add = [&](Deed deed, const SeenProcess& process, LeaseId lease) {
    Planned planned;
    planned.deed = std::move(deed);
    planned.deed.pid = process.pid;
    planned.deed.name = process.name;
    planned.deed.problem = why_untouchable(process, sight);
    if (planned.deed.problem.empty()) {
      ReclaimAction& action = planned.action.emplace();
      action.kind = ReclaimAction::Kind::terminate;
      action.lease = lease;
      action.process = {process.pid, process.start_ticks};
      action.name = process.name;
      action.mps = process.mps;
      action.patience = settings_.terminate_grace;
    } else {
      planned.deed.what = "not terminated";
    }
    waves_.push_back({std::move(planned)});
  };
  if (order_.service.empty() && !order_.lease) {
    for (const SeenProcess& process : sight.processes) {
      if (!process.foreign || !in_scope(process.device)) continue;
      const bool named = std::ranges::any_of(
          settings_.terminate_idle, [&](const std::string& glob) { return fits(glob, base_name(process.name)); });
      const auto idle = facts_.idle_for(process);
      if (!named || !idle || *idle < settings_.idle_after) continue;
      add(deed_of(process, fmt::format("terminated: idle for {}", seconds_text(*idle))), process, LeaseId{});
    }
  }
  for (const Lease* lease : in_order(sight.leases)) {
    if (!in_scope(*lease) || !is_held(lease->state)) continue;
    if (!names_service(settings_.terminate_services, lease->service.text())) continue;
    const auto processes = processes_of(sight, *lease);
    for (const SeenProcess* process : processes) add(deed_of(*lease, "terminated"), *process, lease->id);
    if (!processes.empty()) continue;
    Planned planned;
    planned.deed = deed_of(*lease, "not terminated");
    planned.deed.problem = "the driver lists no process on its GPU that works under it";
    waves_.push_back({std::move(planned)});
  }
  if (waves_.empty()) skip("nobody of those that may be terminated holds memory there");
}

}  // namespace gpukeeper::reclaim
