#include "backend/kernel/kmsg_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

// The kernel refuses a buffer into which its longest record does not fit: CONSOLE_EXT_LOG_MAX and PRINTK_MESSAGE_MAX
// (include/linux/printk.h) are 8 KiB at most.
constexpr std::size_t kLongestRecord = 16 << 10;

}  // namespace

Error kmsg_error(std::string_view operation, const std::string& path, int error) {
  const auto what = fmt::format("{} the kernel's log {}: {}", operation, path, std::strerror(error));
  switch (error) {
    case EPERM:
    case EACCES:
      return {Errc::not_permitted, what +
                                       "; run as root, grant CAP_SYSLOG, or allow everybody to read it with `sudo "
                                       "sysctl kernel.dmesg_restrict=0`"};
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return {Errc::unavailable, what + "; in a container, give it the host's: `--device /dev/kmsg --cap-add SYSLOG`"};
    default: return {Errc::unavailable, what};
  }
}

KmsgFile::KmsgFile(std::string path) : path_(std::move(path)) {}

KmsgFile::~KmsgFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> KmsgFile::open() {
  if (fd_ >= 0) return {};
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return tl::make_unexpected(kmsg_error("open", path_, errno));
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISCHR(status.st_mode)) {
    ::close(fd);
    return fail(Errc::unavailable, fmt::format("open the kernel's log {}: it is no character device", path_));
  }
  fd_ = fd;
  return {};
}

Result<std::optional<std::string>> KmsgFile::next() {
  if (auto opened = open(); !opened) return tl::make_unexpected(opened.error());
  std::array<char, kLongestRecord> buffer;  // not cleared: it is read into some thousand times a call
  for (;;) {
    const auto got = ::read(fd_, buffer.data(), buffer.size());
    if (got > 0) return std::string(buffer.data(), static_cast<std::size_t>(got));
    if (got == 0 || errno == EAGAIN) return std::nullopt;
    if (errno == EINTR) continue;
    if (errno == EPIPE) return fail(Errc::resource_exhausted, "records of the kernel's log were overwritten unread");
    const int error = errno;
    ::close(fd_);
    fd_ = -1;
    return tl::make_unexpected(kmsg_error("read", path_, error));
  }
}

}  // namespace gpukeeper
