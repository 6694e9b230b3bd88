#pragma once

namespace gpukeeper {

/// Makes SQLite's writes and flushes of this process fail while it lives: a disk that is full, or broken. It stands
/// between SQLite and the files (a VFS), so what is tested is the store as it is.
class FaultyDisk {
 public:
  enum class Fault {
    full,
    broken,
    torn,  ///< what fails is written by half
  };

  /// The `after`th write or flush from now and all that follow fail; 0 for the next one.
  explicit FaultyDisk(Fault fault, int after = 0);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// How many writes and flushes were tried since any program's beginning.
  static int writes();
};

}  // namespace gpukeeper
