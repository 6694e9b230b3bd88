#pragma once

#include <string>
#include <utility>

namespace gpukeeper::cli {

/// A control group for a command, below ours, where this user may make one: then all that descends from the command can
/// be told and held together. It goes with its run; one that still holds a process then, when the next run is begun.
class RunCgroup {
 public:
  /// Makes one, `gpukeeper-run-PID`; without a path where that is not allowed, or there are none of version 2.
  static RunCgroup make();
  ~RunCgroup();
  RunCgroup(RunCgroup&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  RunCgroup& operator=(RunCgroup&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit RunCgroup(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace gpukeeper::cli
