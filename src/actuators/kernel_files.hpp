#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper {

/// The kernel's files that are written: a setting each.
/// Threads: every member may be called from any thread.
class KernelFiles {
 public:
  virtual ~KernelFiles() = default;

  /// Writes the whole text in one go, to a file that is there. Errors: as for Files::read; invalid_argument when the
  /// kernel takes no such value (EINVAL, ERANGE).
  virtual Result<void> write(const std::string& path, std::string_view text) = 0;
};

/// This machine's own, below a folder: "" for `/`.
class RealKernelFiles final : public KernelFiles {
 public:
  explicit RealKernelFiles(std::string root = "") : root_(std::move(root)) {}
  Result<void> write(const std::string& path, std::string_view text) override;

 private:
  const std::string root_;
};

}  // namespace gpukeeper
