#pragma once

#include <string>
#include <string_view>

#include "backend/kernel/kmsg.hpp"

namespace gpukeeper {

/// The kernel's own log, from the oldest record that it still holds. Never waits.
class KmsgFile final : public KmsgReader {
 public:
  explicit KmsgFile(std::string path = "/dev/kmsg");
  ~KmsgFile() override;
  KmsgFile(const KmsgFile&) = delete;
  KmsgFile& operator=(const KmsgFile&) = delete;

  /// Opens the file when it is not open, so that a permission granted later counts.
  Result<std::optional<std::string>> next() override;

 private:
  Result<void> open();

  const std::string path_;
  int fd_ = -1;
};

/// What to do about an error of opening the kernel's log or of reading it.
Error kmsg_error(std::string_view operation, const std::string& path, int error);

}  // namespace gpukeeper
