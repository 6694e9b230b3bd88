#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "account/account_store.hpp"
#include "storage/own_file.hpp"

namespace gpukeeper {

/// The account in a file, `account.db` in a state directory: SQLite with a write-ahead log; what save() returned from
/// survives a kill and a power cut. docs/accounting.md describes its tables.
///
/// A file that is damaged, or no database, is moved aside to `account.db.damaged-1` (-2, …), and save() says that a new
/// one was begun. A file of a newer gpukeeper is left alone and refused. Whoever loads or saves must own its state
/// directory (StateDirectory::claim); to read() one must only be allowed to read the file.
///
/// Threads: as AccountStore.
class SqliteAccountStore final : public account::AccountStore {
 public:
  /// Opens nothing. `folder` exists.
  explicit SqliteAccountStore(const std::string& folder);

  std::string place() const override { return file_.path(); }
  std::string notice() const override;
  Result<account::Account> load(WallTime now, std::chrono::seconds length) override;
  Result<Saved> save(const account::Account& changes) override;
  Result<void> forget(WallTime before) override;
  Result<account::Account> read(const account::Wanted& wanted) const override;

  static constexpr const char* kFileName = "account.db";

 private:
  Result<void> open();
  sqlite::Outcome<void> write(const account::Account& changes);
  Result<void> begin_anew(const std::string& why);

  sqlite::OwnFile file_;
  bool anew_ = false;  // the file is another one than the one that was loaded
  mutable std::mutex mutex_;
  std::string notice_;  // guarded by mutex_
};

}  // namespace gpukeeper
