#pragma once

#include <atomic>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/backend.hpp"

namespace gpukeeper {

/// Files that count what they cost: for sources that read the kernel's files, these are the calls into the driver.
/// Threads: every member may be called from any thread.
class CountingFiles final : public Files {
 public:
  CountingFiles(const Files& inner, const Clock& clock) : inner_(inner), clock_(clock) {}

  Result<std::string> read(std::string_view path) const override;
  Result<std::vector<std::string>> list(std::string_view folder) const override;
  Result<std::string> read_link(std::string_view path) const override;
  Result<FileFacts> stat(std::string_view path) const override;
  Result<void> each_line(std::string_view path, const LineReader& line) const override;

  /// Every access so far, failed ones too, and the time spent in them.
  DriverCost cost() const;

 private:
  template <class Access>
  auto counted(const Access& access) const;

  const Files& inner_;
  const Clock& clock_;
  mutable std::atomic<std::uint64_t> calls_{0};
  mutable std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace gpukeeper
