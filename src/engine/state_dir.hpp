#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "backend/detect.hpp"
#include "core/result.hpp"
#include "faults/fault_store.hpp"
#include "policy/andon/alert_store.hpp"

namespace gpukeeper {

/// The folder of what outlives a process: the fault journal, the alerts. One process owns it at a time; others may read
/// in it.
class StateDirectory {
 public:
  using Environment = std::function<std::optional<std::string>(std::string_view)>;

  /// Where it is when nobody says otherwise: what systemd gave (STATE_DIRECTORY), else /var/lib/gpukeeper for root,
  /// else gpukeeper in XDG_STATE_HOME or in ~/.local/state. Errors: invalid_argument when none of these is known.
  static Result<std::string> usual_path(const Environment& environment, bool root);

  /// Makes it (mode 0750) with the folders above it where it is not there, and takes its lock for as long as this
  /// lives. A restore of it that was cut off is finished. Errors: unavailable when another process owns it;
  /// not_permitted and others as the kernel says. The message says what to do.
  static Result<StateDirectory> claim(const std::string& path);

  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  const std::string& path() const { return path_; }

  /// A folder in it, made where it is not there. Errors as for claim.
  Result<std::string> folder(std::string_view name) const;

 private:
  StateDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;  // a descriptor, or -1; the kernel lets the lock go when the process ends, however it ends
};

/// Where in it is kept what these sources say. Where none of them looks at a living machine it is a folder of its own,
/// `simulated/`: nothing made up ever stands among what happened. Errors: as for StateDirectory::folder.
Result<std::string> folder_for(const StateDirectory& directory, const Sources& sources);

/// Opens the fault journal of that directory to keep the faults of these sources, in folder_for() them.
/// Errors: as for SqliteFaultStore::open and StateDirectory::folder.
Result<std::shared_ptr<FaultStore>> open_fault_store(const StateDirectory& directory, const Sources& sources);

/// Opens the alerts of that directory alike.
/// Errors: as for SqliteAlertStore::open and StateDirectory::folder.
Result<std::shared_ptr<AlertStore>> open_alert_store(const StateDirectory& directory, const Sources& sources);

}  // namespace gpukeeper
