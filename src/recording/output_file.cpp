#include "recording/output_file.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"

namespace gpukeeper::recording {

Result<OutputFile> OutputFile::create(const std::string& path, bool force) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0644);
  if (descriptor >= 0) return OutputFile(path, descriptor);
  const int error = errno;
  if (error == EEXIST) {
    return fail(Errc::already_exists, fmt::format("{} is there already; --force overwrites it", path));
  }
  return fail(errc_from_errno(error), fmt::format("create {}: {}", path, std::system_category().message(error)));
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error OutputFile::error_now() const {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return {full ? Errc::resource_exhausted : Errc::internal,
          fmt::format("write {}: {}", path_, std::system_category().message(error))};
}

Result<void> OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::make_unexpected(error_now());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> OutputFile::sync() {
  // What is no file of a disk (a pipe, /dev/null) has nothing to be kept.
  if (::fdatasync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) return tl::make_unexpected(error_now());
  return {};
}

Result<void> OutputFile::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) return tl::make_unexpected(error_now());
  return {};
}

}  // namespace gpukeeper::recording
