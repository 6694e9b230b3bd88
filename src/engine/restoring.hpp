#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper {

/// The files of a state directory that a backup takes along, by their names in it: every store's.
std::vector<std::string> kept_files();

/// The settings that a restore brings along, which lie elsewhere.
struct RestoredSettings {
  std::string path;  ///< of the file that is to have them
  std::string text;
  std::optional<std::string> before;  ///< what stands there; nothing where there is no such file
  /// Puts the text there; replace_file where nothing else is given.
  std::function<Result<void>(const std::string& path, const std::string& text)> put = {};
};

/// How a state directory is given other files, all or none: what is new is gathered in a folder of it, which then gets
/// a name that says so (the one step that counts); from then on whoever claims the directory finishes what is left to
/// be done, so that a crash in between changes nothing. What was there before is moved to `before-restore/`, and takes
/// the place of what an earlier restore left there.
///
/// Whoever finishes it may not be allowed to write the settings: a service is not. Then they wait in
/// `restored-settings/`, and notice() says what to type; a service that does not start would help nobody.
/// Only for the owner of the directory.
class Restoring {
 public:
  explicit Restoring(std::string directory) : directory_(std::move(directory)) {}

  /// An empty folder where the new files are to be put, each flushed, under their names in the directory.
  /// Errors: as the disk says.
  Result<std::string> begin() const;

  /// Takes what was gathered for what the directory is to have. `settings`: nothing where they are to stay as they are;
  /// when they cannot be put into their place all is as it was. Errors: as the disk says.
  Result<void> commit(const std::optional<RestoredSettings>& settings) const;

  /// Takes back what begin() made.
  void abandon() const;

  /// Whether something was committed and not finished.
  bool is_unfinished() const;

  /// Does what is left to be done, which may be nothing. Errors: as the disk says; then it may be tried again.
  Result<void> finish() const;

  /// What a person has still to do, with what to type, as settings wait to be put into their place; empty for nothing.
  std::string notice() const;

  static constexpr std::string_view kConfiguration = "gpukeeper.yaml";

 private:
  std::string below(std::string_view name) const;
  Result<void> write_lists(const std::optional<RestoredSettings>& settings) const;
  void set_earlier_aside() const;
  void put_earlier_back() const;
  Result<void> put_settings(const RestoredSettings& settings) const;
  Result<void> place_all() const;
  Result<void> place(const std::string& name, bool is_new) const;
  Result<void> keep_old_settings() const;
  Result<void> finish_settings() const;

  const std::string directory_;
};

}  // namespace gpukeeper
