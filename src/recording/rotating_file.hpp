#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace gpukeeper::recording {

/// A text file that begins anew when it is large or old: NAME.EXT becomes NAME.1.EXT, that one NAME.2.EXT, and so on.
///
/// Threads: one. Files are packed by a thread of its own, so that nobody waits for it.
class RotatingFile {
 public:
  struct Options {
    std::string path;
    bool force = false;                             ///< overwrite what is there
    std::optional<std::uint64_t> size;              ///< bytes that a file may have
    std::optional<std::chrono::nanoseconds> every;  ///< time after which one ends
    std::size_t keep = 10;                          ///< ended files that stay, at least 1; the oldest goes
    bool pack = false;                              ///< ended files are packed: NAME.1.EXT.gz
  };

  /// Creates the file. Errors: already_exists; others as open(2) has them.
  static Result<RotatingFile> create(Options options);
  RotatingFile(RotatingFile&&) noexcept;
  RotatingFile& operator=(RotatingFile&&) noexcept;
  ~RotatingFile();

  /// Begins a new file if this one is too old, or would be too large with so many more bytes. An empty file stays, so
  /// that a text which is too large has one of its own. True when the file is empty now: for what stands at the head.
  /// Errors: as for write; and of packing the file that ended before.
  Result<bool> make_room(std::size_t bytes, MonotonicTime now);

  /// Errors: resource_exhausted for a full disk, internal for any other.
  Result<void> write(std::string_view text);

  /// Waits for what is being packed. Errors: as for write.
  Result<void> close();

  std::uint64_t bytes() const;  ///< over all files
  std::size_t files() const;    ///< so far, those that are gone too

 private:
  struct File;
  explicit RotatingFile(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

}  // namespace gpukeeper::recording
