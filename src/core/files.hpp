#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper {

/// What the kernel knows of a file without opening it.
struct FileFacts {
  std::uint64_t inode = 0;  ///< in /proc another one when a pid was given again
  std::uint64_t size = 0;   ///< of /proc/PID/fd the number of open descriptors since Linux 6.2; 0 before
  std::uint32_t owner = 0;  ///< the user's number
  friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

/// The world's small text files: `/sys`, `/proc` and a few tables under `/usr/share`.
///
/// Paths are absolute ("/sys/class/drm"); an implementation may serve them from elsewhere. Everything that reads the
/// kernel's files takes this, so that a recorded machine can stand in for the real one, a test can count every access,
/// and any access can be made to fail.
/// Threads: every member may be called from any thread.
class Files {
 public:
  virtual ~Files() = default;

  /// The whole content, at most kMaxFileBytes of it.
  /// Errors, by what the kernel answered:
  ///   not_found      ENOENT, ENOTDIR, ENODEV, ENXIO: not there, or the device has left
  ///   not_permitted  EACCES: the file's mode forbids it
  ///   unavailable    EPERM, EBUSY, EAGAIN: amdgpu answers so while the card sleeps, resets or starts
  ///   not_supported  ENODATA, EINVAL, EOPNOTSUPP, ENOSYS: there is such a file but no such sensor
  ///   internal       anything else (EIO, ETIMEDOUT)
  virtual Result<std::string> read(std::string_view path) const = 0;

  /// The names in a folder, sorted, without "." and "..". Errors as for read.
  virtual Result<std::vector<std::string>> list(std::string_view folder) const = 0;

  /// Where a symbolic link points, as written in it. Errors as for read; invalid_argument when it is no link.
  virtual Result<std::string> read_link(std::string_view path) const = 0;

  /// The facts of a file or folder, following links; opens nothing, so that it is allowed and cheap where reading is
  /// not. Errors as for read; not_supported where an implementation knows none, as this one.
  virtual Result<FileFacts> stat(std::string_view path) const;

  /// Hands the lines of a text to `line` one by one, without their line ends, until it answers false: for tables of any
  /// size, of which little is wanted (pci.ids has 1.4 MB). Errors as for read; lines handed out before one stay so.
  using LineReader = std::function<bool(std::string_view)>;
  virtual Result<void> each_line(std::string_view path, const LineReader& line) const;

  static constexpr std::size_t kMaxFileBytes = 1 << 20;
};

/// The real files below a folder: `/` for this machine, or the folder of a recorded one.
class RealFiles final : public Files {
 public:
  /// `root` without a trailing slash; "" or "/" is this machine.
  explicit RealFiles(std::string root = "");

  Result<std::string> read(std::string_view path) const override;
  Result<std::vector<std::string>> list(std::string_view folder) const override;
  Result<std::string> read_link(std::string_view path) const override;
  Result<FileFacts> stat(std::string_view path) const override;
  Result<void> each_line(std::string_view path, const LineReader& line) const override;

 private:
  std::string root_;
};

/// The whole content of one file that a user named, whatever its size up to `limit`.
/// Errors: as for Files::read; invalid_argument for a folder; resource_exhausted above the limit.
Result<std::string> read_file(const std::string& path, std::size_t limit);

/// The code for an errno value, as documented at Files::read.
Errc errc_from_errno(int error);

}  // namespace gpukeeper
