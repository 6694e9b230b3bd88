#include "service/memory_reclaim.hpp"

#include <set>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "booking/pidfd_watch.hpp"
#include "proc/pid_namespace.hpp"
#include "proc/process_stat.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {
namespace {

constexpr int kFarthestForebear = 64;

// Ourselves and those from whom we descend: a shell that runs a command, a service manager.
std::set<std::int64_t> own_pids(const Files& files) {
  std::set<std::int64_t> pids;
  std::int64_t pid = ::getpid();
  for (int i = 0; i < kFarthestForebear && pid > 0; ++i) {
    pids.insert(pid);
    const auto text = files.read(fmt::format("/proc/{}/stat", pid));
    const auto stat = text ? parse_process_stat(*text) : std::nullopt;
    pid = stat ? stat->parent : 0;
  }
  return pids;
}

// Where pids are not counted as the driver counts them, nobody is known to have gone, as nobody is to have come.
bool is_gone(const Files& files, const ProcessOwner& owner) {
  if (owner.pid <= 0 || !pids_are_our_own(files) || !pids_are_the_hosts(files)) return false;
  return process_now(owner.pid) != owner;
}

}  // namespace

MemoryReclaim::MemoryReclaim(reclaim::ReclaimSettings settings, std::function<Bookkeeper*()> book,
                             std::shared_ptr<Clock> clock)
    : clock_(std::move(clock)),
      hands_(
          {.book = book, .http = http_, .signals = signals_, .programs = programs_, .files = *files_, .clock = real_}),
      reclaimer_({.book = book,
                  .hands = hands_,
                  .holders = holders_,
                  .clock = clock_,
                  .no_checkpoint = [this] { return hands_.no_checkpoint(); },
                  .gone = [this](const ProcessOwner& owner) { return is_gone(*files_, owner); },
                  .own_pids = own_pids(*files_)},
                 std::move(settings)) {}

void MemoryReclaim::open(const StateDirectory* directory, const Sources& sources, bool own_thread) {
  if (directory) {
    // As open_book: what is made up has a folder of its own.
    const auto folder = sources.machine ? Result<std::string>(directory->path()) : directory->folder("simulated");
    if (folder) holders_.open(*folder + "/holders.json");
  }
  if (own_thread) reclaimer_.start();
}

bool MemoryReclaim::ask_for_overuse(LeaseId lease) {
  reclaim::ReclaimOrder order;
  order.why = fmt::format("lease {} uses more than its most", number(lease));
  order.lease = lease;
  order.even_below = true;
  order.deadline = std::chrono::minutes(1);
  return reclaimer_.order(std::move(order), nullptr).has_value();
}

Response MemoryReclaim::settle(Response response, const std::function<std::shared_ptr<const Snapshot>()>& look) {
  const auto later = std::move(response.later);
  if (!later) return response;
  for (;;) {
    if (const auto make = later->take()) return (*make)();
    reclaimer_.see(look());
    reclaimer_.step();
  }
}

}  // namespace gpukeeper::service
