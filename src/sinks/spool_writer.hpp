#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "sinks/sink_queue.hpp"
#include "sinks/spool.hpp"

namespace gpukeeper {

/// Keeps a sink's queue on a disk.
/// Threads: save() belongs to one, which may wait for the disk; message() may be called from any.
class SpoolWriter {
 public:
  /// Reads what was kept. A store that cannot be read is begun anew, and so is one with damaged lines, which are said.
  explicit SpoolWriter(std::unique_ptr<SpoolStore> store);

  /// What was kept, once.
  SpoolContents take_contents() { return std::move(loaded_); }

  /// Writes what has changed in the queue. False when it could not be written: then everything is, the next time.
  bool save(SinkQueue& queue);

  /// What is wrong with the spool, or was found wrong when it was read; empty when all is well.
  std::string message() const;

  /// When so much was added, the file is written anew without what is done.
  static constexpr std::size_t kRewriteAfter = std::size_t{256} << 10;

 private:
  void say(std::string text);

  const std::unique_ptr<SpoolStore> store_;
  SpoolContents loaded_;
  std::string found_;        // when it was read
  std::size_t added_ = 0;    // bytes, since it was written anew
  bool everything_ = false;  // is to be written anew
  mutable std::mutex mutex_;
  std::string message_;  // guarded by mutex_
};

}  // namespace gpukeeper
