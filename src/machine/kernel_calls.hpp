#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"

namespace gpukeeper {

/// The room on a file system (statvfs(3)).
struct DiskSpace {
  Bytes total{0};
  Bytes used{0};
  Bytes free{0};  ///< for users without privileges
};

/// What the kernel answers to calls and writes in no file.
class KernelCalls {
 public:
  virtual ~KernelCalls() = default;

  /// Of the file system that is mounted there. It may wait for the disk. Errors: the kernel's.
  virtual Result<DiskSpace> space(const std::string& mount_point) const = 0;

  /// The addresses of every interface that has any, IPv4 first: "192.168.1.7", "fe80::1".
  virtual std::map<std::string, std::vector<std::string>> addresses() const = 0;
};

/// Those of this machine, its files below a folder as for RealFiles.
class RealKernelCalls final : public KernelCalls {
 public:
  explicit RealKernelCalls(std::string root = "");

  Result<DiskSpace> space(const std::string& mount_point) const override;
  std::map<std::string, std::vector<std::string>> addresses() const override;

 private:
  std::string root_;
};

}  // namespace gpukeeper
