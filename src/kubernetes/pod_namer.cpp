#include "kubernetes/pod_namer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "kubernetes/pod_names.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::kubernetes {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;       // of the helper with the kubelet
constexpr auto kDeadline = 8s;       // of ours with the helper
constexpr auto kNothingToAsk = 24h;  // while no pod is on a device

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// The snapshot's table with the names in it; null when there is nothing to add.
std::shared_ptr<const ProcessTable> named(const Snapshot& snapshot, const std::map<ContainerKey, PodNames>& names) {
  std::shared_ptr<ProcessTable> table;
  for (const DeviceSnapshot& device : snapshot.devices) {
    for (const GpuProcess& process : *device.processes) {
      const ProcessFacts* const facts = facts_of(snapshot, device, process);
      if (!facts || !facts->place || !facts->place->pod_uid || facts->place->pod) continue;
      const auto& container = facts->place->container;
      const auto found = names.find({*facts->place->pod_uid, container ? container->id : ""});
      if (found == names.end()) continue;
      auto more = std::make_shared<ProcessFacts>(*facts);
      more->place->pod = found->second;
      if (!table) table = std::make_shared<ProcessTable>(*snapshot.who);
      table->add(device.device->id, process.pid, std::move(more));
    }
  }
  return table;
}

}  // namespace

PodNamer::PodNamer(PodNamerOptions options, std::shared_ptr<Programs> programs, std::shared_ptr<Clock> clock, Log& log)
    : options_(std::move(options)), programs_(std::move(programs)), clock_(std::move(clock)), log_(log) {}

void PodNamer::complete(Snapshot& snapshot) {
  const auto answer = answer_.read();
  Sightings sightings = sightings_of(snapshot);
  const std::set<std::string> covered = note_pods(sightings, *answer);
  const bool all = std::ranges::all_of(sightings, [&](const auto& each) { return covered.contains(each.first.first); });
  if (!all) {
    new_pod_ = true;
    sleep_.wake();
  }
  std::erase_if(sightings, [&](const auto& each) { return !covered.contains(each.first.first); });
  const auto names = names_of(claims_of(answer->pods, snapshot.devices), sightings);
  if (auto table = named(snapshot, names)) snapshot.who = std::move(table);
  if (!all && !answer->trouble.empty() && snapshot.who_reason.empty()) {
    snapshot.who_reason = fmt::format("the names of pods are not known: {}", answer->trouble);
  }
}

// The uids of which the answer can speak: it was asked for once they were there.
std::set<std::string> PodNamer::note_pods(const Sightings& sightings, const Answer& answer) {
  const MonotonicTime now = clock_->now();
  std::set<std::string> covered;
  for (const auto& [key, places] : sightings) {
    Seen& seen = seen_.try_emplace(key.first, Seen{now, now}).first->second;
    seen.last = now;
    if (answer.asked_at && *answer.asked_at >= seen.first) covered.insert(key.first);
  }
  std::erase_if(seen_, [now](const auto& each) { return now - each.second.last > kRemembered; });
  pods_ = !sightings.empty();
  return covered;
}

void PodNamer::ask(const std::stop_token& stop) {
  asked_ = clock_->now();
  new_pod_ = false;
  auto pods = answer_of_helper(stop);
  if (stop.stop_requested()) return;
  const auto before = answer_.read();
  if (pods) {
    failures_ = 0;
    if (!before->trouble.empty()) log_.info("the kubelet tells the names of pods again");
    answer_.publish(std::make_shared<const Answer>(Answer{asked_, std::move(*pods), {}}));
    return;
  }
  ++failures_;
  const std::string& trouble = pods.error().message;
  if (before->trouble != trouble) log_.warning("the names of pods are not known: {}", trouble);
  answer_.publish(std::make_shared<const Answer>(Answer{before->asked_at, before->pods, trouble}));
}

Result<std::vector<Pod>> PodNamer::answer_of_helper(const std::stop_token& stop) {
  const auto path = programs_->find(options_.helper, {"/usr/lib/gpukeeper"});
  if (!path) return tl::make_unexpected(path.error());
  const auto output =
      programs_->run({.path = *path,
                      .arguments = {"--socket", options_.socket, "--timeout", fmt::format("{}", kPatience / 1s)},
                      .deadline = kDeadline},
                     stop);
  if (!output) return tl::make_unexpected(output.error());
  if (output->exit_status != 0) {
    const std::string said = harmless(first_line(output->err));
    return fail(
        Errc::unavailable,
        said.empty() ? fmt::format("{} ended with status {} and said nothing", *path, output->exit_status) : said);
  }
  auto pods = parse_pod_list(output->out);
  if (!pods) return fail(pods.error().code, fmt::format("{}: {}", *path, pods.error().message));
  return pods;
}

MonotonicTime PodNamer::due() const {
  if (!asked_) return clock_->now();
  if (failures_ > 0) {
    const unsigned doublings = std::min(failures_ - 1, 5U);
    return *asked_ + std::min<std::chrono::nanoseconds>(kPeriod * (1U << doublings), kLongestPause);
  }
  if (new_pod_) return *asked_ + kSoonest;
  return *asked_ + (pods_ ? std::chrono::nanoseconds(kPeriod) : std::chrono::nanoseconds(kNothingToAsk));
}

void PodNamer::start() {
  running_ = true;
  thread_ = std::jthread([this](const std::stop_token& stop) {
    run(stop);
    running_ = false;
  });
}

// What wakes it may not be due yet.
void PodNamer::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (clock_->now() < due()) {
      sleep_.until(*clock_, due(), stop);
    } else {
      ask(stop);
    }
  }
}

void PodNamer::ask_to_stop() {
  thread_.request_stop();
}

void PodNamer::stop() {
  ask_to_stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace gpukeeper::kubernetes
