#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper {

/// The files of a state directory that a backup takes along, by their names in it.
std::vector<std::string> kept_files();

/// How a state directory is given other files, all or none: what is new is gathered in a folder of it, which then gets
/// a name that says so (the one step that counts); from then on whoever claims the directory finishes what is left to
/// be done, so that a crash in between changes nothing. What was there before is moved to `before-restore/`.
/// Only for the owner of the directory.
class Restoring {
 public:
  explicit Restoring(std::string directory) : directory_(std::move(directory)) {}

  /// An empty folder where the new files are to be put, each flushed, under their names in the directory.
  /// Errors: as the disk says.
  Result<std::string> begin() const;

  /// Takes what was gathered for what the directory is to have. `configuration`: a file that is to be replaced by the
  /// one that was gathered under the name kConfiguration; empty for none. Errors: as the disk says.
  Result<void> commit(const std::string& configuration) const;

  /// Takes back what begin() made.
  void abandon() const;

  /// Whether something was committed and not finished.
  bool is_unfinished() const;

  /// Does what is left to be done, which may be nothing. Errors: as the disk says; then it may be tried again.
  Result<void> finish() const;

  static constexpr std::string_view kConfiguration = "gpukeeper.yaml";

 private:
  Result<void> place(const std::string& name, bool is_new) const;
  Result<void> place_configuration() const;

  const std::string directory_;
};

}  // namespace gpukeeper
