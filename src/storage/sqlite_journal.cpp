#include "storage/sqlite_journal.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "storage/lease_row.hpp"
#include "storage/sqlite_script.hpp"

namespace gpukeeper {
namespace {

using sqlite::Database;
using sqlite::each_row;
using sqlite::Failure;
using sqlite::Outcome;
using sqlite::Statement;

constexpr std::int64_t kVersion = 1;

auto failed(Errc code, std::string message) {
  return tl::make_unexpected(Failure{{code, std::move(message)}, false});
}

// Whether an opened file is one that can be used: its version, or 0 for an empty one.
Outcome<std::int64_t> version_of(Database& database) {
  const auto version = database.integer("PRAGMA user_version");
  if (version && *version > kVersion) {
    return failed(Errc::not_supported,
                  fmt::format("it was written by a newer gpukeeper (version {} of the leases, this one knows {}); use "
                              "that one, or move the file away",
                              *version, kVersion));
  }
  return version;
}

Outcome<void> check_whole(Database& database) {
  auto check = database.prepare("PRAGMA quick_check(1)");
  if (!check) return tl::make_unexpected(check.error());
  const auto row = check->step();
  if (!row) return tl::make_unexpected(row.error());
  const std::string found = check->text();
  if (found == "ok") return {};
  return tl::make_unexpected(Failure{{Errc::internal, found}, true});
}

Outcome<void> make_tables(Database& database) {
  auto transaction = sqlite::Transaction::begin(database);
  if (!transaction) return tl::make_unexpected(transaction.error());
  const std::string tables = fmt::format(
      "CREATE TABLE lease ({0}, PRIMARY KEY (id)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE ended (position INTEGER PRIMARY KEY AUTOINCREMENT, {0}) STRICT;"
      "CREATE TABLE number (last_id INTEGER NOT NULL, last_token INTEGER NOT NULL, "
      "flushed_limit INTEGER NOT NULL, boot_id TEXT NOT NULL) STRICT;"
      "INSERT INTO number VALUES (0, 0, 0, '');"
      "PRAGMA user_version = {1};",
      kLeaseColumns, kVersion);
  auto made = database.execute(tables.c_str());
  return made ? transaction->commit() : made;
}

Outcome<LedgerMemory> read_leases(Database& database) {
  LedgerMemory memory;
  Outcome<void> outcome;
  Outcome<void> rows;
  each_row(database, "SELECT * FROM lease WHERE id > ? ORDER BY id", 0, outcome, [&](Statement& row) {
    auto kept = read_lease(row);
    if (kept) memory.leases.push_back(std::move(*kept));
    if (!kept && rows) rows = tl::make_unexpected(kept.error());
  });
  each_row(database, "SELECT last_id, last_token, flushed_limit, boot_id FROM number WHERE last_id >= ?", 0, outcome,
           [&](Statement& row) {
             memory.numbers.last_id = row.number();
             memory.numbers.last_token = row.number();
             memory.numbers.flushed_limit = row.number();
             memory.boot_id = row.text();
           });
  if (!outcome) return tl::make_unexpected(outcome.error());
  if (!rows) return tl::make_unexpected(rows.error());
  return memory;
}

// An ended lease whose row is broken promises nothing any more: it is left out.
Outcome<void> read_history(Database& database, std::size_t most, LedgerMemory& memory) {
  Outcome<void> outcome;
  each_row(database,
           "SELECT * FROM ended WHERE position > (SELECT coalesce(max(position), 0) FROM ended) - ? ORDER BY position",
           static_cast<std::int64_t>(most), outcome, [&](Statement& row) {
             row.integer();  // its position
             if (auto kept = read_lease(row)) memory.history.push_back(std::move(kept->lease));
           });
  return outcome;
}

Outcome<std::int64_t> data_version(Statement& statement) {
  const auto row = statement.step();
  if (!row) return tl::make_unexpected(row.error());
  const std::int64_t version = *row ? statement.integer() : 0;
  auto done = statement.run();
  if (!done) return tl::make_unexpected(done.error());
  return version;
}

// Which file that is; another one may have taken its place.
std::optional<std::pair<dev_t, ino_t>> file_at(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return std::pair(facts.st_dev, facts.st_ino);
}

// A renamed file is there after a power cut only when its folder was flushed.
Outcome<void> flush(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return failed(Errc::internal, path + ": " + std::generic_category().message(errno));
  const bool flushed = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  if (!flushed) return failed(Errc::internal, path + ": " + std::generic_category().message(error));
  return {};
}

}  // namespace

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(const std::string& folder, std::string boot_id) {
  auto journal = std::unique_ptr<SqliteJournal>(new SqliteJournal(folder + "/" + kFileName, std::move(boot_id)));
  std::error_code ignored;
  if (!std::filesystem::exists(journal->path_, ignored) && std::filesystem::exists(journal->copy(), ignored)) {
    journal->set_damaged("it is missing");
    return journal;
  }
  const auto connected = journal->connect();
  if (connected) return journal;
  const auto& [reason, damaged] = connected.error();
  if (!damaged) return fail(reason.code, fmt::format("{}: {}", journal->path_, reason.message));
  journal->set_damaged(reason.message);
  return journal;
}

void SqliteJournal::set_damaged(const std::string& why) {
  checkpointer_.reset();
  statements_.reset();
  database_.reset();
  damage_ = Error{Errc::internal,
                  fmt::format("the leases in {0} are damaged ({1}), so nothing is granted; stop gpukeeper, move {0} "
                              "away, and rename {0}.good, the last good copy, to {0} to go on with what it holds",
                              path_, why)};
}

Outcome<void> SqliteJournal::connect() {
  auto opened = Database::open(path_, Database::Access::own);
  if (!opened) return tl::make_unexpected(opened.error());
  const auto version = version_of(*opened);
  if (!version) return tl::make_unexpected(version.error());
  auto done = opened->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (done) done = check_whole(*opened);
  if (done && *version == 0) done = make_tables(*opened);
  if (!done) return done;
  database_ = std::make_unique<Database>(std::move(*opened));
  synchronous_ = Durability::flushed;
  // Every lease is looked at before the copy of yesterday is replaced by one of today.
  auto leases = read_leases(*database_);
  if (!leases) return tl::make_unexpected(leases.error());
  opened_ = std::move(*leases);
  done = prepare_statements();
  // Without a copy everything goes on: it is for the day when the file itself is lost.
  if (done) static_cast<void>(keep_copy());
  if (done) checkpointer_ = std::make_unique<sqlite::Checkpointer>(*database_, path_, sqlite::Checkpointer::Limits{});
  return done;
}

Outcome<void> SqliteJournal::keep_copy() {
  const std::string fresh = copy() + ".new";
  std::error_code ignored;
  std::filesystem::remove(fresh, ignored);
  auto into = database_->prepare("VACUUM INTO ?");
  if (!into) return tl::make_unexpected(into.error());
  if (auto copied = into->bind(fresh).run(); !copied) return copied;
  if (auto flushed = flush(fresh, O_RDONLY); !flushed) return flushed;
  std::error_code error;
  std::filesystem::rename(fresh, copy(), error);
  if (error) return failed(Errc::internal, error.message());
  return flush(std::filesystem::path(path_).parent_path(), O_RDONLY | O_DIRECTORY);
}

Outcome<void> SqliteJournal::prepare_statements() {
  const std::string put = fmt::format("INSERT OR REPLACE INTO lease VALUES ({})", kLeaseMarks);
  const std::string end = fmt::format("INSERT INTO ended VALUES (NULL, {})", kLeaseMarks);
  auto begin = database_->prepare("BEGIN IMMEDIATE");
  auto commit = database_->prepare("COMMIT");
  auto puts = database_->prepare(put);
  auto remove = database_->prepare("DELETE FROM lease WHERE id = ?");
  auto ends = database_->prepare(end);
  auto number = database_->prepare("UPDATE number SET last_id = ?, last_token = ?, flushed_limit = ?, boot_id = ?");
  auto forget = database_->prepare("DELETE FROM ended WHERE position <= (SELECT max(position) FROM ended) - ?");
  auto version = database_->prepare("PRAGMA data_version");  // changes with every commit of another connection
  for (const auto* each : {&begin, &commit, &puts, &remove, &ends, &number, &forget, &version}) {
    if (!*each) return tl::make_unexpected(each->error());
  }
  statements_ = std::make_unique<Statements>(Statements{std::move(*begin), std::move(*commit), std::move(*puts),
                                                        std::move(*remove), std::move(*ends), std::move(*number),
                                                        std::move(*forget), std::move(*version)});
  file_ = file_at(path_).value_or(file_);
  const auto first = data_version(statements_->version);
  if (!first) return tl::make_unexpected(first.error());
  version_ = *first;
  return {};
}

bool SqliteJournal::written_by_others() {
  if (!statements_) return false;  // a damaged one says so by itself
  const auto now = data_version(statements_->version);
  return !now || *now != version_ || file_at(path_) != file_;
}

Result<LedgerMemory> SqliteJournal::load(std::size_t history) {
  if (!database_) {
    auto good = Database::open(copy(), Database::Access::read);
    if (!good) return LedgerMemory{};  // damage() says that nothing is known
    auto memory = read_leases(*good);
    if (memory) static_cast<void>(read_history(*good, history, *memory));
    return memory ? std::move(*memory) : LedgerMemory{};
  }
  auto memory = opened_ ? Outcome<LedgerMemory>(*std::exchange(opened_, std::nullopt)) : read_leases(*database_);
  if (memory) {
    if (auto past = read_history(*database_, history, *memory); !past) return tl::make_unexpected(past.error().error);
    return std::move(*memory);
  }
  if (memory.error().damaged) set_damaged(memory.error().error.message);
  return tl::make_unexpected(memory.error().error);
}

Result<void> SqliteJournal::write(const LedgerChanges& changes) {
  if (damage_) return tl::make_unexpected(*damage_);
  opened_.reset();
  const auto saved = save(changes);
  if (saved) return {};
  Error error = saved.error().error;
  if (saved.error().damaged) {
    set_damaged(error.message);
    return tl::make_unexpected(*damage_);
  }
  error.message = fmt::format("the leases cannot be kept in {}: {}", path_, error.message);
  return tl::make_unexpected(std::move(error));
}

Outcome<void> SqliteJournal::save(const LedgerChanges& changes) {
  // With a write-ahead log NORMAL writes at each commit and FULL flushes too, with all that was written before.
  const auto wanted = changes.durability == Durability::flushed ? Durability::flushed : Durability::written;
  if (synchronous_ != wanted) {
    synchronous_.reset();
    auto set =
        database_->execute(wanted == Durability::flushed ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (!set) return set;
    synchronous_ = wanted;
  }
  if (auto begun = statements_->begin.run(); !begun) return begun;
  auto done = run_all(changes);
  if (done) done = statements_->commit.run();
  if (!done) static_cast<void>(database_->execute("ROLLBACK"));  // SQLite may have taken it back already
  return done;
}

Outcome<void> SqliteJournal::run_all(const LedgerChanges& changes) {
  Outcome<void> done;
  for (const Lease& lease : changes.leases) {
    if (!done) return done;
    bind_lease(statements_->put, lease, boot_id_);
    done = statements_->put.run();
  }
  for (const Lease& lease : changes.ended) {
    if (done) done = statements_->remove.bind(number(lease.id)).run();
    if (!done) return done;
    bind_lease(statements_->end, lease, boot_id_);
    done = statements_->end.run();
  }
  if (!done) return done;
  const LedgerNumbers& n = changes.numbers;
  done = statements_->number.bind(n.last_id).bind(n.last_token).bind(n.flushed_limit).bind(boot_id_).run();
  if (done && !changes.ended.empty()) done = statements_->forget.bind(std::uint64_t{kHistory}).run();
  return done;
}

}  // namespace gpukeeper
