#include "core/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

tl::unexpected<Error> failed(std::string_view operation, std::string_view path, int error) {
  return fail(errc_from_errno(error), fmt::format("{} {}: {}", operation, path, std::strerror(error)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Errc errc_from_errno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
    case ESRCH: return Errc::not_found;
    case EACCES: return Errc::not_permitted;
    case EPERM:
    case EBUSY:
    case EAGAIN: return Errc::unavailable;
    case ENODATA:
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS: return Errc::not_supported;
    default: return Errc::internal;
  }
}

Result<FileFacts> Files::stat(std::string_view path) const {
  return fail(Errc::not_supported, fmt::format("stat {}: these files have no facts", path));
}

Result<void> Files::each_line(std::string_view path, const LineReader& line) const {
  const auto content = read(path);
  if (!content) return fail(content.error().code, content.error().message);
  for (const auto text : lines(*content)) {
    if (!line(text)) break;
  }
  return {};
}

RealFiles::RealFiles(std::string root) : root_(std::move(root)) {
  while (!root_.empty() && root_.back() == '/') root_.pop_back();
}

Result<std::string> RealFiles::read(std::string_view path) const {
  const std::string full = root_ + std::string(path);
  // O_NONBLOCK: a FIFO or a silent device in a hand-made tree must not stop us.
  const Descriptor file(::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return failed("open", full, errno);
  std::string content;
  std::array<char, 4096> buffer{};  // one page: the most that a sysfs attribute can hold
  while (content.size() < kMaxFileBytes) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", full, errno);
    if (got == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (content.size() > kMaxFileBytes) content.resize(kMaxFileBytes);
  return content;
}

Result<std::vector<std::string>> RealFiles::list(std::string_view folder) const {
  const std::string full = root_ + std::string(folder);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(full.c_str()), &::closedir);
  if (!dir) return failed("list", full, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> RealFiles::read_link(std::string_view path) const {
  const std::string full = root_ + std::string(path);
  std::array<char, PATH_MAX> target{};
  const auto length = ::readlink(full.c_str(), target.data(), target.size());
  if (length < 0) {
    if (errno == EINVAL) return fail(Errc::invalid_argument, fmt::format("read link {}: not a symbolic link", full));
    return failed("read link", full, errno);
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

Result<FileFacts> RealFiles::stat(std::string_view path) const {
  const std::string full = root_ + std::string(path);
  struct stat facts {};
  if (::stat(full.c_str(), &facts) != 0) return failed("stat", full, errno);
  return FileFacts{facts.st_ino, static_cast<std::uint64_t>(facts.st_size), facts.st_uid};
}

Result<void> RealFiles::each_line(std::string_view path, const LineReader& line) const {
  const std::string full = root_ + std::string(path);
  const Descriptor file(::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return failed("open", full, errno);
  std::string pending;  // the start of a line whose end has not been read yet
  std::vector<char> buffer(64 << 10);
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", full, errno);
    if (got == 0) break;
    std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      std::string_view text = rest.substr(0, end);
      if (!pending.empty()) text = pending.append(text);
      if (text.ends_with('\r')) text.remove_suffix(1);
      if (!line(text)) return {};
      pending.clear();
      rest.remove_prefix(end + 1);
    }
    pending.append(rest);
    if (pending.size() > kMaxFileBytes) {
      return fail(Errc::internal, fmt::format("read {}: a line of more than {} bytes", full, kMaxFileBytes));
    }
  }
  if (!pending.empty()) line(pending);
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a FIFO must not stop us
  if (file.get() < 0) return failed("open", path, errno);
  std::string content;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EISDIR) return fail(Errc::invalid_argument, fmt::format("read {}: it is a folder", path));
    if (got < 0) return failed("read", path, errno);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      return fail(Errc::resource_exhausted, fmt::format("read {}: it is larger than {} bytes", path, limit));
    }
  }
}

}  // namespace gpukeeper
