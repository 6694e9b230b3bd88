#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "recording/state.hpp"

namespace gpukeeper::recording {

/// Writes a recording: members of two minutes (or of 30 frames, where these are rarer), every one of which begins with
/// a key frame and can be read alone, and an index behind them. What was added is in the file some seconds later, so
/// that little is lost with the machine.
///
/// Threads: one at a time. add() writes to disk.
class Writer {
 public:
  struct Options {
    bool force = false;  ///< overwrite what is there
    std::string program;
    std::string host;
  };

  /// Creates the file. Errors: already_exists; others as open(2) has them.
  static Result<Writer> create(const std::string& path, Options options);

  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  /// Closes the file as it is: without an index when close() was not called.
  ~Writer();

  /// Adds a frame. Its time is brought behind that of the frame before, where the two fall into one millisecond.
  /// Errors: resource_exhausted for a full disk, internal for any other; the file can be replayed up to what was
  /// written, and nothing can be added any more.
  Result<void> add(Frame frame);

  /// Writes what is left, and the index. Errors: as for add.
  Result<void> close();

  std::uint64_t frames() const;
  std::uint64_t bytes() const;  ///< in the file

 private:
  struct File;
  explicit Writer(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

}  // namespace gpukeeper::recording
