#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "backend/sysfs/drm_holders.hpp"
#include "backend/sysfs/drm_scan.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"

namespace gpukeeper {

/// Makes scans: reads the fdinfo of every descriptor that is known to be a GPU's and adds up what the clients use, for
/// all GPUs and vendors at once. Who holds such descriptors is brought up to date at every look, a little at a time.
///
/// Wakes nothing: the kernel answers fdinfo from its own books. But that runs code of the GPU's driver, which can block
/// on a GPU that hangs.
///
/// Threads: one at a time.
class DrmSweep {
 public:
  struct Options {
    std::chrono::nanoseconds period{
        1'000'000'000};  ///< between two looks, or more: reading takes at most 1 % of them …
    std::chrono::nanoseconds longest{5'000'000'000};  ///< … unless that made it longer than this
    DrmHolders::Options holders;
  };

  DrmSweep(const Files& files, const Clock& clock, Options options);

  /// One look. Errors of single files do not show: processes come and go.
  DrmScan look(std::stop_token stop = {});

  /// When the next look has something to do.
  MonotonicTime due() const { return due_; }

 private:
  struct Sample {
    MonotonicTime at{};
    std::vector<DrmEngine> engines;  // with the highest counters seen
    std::map<std::string, Percent> shares;
  };
  struct Totals;

  void read_process(std::int64_t pid, DrmHolder& holder, Totals& totals);
  static void add_client(const DrmClient& client, const Sample& now, DrmProcess& use);
  const Sample& sample(const std::string& key, const DrmClient& client);

  const Files& files_;
  const Clock& clock_;
  const Options options_;
  DrmHolders holders_;
  MonotonicTime due_{};
  std::map<std::string, Sample> samples_;  // by client
};

}  // namespace gpukeeper
