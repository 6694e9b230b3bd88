#include "reclaim/hands.hpp"

#include <algorithm>
#include <csignal>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "booking/pidfd_watch.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "proc/process_stat.hpp"
#include "reclaim/mps_control.hpp"
#include "reclaim/recipes.hpp"

namespace gpukeeper::reclaim {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kCopying = 120s;  // of all memory to the host, at some GB a second
constexpr std::chrono::seconds kAfterKill{2};
constexpr std::chrono::milliseconds kPoll{50};

// What the process is called now, when it is still the same.
std::optional<std::string> name_now(const Files& files, const ProcessOwner& process) {
  const auto text = files.read(fmt::format("/proc/{}/stat", process.pid));
  const auto stat = text ? parse_process_stat(*text) : std::nullopt;
  if (!stat || stat->start_ticks != process.start_ticks || stat->state == 'Z' || stat->state == 'X')
    return std::nullopt;
  return stat->name;
}

// Memory that new work of the host could have, from /proc/meminfo.
std::optional<Bytes> host_memory(const Files& files) {
  const auto text = files.read("/proc/meminfo");
  if (!text) return std::nullopt;
  for (const std::string_view line : lines(*text)) {
    if (!line.starts_with("MemAvailable:")) continue;
    const auto kib = leading_number(trim(line.substr(13)));
    if (kib) return from_kib(static_cast<std::uint64_t>(*kib));
  }
  return std::nullopt;
}

Error ended(std::int64_t pid) {
  return {Errc::not_found, fmt::format("process {} has ended by itself", pid)};
}

}  // namespace

Result<HolderReply> RealHands::perform(const ReclaimAction& action, std::stop_token stop) {
  switch (action.kind) {
    case ReclaimAction::Kind::reap: return reap(action);
    case ReclaimAction::Kind::ask: return ask_holder(action, stop);
    case ReclaimAction::Kind::suspend: return suspend(action, stop);
    case ReclaimAction::Kind::terminate: return terminate(action, stop);
  }
  return fail(Errc::internal, "no such action");
}

// Looks once more: whoever spoke up meanwhile keeps his lease.
Result<HolderReply> RealHands::reap(const ReclaimAction& action) {
  Bookkeeper* book = world_.book();
  if (!book) return fail(Errc::unavailable, "the book of leases is not open");
  bool over = false;
  const MonotonicTime now = book->clock().now();
  book->look([&](const Ledger& ledger) {
    const Lease* lease = ledger.find(action.lease);
    if (!lease) return;
    const auto* owner = std::get_if<ProcessOwner>(&lease->owner);
    over = action.reason == EndReason::owner_died ? owner && !name_now(world_.files, *owner) : lease->deadline <= now;
  });
  HolderReply reply;
  if (!over) {
    reply.note = "it was over already, or its owner was heard of again";
    return reply;
  }
  const auto released = book->release(action.lease, std::nullopt, action.reason);
  if (!released) return tl::make_unexpected(released.error());
  return reply;
}

Result<HolderReply> RealHands::ask_holder(const ReclaimAction& action, const std::stop_token& stop) {
  Bookkeeper* book = world_.book();
  if (!book) return fail(Errc::unavailable, "the book of leases is not open");
  std::optional<std::uint32_t> uid;
  book->look([&](const Ledger& ledger) {
    if (const Lease* lease = ledger.find(action.lease)) uid = lease->uid;
  });
  if (!uid) return fail(Errc::not_found, "the lease was over before its holder was asked");
  return ask(action.holder, action.request,
             {.http = world_.http, .signals = world_.signals, .files = world_.files, .uid = *uid, .stop = stop});
}

Result<void> RealHands::wake(const Holder& holder, std::uint32_t uid) {
  return reclaim::wake(holder, {.http = world_.http, .signals = world_.signals, .files = world_.files, .uid = uid});
}

std::string RealHands::no_checkpoint() const {
  const auto path = world_.programs.find("cuda-checkpoint", {"/usr/local/bin", "/opt/nvidia/bin"});
  return path ? "" : path.error().message;
}

Result<void> RealHands::checkpoint(std::string_view what, std::int64_t pid, std::chrono::nanoseconds patience,
                                   const std::stop_token& stop) {
  const auto path = world_.programs.find("cuda-checkpoint", {"/usr/local/bin", "/opt/nvidia/bin"});
  if (!path) return tl::make_unexpected(path.error());
  ProgramCall call{.path = *path, .arguments = {"--action", std::string(what), "--pid", std::to_string(pid)}};
  call.deadline = kCopying;
  if (what == "lock") {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(patience);
    call.arguments.insert(call.arguments.end(), {"--timeout", std::to_string(ms.count())});
    call.deadline = ms + 5s;
  }
  const auto output = world_.programs.run(call, stop);
  if (!output) return tl::make_unexpected(output.error());
  if (output->exit_status == 0) return {};
  const std::string said = fit(harmless(trim(output->err + " " + output->out)), 200);
  return fail(Errc::unavailable, fmt::format("cuda-checkpoint --action {} --pid {} ended with {}{}{}", what, pid,
                                             output->exit_status, said.empty() ? "" : ": ", said));
}

Result<HolderReply> RealHands::suspend(const ReclaimAction& action, const std::stop_token& stop) {
  Bookkeeper* book = world_.book();
  if (!book) return fail(Errc::unavailable, "the book of leases is not open");
  Bytes needed{0};
  book->look([&](const Ledger& ledger) {
    if (const Lease* lease = ledger.find(action.lease)) needed = lease->observed.value_or(lease->min);
  });
  const auto host = host_memory(world_.files);
  if (!host || *host < needed) {
    return fail(Errc::resource_exhausted,
                fmt::format("its {} would have to be copied to the host, which has {}", mib(needed),
                            host ? mib(*host) : std::string("an unknown amount free")));
  }
  const std::int64_t pid = action.process.pid;
  if (!name_now(world_.files, action.process)) return tl::make_unexpected(ended(pid));
  if (auto locked = checkpoint("lock", pid, action.patience, stop); !locked) {
    // One whose time was over may have locked it nevertheless. Where it has not, this is refused and does nothing.
    static_cast<void>(checkpoint("unlock", pid, action.patience, {}));
    return tl::make_unexpected(locked.error());
  }
  if (auto copied = checkpoint("checkpoint", pid, action.patience, stop); !copied) {
    const auto unlocked = checkpoint("unlock", pid, action.patience, {});
    return fail(copied.error().code,
                fmt::format("{}; {}", copied.error().message,
                            unlocked ? std::string("it runs on") : "it stands still: " + unlocked.error().message));
  }
  HolderReply reply;
  reply.note = fmt::format("its process {} waits at its next CUDA call until the lease is woken", pid);
  if (auto noted = book->suspend(action.lease); !noted) reply.note += "; the book: " + noted.error().message;
  return reply;
}

Result<void> RealHands::restore(const ProcessOwner& process, std::stop_token stop) {
  if (!name_now(world_.files, process)) return tl::make_unexpected(ended(process.pid));
  if (auto restored = checkpoint("restore", process.pid, 10s, stop); !restored) return restored;
  return checkpoint("unlock", process.pid, 10s, stop);
}

bool RealHands::is_gone_within(const ProcessOwner& process, std::chrono::nanoseconds patience,
                               const std::stop_token& stop) {
  const MonotonicTime until = world_.clock.now() + patience;
  while (name_now(world_.files, process)) {
    if (world_.clock.now() >= until || stop.stop_requested()) return false;
    world_.clock.sleep_until(std::min(until, world_.clock.now() + kPoll), stop);
  }
  return true;
}

Result<HolderReply> RealHands::terminate(const ReclaimAction& action, const std::stop_token& stop) {
  const std::int64_t pid = action.process.pid;
  const auto name = name_now(world_.files, action.process);
  if (!name) return tl::make_unexpected(ended(pid));
  if (must_run(*name)) return fail(Errc::not_permitted, fmt::format("{} must run", harmless(*name)));
  HolderReply reply;
  if (action.mps) {
    if (auto drained = drain_mps_client(world_.programs, pid, stop); !drained) {
      return fail(drained.error().code,
                  fmt::format("it was not terminated, as MPS did not let it go: {}{}", drained.error().message,
                              drained.error().code == Errc::deadline_exceeded
                                  ? "; its server hangs: end all its clients and start MPS anew"
                                  : ""));
    }
    reply.note = "MPS let it go first; ";
  }
  const ProcessName process{pid, action.process.start_ticks};
  if (auto asked = world_.signals.send(process, SIGTERM); !asked) return tl::make_unexpected(asked.error());
  if (is_gone_within(action.process, action.patience, stop)) {
    reply.note += "it ended after SIGTERM";
    return reply;
  }
  if (stop.stop_requested()) return fail(Errc::unavailable, "gpukeeper was stopped while it waited for its end");
  if (auto killed = world_.signals.send(process, SIGKILL); !killed && killed.error().code != Errc::not_found) {
    return tl::make_unexpected(killed.error());
  }
  if (!is_gone_within(action.process, kAfterKill, stop)) {
    return fail(Errc::deadline_exceeded, fmt::format("process {} hangs in the kernel after SIGKILL", pid));
  }
  reply.note += fmt::format("it ended after SIGKILL, {:g} s after SIGTERM",
                            std::chrono::duration<double>(action.patience).count());
  return reply;
}

}  // namespace gpukeeper::reclaim
