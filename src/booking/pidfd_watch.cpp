#include "booking/pidfd_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"
#include "core/text.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper {
namespace {

constexpr int kPeriodMs = 1000;  // of looking at those that have no descriptor
constexpr std::size_t kLongestStat = 4096;

bool is_there(const ProcessOwner& owner) {
  const auto now = process_now(owner.pid);
  return now && (owner.start_ticks == 0 || now->start_ticks == owner.start_ticks);
}

int pidfd_open(std::int64_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
}

}  // namespace

std::optional<ProcessOwner> process_now(std::int64_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/stat", pid), kLongestStat);
  const auto stat = text ? parse_process_stat(*text) : std::nullopt;
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  return ProcessOwner{pid, stat->start_ticks};
}

std::string boot_id_of_this_machine() {
  const auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
  return text ? std::string(trim(*text)) : std::string();
}

Result<std::unique_ptr<PidfdWatch>> PidfdWatch::start() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const int wake = epoll < 0 ? -1 : ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
  if (wake < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) != 0) {
    const int error = errno;
    if (wake >= 0) ::close(wake);
    if (epoll >= 0) ::close(epoll);
    return fail(errc_from_errno(error), "watch processes: " + std::generic_category().message(error));
  }
  return std::unique_ptr<PidfdWatch>(new PidfdWatch(epoll, wake));
}

PidfdWatch::PidfdWatch(int epoll, int wake)
    : epoll_(epoll), wake_(wake), thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

PidfdWatch::~PidfdWatch() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_, &one, sizeof one) < 0);
  thread_.join();
  for (const auto& [owner, descriptor] : watched_) {
    if (descriptor >= 0) ::close(descriptor);
  }
  ::close(wake_);
  ::close(epoll_);
}

void PidfdWatch::on_gone(Gone gone) {
  std::scoped_lock lock(mutex_);
  gone_ = std::move(gone);
}

bool PidfdWatch::watch(const ProcessOwner& owner) {
  std::scoped_lock lock(mutex_);
  if (watched_.contains(owner)) return true;
  const int descriptor = pidfd_open(owner.pid);
  const int error = errno;
  // Whose the descriptor is, is asked after it was opened: from then on it stays that process'.
  if ((descriptor < 0 && error == ESRCH) || !is_there(owner)) {
    if (descriptor >= 0) ::close(descriptor);
    return false;
  }
  watched_[owner] = descriptor;
  if (descriptor < 0) return true;
  const std::uint64_t key = ++last_key_;
  by_key_[key] = owner;
  epoll_event event{.events = EPOLLIN, .data = {.u64 = key}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0) return true;
  by_key_.erase(key);
  ::close(descriptor);
  watched_[owner] = -1;
  return true;
}

void PidfdWatch::forget(const ProcessOwner& owner) {
  std::scoped_lock lock(mutex_);
  const auto found = watched_.find(owner);
  if (found == watched_.end()) return;
  if (found->second >= 0) ::close(found->second);  // which takes it out of the epoll set
  watched_.erase(found);
  std::erase_if(by_key_, [&](const auto& entry) { return entry.second == owner; });
}

void PidfdWatch::keep_only(const std::vector<ProcessOwner>& owners) {
  std::vector<ProcessOwner> others;
  {
    std::scoped_lock lock(mutex_);
    for (const auto& [owner, descriptor] : watched_) {
      if (!std::ranges::binary_search(owners, owner)) others.push_back(owner);
    }
  }
  for (const ProcessOwner& owner : others) forget(owner);
}

std::size_t PidfdWatch::size() const {
  std::scoped_lock lock(mutex_);
  return watched_.size();
}

void PidfdWatch::tell(const std::vector<ProcessOwner>& gone) {
  Gone callback;
  {
    std::scoped_lock lock(mutex_);
    callback = gone_;
  }
  if (!callback) return;
  for (const ProcessOwner& owner : gone) callback(owner);
}

void PidfdWatch::look_at_the_others() {
  std::vector<ProcessOwner> others;
  {
    std::scoped_lock lock(mutex_);
    for (const auto& [owner, descriptor] : watched_) {
      if (descriptor < 0) others.push_back(owner);
    }
  }
  std::erase_if(others, is_there);
  for (const ProcessOwner& owner : others) forget(owner);
  tell(others);
}

void PidfdWatch::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::array<epoll_event, 64> events;
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kPeriodMs);
    std::vector<ProcessOwner> gone;
    for (int i = 0; i < ready; ++i) {
      const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;  // a copy: epoll_event is packed
      std::scoped_lock lock(mutex_);
      const auto found = by_key_.find(key);
      if (found != by_key_.end()) gone.push_back(found->second);
    }
    for (const ProcessOwner& owner : gone) forget(owner);
    tell(gone);
    look_at_the_others();
  }
}

}  // namespace gpukeeper
