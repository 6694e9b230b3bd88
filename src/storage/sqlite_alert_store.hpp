#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "policy/andon/alert_store.hpp"
#include "storage/own_file.hpp"

namespace gpukeeper {

/// The alerts in a file, `alerts.db` in a state directory: SQLite with a write-ahead log; what save() returned from
/// survives a kill and a power cut.
///
/// A file that is damaged, or no database, is moved aside to `alerts.db.damaged-1` (-2, …); as each save holds
/// everything, nothing is lost by that while the program runs. A file of a newer gpukeeper is left alone and refused.
/// Whoever opens it must own its state directory (StateDirectory::claim).
///
/// Threads: as AlertStore; notice() from any.
class SqliteAlertStore final : public AlertStore {
 public:
  /// Opens it in a folder that exists, or begins it there.
  /// Errors: not_supported for the file of a newer version; others as the disk says.
  static Result<std::shared_ptr<SqliteAlertStore>> open(const std::string& folder, bool keeps_made_up = false);

  std::string place() const override { return file_.path(); }
  bool keeps_made_up() const override { return keeps_made_up_; }
  std::string notice() const override;
  Result<AndonMemory> load() override;
  Result<void> save(const AndonMemory& memory) override;

  static constexpr const char* kFileName = "alerts.db";

 private:
  SqliteAlertStore(std::string path, bool keeps_made_up);

  sqlite::Outcome<AndonMemory> read();
  sqlite::Outcome<void> write(const AndonMemory& memory);
  Result<void> begin_anew(const std::string& why);

  sqlite::OwnFile file_;
  const bool keeps_made_up_;
  mutable std::mutex mutex_;
  std::string notice_;  // guarded by mutex_
};

}  // namespace gpukeeper
