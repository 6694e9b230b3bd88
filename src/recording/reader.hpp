#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "recording/state.hpp"

namespace gpukeeper::recording {

/// Reads a recording, frame by frame, from any moment on.
///
/// A file that was cut off (kill -9, a full disk, power) is read up to its last whole frame; what is damaged is left
/// out, from the member that holds it to the next. notes() says so.
/// Threads: one at a time. Every member may read from disk.
class Reader {
 public:
  /// Errors: those of opening the file; invalid_argument when it is no recording; not_supported when it is one of a
  /// later version; unavailable when it holds no whole frame.
  static Result<std::unique_ptr<Reader>> open(const std::string& path);
  ~Reader();

  const Header& header() const;
  /// The times of the first and of the last whole frame.
  Offset begin() const;
  Offset end() const;

  /// Makes the last frame that is not later than `at` the next one; the first frame when all are later.
  void seek(Offset at);

  /// When the next frame is; nothing behind the last one.
  std::optional<Offset> next_at();

  /// The next frame; null behind the last one. It stays as it is until the next call.
  const Frame* next();

  /// Sentences for the operator: what is damaged, cut off or unknown, as far as it was come across.
  std::vector<std::string> notes() const;

 private:
  struct State;
  explicit Reader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gpukeeper::recording
