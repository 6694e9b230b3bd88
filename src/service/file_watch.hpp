#pragma once

#include <string>

#include "service/listener.hpp"

namespace gpukeeper::service {

/// Notices that a file may have changed: written, replaced by an editor, made, or reached through another link.
///
/// It watches the folders, not the file: an editor that writes a new file and renames it leaves a watch on the old one.
/// Threads: one.
class FileWatch {
 public:
  /// `path`: empty for none. A folder that is not there, or that cannot be watched, is not: then nothing is noticed.
  explicit FileWatch(const std::string& path);

  /// Readable when something happened in the folders; -1 when nothing is watched.
  int descriptor() const { return events_.get(); }

  /// Takes what happened. Whether it may be the file: other names in the folder do not count, unless it is reached
  /// through a link.
  bool take();

 private:
  std::string name_;
  bool through_link_ = false;
  Descriptor events_;
};

}  // namespace gpukeeper::service
