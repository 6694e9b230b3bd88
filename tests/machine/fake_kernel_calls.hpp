#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "machine/kernel_calls.hpp"

namespace gpukeeper {

/// Answers what a test says, and remembers what it was asked.
class FakeKernelCalls final : public KernelCalls {
 public:
  Result<DiskSpace> space(const std::string& mount_point) const override {
    asked_.push_back(mount_point);
    const auto found = spaces.find(mount_point);
    if (found == spaces.end()) return fail(Errc::not_found, "statvfs " + mount_point + ": No such file or directory");
    return found->second;
  }
  std::map<std::string, std::vector<std::string>> addresses() const override { return interfaces; }

  std::vector<std::string> take_asked() { return std::exchange(asked_, {}); }

  std::map<std::string, DiskSpace> spaces;
  std::map<std::string, std::vector<std::string>> interfaces;

 private:
  mutable std::vector<std::string> asked_;
};

}  // namespace gpukeeper
