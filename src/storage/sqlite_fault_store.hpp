#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "faults/fault_store.hpp"
#include "storage/own_file.hpp"

namespace gpukeeper {

/// The fault journal in a file, `faults.db` in a state directory: SQLite with a write-ahead log, so that other
/// processes read while the owner writes, and what write() returned from survives a kill and a power cut.
///
/// A file that is damaged, or no database, is moved aside to `faults.db.damaged-1` (-2, …), and an empty one begun.
/// A file of a newer gpukeeper is left alone and refused. Whoever opens a journal to write it must own its state
/// directory (StateDirectory::lock); two owners would count everything twice.
///
/// Threads: as FaultStore; notice() from any.
class SqliteFaultStore final : public FaultStore {
 public:
  /// Opens the journal in a folder that exists, or begins it there.
  /// Errors: not_supported for the file of a newer version; others as the disk says.
  static Result<std::shared_ptr<SqliteFaultStore>> open(const std::string& folder, bool keeps_made_up = false);

  /// Opens the journal in a folder for load() alone, beside a process that writes it. Its write() fails.
  /// Errors: not_found when there is none; not_permitted; unavailable when it is damaged; not_supported.
  static Result<std::shared_ptr<SqliteFaultStore>> open_to_read(const std::string& folder);

  std::string place() const override { return file_.path(); }
  bool keeps_made_up() const override { return keeps_made_up_; }
  bool is_read_only() const override { return read_only_; }
  std::string notice() const override;
  Result<FaultEntries> load(std::size_t most) override;
  Result<void> write(const FaultEntries& entries) override;

  static constexpr const char* kFileName = "faults.db";

 private:
  SqliteFaultStore(std::string path, bool keeps_made_up, bool read_only);

  sqlite::Outcome<FaultEntries> read(std::size_t most);
  sqlite::Outcome<void> save(const FaultEntries& entries);
  Result<void> replace(const std::string& why);
  void note(std::string notice);

  sqlite::OwnFile file_;
  const bool keeps_made_up_;
  const bool read_only_;
  mutable std::mutex mutex_;
  std::string notice_;  // guarded by mutex_
};

}  // namespace gpukeeper
