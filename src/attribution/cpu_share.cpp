#include "attribution/cpu_share.hpp"

#include <ctime>

#include <sys/types.h>

namespace gpukeeper {

std::optional<std::chrono::nanoseconds> KernelCpuClocks::used(std::int64_t pid) const {
  // 0 would be this process, and a clock's name has no room for larger ones: PID_MAX_LIMIT of 64-bit Linux.
  if (pid <= 0 || pid > 4'194'304) return std::nullopt;
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0) return std::nullopt;
  if (::clock_gettime(clock, &time) != 0) return std::nullopt;
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Metric<Percent> CpuShare::add(const CpuSample& sample) {
  using namespace std::chrono_literals;
  // Of a clock that stepped back, or is another one now, nothing can be subtracted.
  if (!last_ || sample.fine != last_->fine || sample.used < last_->used || sample.at < last_->at) {
    last_ = sample;
    share_ = missing(Missing::not_yet_read);
    return share_;
  }
  const auto span = sample.at - last_->at;
  if (span < (sample.fine ? std::chrono::nanoseconds(10ms) : std::chrono::nanoseconds(500ms))) return share_;
  const auto used = std::chrono::duration<double>(sample.used - last_->used);
  share_ = Percent(100 * (used / std::chrono::duration<double>(span)));
  last_ = sample;
  return share_;
}

}  // namespace gpukeeper
