#pragma once

#include <vector>

#include <sys/types.h>

namespace gpukeeper::bench {

/// Real processes that sleep, each with the same number of open descriptors. They end with this object, and with this
/// process however it ends.
class Crowd {
 public:
  /// Makes as many as the machine gives, and waits until they are ready.
  Crowd(int processes, int descriptors);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
};

}  // namespace gpukeeper::bench
