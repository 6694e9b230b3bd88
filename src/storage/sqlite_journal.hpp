#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include "ledger/journal.hpp"
#include "storage/checkpointer.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper {

/// The leases in a file, `leases.db` in a state directory: SQLite with a write-ahead log. What a process' lease needs
/// is written and outlives this process; what a standing lease needs is flushed and outlives the machine.
///
/// A copy, `leases.db.good`, is made whenever the file was opened and found sound. A file that is damaged, or missing
/// while there is a copy, is left as it is: then load() gives the copy's leases, nothing can be written, and damage()
/// says what to do.
///
/// Whoever opens it must own its state directory (StateDirectory::claim): two owners would grant everything twice.
class SqliteJournal final : public Journal {
 public:
  /// Opens it in a folder that exists, or begins it there. `boot_id` is the machine's, or anything that changes
  /// whenever all processes end. Errors: not_supported for the file of a newer version; others as the disk says. A
  /// damaged file is no error.
  static Result<std::unique_ptr<SqliteJournal>> open(const std::string& folder, std::string boot_id);

  std::string place() const override { return path_; }
  std::optional<Error> damage() const override { return damage_; }
  Result<LedgerMemory> load(std::size_t history) override;
  Result<void> write(const LedgerChanges& changes) override;
  bool written_by_others() override;

  static constexpr const char* kFileName = "leases.db";
  /// Ended leases that are kept on the disk.
  static constexpr std::size_t kHistory = 10'000;

 private:
  SqliteJournal(std::string path, std::string boot_id) : path_(std::move(path)), boot_id_(std::move(boot_id)) {}

  std::string copy() const { return path_ + ".good"; }
  sqlite::Outcome<void> connect();
  sqlite::Outcome<void> prepare_statements();
  sqlite::Outcome<void> save(const LedgerChanges& changes);
  sqlite::Outcome<void> run_all(const LedgerChanges& changes);
  sqlite::Outcome<void> keep_copy();
  void set_damaged(const std::string& why);

  /// Prepared once: to write a lease costs its bytes, not the reading of SQL.
  struct Statements {
    sqlite::Statement begin, commit, put, remove, end, number, forget, version;
  };

  const std::string path_;
  const std::string boot_id_;
  std::optional<Error> damage_;
  std::optional<LedgerMemory> opened_;                  // what was read when it was opened, for the first load()
  std::unique_ptr<sqlite::Database> database_;          // null while it is damaged
  std::unique_ptr<Statements> statements_;              // go before the database
  std::unique_ptr<sqlite::Checkpointer> checkpointer_;  // goes before it, too
  std::optional<Durability> synchronous_;               // that the database is set to
  std::optional<std::int64_t> version_;                 // of what others wrote, as it was asked for last
  std::pair<dev_t, ino_t> file_{};                      // that was opened
};

}  // namespace gpukeeper
