#include "actuators/overuse_enforcer.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/display_text.hpp"
#include "proc/pid_namespace.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper {
namespace {

std::string described(const OverusedLease& lease) {
  return fmt::format("lease {} of {} holds {}, but may hold no more than {}", number(lease.id), harmless(lease.service),
                     mib(lease.observed), mib(lease.most));
}

// Why a process is left alone; empty when it need not be.
std::string prohibition(const ProcessStat& stat) {
  if (stat.pid <= 1) return "it is the machine's first";
  if (stat.pid == ::getpid()) return "it is gpukeeper itself";
  if (stat.kernel_thread()) return "it is the kernel's own";
  if (must_run(stat.name)) return "others cannot work without it";
  return {};
}

}  // namespace

OveruseEnforcer::OveruseEnforcer(OveruseSettings settings, std::shared_ptr<const Files> files,
                                 std::shared_ptr<Signals> signals, std::shared_ptr<const Clock> clock, Log& log)
    : files_(std::move(files)),
      signals_(std::move(signals)),
      clock_(std::move(clock)),
      log_(log),
      settings_(settings) {}

void OveruseEnforcer::ask_with(Ask ask) {
  std::scoped_lock lock(mutex_);
  ask_ = std::move(ask);
}

void OveruseEnforcer::configure(const OveruseSettings& settings) {
  std::scoped_lock lock(mutex_);
  settings_ = settings;
}

void OveruseEnforcer::look(const std::vector<OverusedLease>& overused) {
  OveruseSettings settings;
  Ask ask;
  {
    std::scoped_lock lock(mutex_);
    settings = settings_;
    ask = ask_;
  }
  std::erase_if(cases_, [&](const auto& one) {
    return std::ranges::none_of(overused, [&](const OverusedLease& lease) { return lease.id == one.first; });
  });
  for (const OverusedLease& lease : overused) {
    Case& one = cases_.try_emplace(lease.id, Case{clock_->now(), {}, {}, {}}).first->second;
    if (settings.policy != OverusePolicy::alert) go_on(one, lease, settings, ask);
  }
}

// One step of the way, when it is due.
void OveruseEnforcer::go_on(Case& one, const OverusedLease& lease, const OveruseSettings& settings, const Ask& ask) {
  const MonotonicTime now = clock_->now();
  if (!one.asked) {
    if (now - one.since < settings.patience) return;
    if (ask && !ask(lease)) return;
    one.asked = now;
    return log_.warning("{}: {}", described(lease),
                        ask ? "its holder is asked for it" : "nobody is there who could be asked for it");
  }
  if (settings.policy != OverusePolicy::terminate) return;
  if (!one.told_to_end) {
    if (now - *one.asked < settings.grace) return;
    one.told_to_end = now;
    return signal_all(lease, SIGTERM, "is told to end (SIGTERM)");
  }
  if (one.ended || now - *one.told_to_end < settings.grace) return;
  one.ended = now;
  signal_all(lease, SIGKILL, "is ended (SIGKILL)");
}

void OveruseEnforcer::signal_all(const OverusedLease& lease, int signal, std::string_view what) {
  if (!pids_are_our_own(*files_)) {
    return log_.warning("{}: its processes are left alone: their pids are not counted as ours are", described(lease));
  }
  if (lease.processes.empty()) {
    return log_.warning("{}: no process is ended: none is known that uses this lease alone", described(lease));
  }
  for (const ProcessOwner& process : lease.processes) {
    const auto text = files_->read(fmt::format("/proc/{}/stat", process.pid));
    const auto stat = text ? parse_process_stat(*text) : std::nullopt;
    if (!stat || stat->pid != process.pid || stat->start_ticks != process.start_ticks) continue;  // it has ended
    if (const std::string why = prohibition(*stat); !why.empty()) {
      log_.warning("{}: process {} ({}) is left alone: {}", described(lease), process.pid, harmless(stat->name), why);
      continue;
    }
    const auto sent = signals_->send({process.pid, process.start_ticks}, signal);
    if (sent) {
      log_.warning("{}: process {} ({}) {}", described(lease), process.pid, harmless(stat->name), what);
    } else if (sent.error().code != Errc::not_found) {
      log_.error("{}: {}", described(lease), sent.error().message);
    }
  }
}

}  // namespace gpukeeper
