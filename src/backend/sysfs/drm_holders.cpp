#include "backend/sysfs/drm_holders.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

// How the budget of a round is parted among the kinds of looks.
constexpr double kForHolders = 0.4;
constexpr double kForUnseen = 0.15;
constexpr double kForYoung = 0.1;
constexpr double kForTurn = 0.15;
constexpr double kForChecks = 0.2;

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_drm_node(std::string_view target) {
  return target.starts_with("/dev/dri/renderD") || target.starts_with("/dev/dri/card");
}

// /proc answers EACCES to those who may not look; a security module, and /proc mounted with hidepid=1, answer EPERM.
bool is_denied(Errc code) {
  return code == Errc::not_permitted || code == Errc::unavailable;
}

std::string descriptors_of(std::int64_t pid) {
  return fmt::format("/proc/{}/fd", pid);
}

std::chrono::nanoseconds times(std::chrono::nanoseconds time, double factor) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) * factor));
}

}  // namespace

DrmHolders::DrmHolders(const Files& files, const Clock& clock, Options options)
    : files_(files), clock_(clock), options_(options) {}

std::chrono::nanoseconds DrmHolders::effort() const {
  return options_.effort != nullptr ? options_.effort() : clock_.now().time_since_epoch();
}

Result<void> DrmHolders::update(std::stop_token stop) {
  const auto start = clock_.now();
  if (start < next_) return {};
  const auto effort_before = effort();
  const auto before = listed_at_;
  if (!before || start - *before >= options_.period) {
    if (auto listed = list(); !listed) return listed;
    listed_at_ = start;
  }
  if (walked_) {
    round(start, *before, stop);
    next_ = start + std::max(options_.period, times(effort() - effort_before, 1 / options_.share));
    return {};
  }
  // By the clock: somebody waits for it.
  const auto over = [&] { return stop.stop_requested() || clock_.now() - start >= options_.first_piece; };
  const auto unseen = [](const Process& process) { return !process.looked_at; };
  go_on(cursors_.first, over, unseen, [&](Process& process) { look(process, stop); });
  walked_ = std::none_of(all_.begin(), all_.end(), unseen);
  if (walked_) next_ = *listed_at_ + options_.period;
  return {};
}

Result<void> DrmHolders::list() {
  const auto names = files_.list("/proc");
  if (!names) {
    if (names.error().code != Errc::not_found) return tl::make_unexpected(names.error());
    return fail(Errc::not_supported, "the processes are not known: there is no /proc here");
  }
  std::vector<std::int64_t> pids;
  pids.reserve(names->size());
  for (const auto& name : *names) {
    if (is_number(name)) pids.push_back(*parse_i64(name));
  }
  std::sort(pids.begin(), pids.end());
  // Every pid namespace has a process 1. That we see ourselves but not this one is hidepid's doing.
  others_unlisted_ = std::binary_search(pids.begin(), pids.end(), options_.own_pid) && pids.front() != 1;
  std::erase(pids, options_.own_pid);

  const auto young_until = walked_ ? clock_.now() + options_.youth : MonotonicTime{};
  std::vector<Process> now;
  now.reserve(pids.size());
  auto old = all_.begin();
  for (const auto pid : pids) {
    while (old != all_.end() && old->pid < pid) ++old;
    const bool known = old != all_.end() && old->pid == pid;
    now.push_back(known ? *old : Process{.pid = pid, .young_until = young_until});
  }
  all_ = std::move(now);
  std::erase_if(holders_,
                [&](const auto& holder) { return !std::binary_search(pids.begin(), pids.end(), holder.first); });
  return {};
}

void DrmHolders::round(MonotonicTime now, MonotonicTime before, const std::stop_token& stop) {
  // What one kind leaves the next may use, but each has its own part, whatever those before it took: a single look may
  // take longer than all of it (10,000 descriptors, 50 ms).
  auto due = effort();
  const auto within = [&](double part) {
    due += times(options_.budget, part);
    const auto end = std::max(due, effort() + times(options_.budget, part));
    return [this, &stop, end] { return stop.stop_requested() || effort() >= end; };
  };
  const auto look_at = [&](Process& process) { look(process, stop); };

  const auto holds = [](const Process& process) { return process.holder; };
  go_on(cursors_.holders, within(kForHolders), holds, look_at);

  const auto unseen = [](const Process& process) { return !process.looked_at; };
  go_on(cursors_.unseen, within(kForUnseen), unseen, look_at);

  const auto other = [](const Process& process) { return !process.holder && process.looked_at; };
  const auto young = [&](const Process& process) { return other(process) && process.young_until > now; };
  go_on(cursors_.young, within(kForYoung), young,
        [&](Process& process) { counted_ ? check(process, stop) : look(process, stop); });

  const auto turn = counted_ ? options_.turn : options_.turn_uncounted;
  const double part = static_cast<double>((now - before).count()) / static_cast<double>(turn.count());
  auto left = static_cast<std::int64_t>(std::ceil(part * static_cast<double>(all_.size())));
  const auto in_turn = [&](const Process& process) { return left > 0 && other(process); };
  go_on(cursors_.turn, within(kForTurn), in_turn, [&](Process& process) {
    look(process, stop);
    --left;
  });

  const auto old = [&](const Process& process) { return other(process) && !young(process); };
  go_on(cursors_.checked, within(kForChecks), old, [&](Process& process) { check(process, stop); });
}

// Visits the wanted processes by pid, on from the one that was visited last and once around at most, until it is over:
// at least one, so that no kind of look ever stands still.
template <class Over, class Wanted, class Visit>
void DrmHolders::go_on(Cursor& cursor, Over over, Wanted wanted, Visit visit) {
  const auto after = std::upper_bound(all_.begin(), all_.end(), cursor,
                                      [](Cursor last, const Process& process) { return last < process.pid; });
  const auto first = static_cast<std::size_t>(after - all_.begin());
  for (std::size_t i = 0; i < all_.size(); ++i) {
    Process& process = all_[(first + i) % all_.size()];
    if (!wanted(process)) continue;
    visit(process);
    cursor = process.pid;
    if (over()) return;
  }
}

// Looks at a process only when the kernel's facts about its descriptors are others than at the last look.
void DrmHolders::check(Process& process, const std::stop_token& stop) {
  const auto facts = files_.stat(descriptors_of(process.pid));
  if (facts && process.facts == *facts) return;
  const bool gone = !facts && facts.error().code == Errc::not_found;  // the next list will not have it
  if (gone || (!facts && process.hidden)) return;
  look(process, facts, stop);
}

void DrmHolders::look(Process& process, const std::stop_token& stop) {
  look(process, files_.stat(descriptors_of(process.pid)), stop);
}

// The facts are taken before the descriptors are listed: one that is opened meanwhile makes the next check differ.
void DrmHolders::look(Process& process, const Result<FileFacts>& facts, const std::stop_token& stop) {
  process.looked_at = true;
  process.facts = facts ? std::optional(*facts) : std::nullopt;
  const auto folder = descriptors_of(process.pid);
  const auto names = files_.list(folder);
  if (facts && names && !names->empty()) counted_ = facts->size > 0;
  DrmHolder found;
  process.hidden = names ? !follow(folder, *names, found, stop) : is_denied(names.error().code);
  process.holder = found.kfd || !found.descriptors.empty();
  if (!process.holder) {
    holders_.erase(process.pid);
    return;
  }
  found.name = name(process.pid);
  holders_.insert_or_assign(process.pid, std::move(found));
}

// Says whether all of them could be followed; those that are closed meanwhile do not count.
bool DrmHolders::follow(const std::string& folder, const std::vector<std::string>& names, DrmHolder& found,
                        const std::stop_token& stop) const {
  bool denied = false;
  for (const auto& descriptor : names) {
    if (stop.stop_requested()) break;
    if (!is_number(descriptor)) continue;
    const auto target = files_.read_link(fmt::format("{}/{}", folder, descriptor));
    if (!target) {
      denied = denied || is_denied(target.error().code);
      continue;
    }
    if (*target == "/dev/kfd") found.kfd = true;
    if (is_drm_node(*target)) found.descriptors.emplace(*parse_u64(descriptor), std::string());
  }
  return !denied;
}

std::size_t DrmHolders::hidden() const {
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const Process& p) { return p.hidden; }));
}

std::size_t DrmHolders::unseen() const {
  if (walked_) return 0;
  return static_cast<std::size_t>(
      std::count_if(all_.begin(), all_.end(), [](const Process& p) { return !p.looked_at; }));
}

std::string DrmHolders::name(std::int64_t pid) const {
  const auto comm = files_.read(fmt::format("/proc/{}/comm", pid));
  return comm ? std::string(trim(*comm)) : std::string();
}

}  // namespace gpukeeper
