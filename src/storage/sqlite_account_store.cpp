#include "storage/sqlite_account_store.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "storage/account_rows.hpp"

namespace gpukeeper {
namespace {

using account::Account;
using account::Wanted;
using sqlite::Database;
using sqlite::Outcome;

const std::array kMigrations = {sqlite::account_tables(), sqlite::account_pod_table()};

Outcome<Account> loaded(Database& database, WallTime now, std::chrono::seconds length) {
  const auto until = database.integer("SELECT value FROM number WHERE name = 'until_ns'");
  if (!until) return tl::make_unexpected(until.error());
  const auto last = WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(*until)));
  return sqlite::read_account(database, {.since = std::min(now, last) - length, .until = {}});
}

}  // namespace

SqliteAccountStore::SqliteAccountStore(const std::string& folder) : file_(folder + "/" + kFileName, kMigrations) {}

std::string SqliteAccountStore::notice() const {
  std::scoped_lock lock(mutex_);
  return notice_;
}

Result<void> SqliteAccountStore::open() {
  const auto opened = file_.open();
  if (opened) return {};
  const auto& [reason, damaged] = opened.error();
  if (!damaged) return tl::make_unexpected(reason);
  return begin_anew(reason.message);
}

Result<Account> SqliteAccountStore::load(WallTime now, std::chrono::seconds length) {
  if (auto opened = open(); !opened) return tl::make_unexpected(opened.error());
  anew_ = false;
  auto account = loaded(*file_.database(), now, length);
  if (account) return std::move(*account);
  if (!account.error().damaged) return tl::make_unexpected(account.error().error);
  if (auto begun = begin_anew(account.error().error.message); !begun) return tl::make_unexpected(begun.error());
  anew_ = false;
  return Account();
}

Result<account::AccountStore::Saved> SqliteAccountStore::save(const Account& changes) {
  if (file_.database() && !file_.is_in_place()) {  // somebody removed it
    file_.close();
    anew_ = true;
  }
  if (!file_.database()) {
    if (auto opened = open(); !opened) return tl::make_unexpected(opened.error());
  }
  auto written = write(changes);
  if (!written && written.error().damaged) {
    if (auto begun = begin_anew(written.error().error.message); !begun) return tl::make_unexpected(begun.error());
    written = write(changes);
  }
  if (!written) return tl::make_unexpected(written.error().error);
  return std::exchange(anew_, false) ? Saved::anew : Saved::these;
}

Outcome<void> SqliteAccountStore::write(const Account& changes) {
  auto transaction = sqlite::Transaction::begin(*file_.database());
  if (!transaction) return tl::make_unexpected(transaction.error());
  auto written = sqlite::write_account(*file_.database(), changes);
  return written ? transaction->commit() : written;
}

Result<void> SqliteAccountStore::forget(WallTime before) {
  if (!file_.database()) return fail(Errc::unavailable, "it is not open");
  auto transaction = sqlite::Transaction::begin(*file_.database());
  if (!transaction) return tl::make_unexpected(transaction.error().error);
  auto done = sqlite::forget_account(*file_.database(), before);
  if (done) done = transaction->commit();
  if (!done) return tl::make_unexpected(done.error().error);
  return {};
}

Result<Account> SqliteAccountStore::read(const Wanted& wanted) const {
  std::error_code error;
  const bool there = std::filesystem::exists(place(), error);
  if (error) return fail(Errc::not_permitted, fmt::format("{}: {}", place(), error.message()));
  if (!there) return fail(Errc::not_found, fmt::format("{}: there is no account", place()));
  sqlite::OwnFile file(place(), kMigrations, Database::Access::read);
  const auto opened = file.open();
  auto account =
      opened ? sqlite::read_account(*file.database(), wanted) : Outcome<Account>(tl::make_unexpected(opened.error()));
  if (account) return std::move(*account);
  const auto& [reason, damaged] = account.error();
  return fail(damaged ? Errc::unavailable : reason.code, fmt::format("{}: {}", place(), reason.message));
}

Result<void> SqliteAccountStore::begin_anew(const std::string& why) {
  const auto aside = file_.replace(why);
  if (!aside) return tl::make_unexpected(aside.error());
  anew_ = true;
  std::scoped_lock lock(mutex_);
  notice_ = fmt::format("the account in {} was damaged ({}); the file was moved to {}, and a new one was begun",
                        place(), why, *aside);
  return {};
}

}  // namespace gpukeeper
