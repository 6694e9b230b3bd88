#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper::recording {

/// A file that is made and written from begin to end.
class OutputFile {
 public:
  /// Creates it; `force` empties one that is there. Errors: already_exists; others as open(2) has them.
  static Result<OutputFile> create(const std::string& path, bool force);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  ~OutputFile();

  /// Errors: resource_exhausted for a full disk, internal for any other: "write r.gkr: No space left on device".
  Result<void> write(std::string_view bytes);
  /// Returns when the disk has what was written. Errors: as for write.
  Result<void> sync();
  /// Errors: as for write: some file systems say only here that the disk is full.
  Result<void> close();

 private:
  OutputFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  Error error_now() const;

  std::string path_;
  int descriptor_;
};

}  // namespace gpukeeper::recording
