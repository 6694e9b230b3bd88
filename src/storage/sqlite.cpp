#include "storage/sqlite.hpp"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace gpukeeper::sqlite {
namespace {

// How long to wait for another connection's lock: a reader's, when the last connection but it closes.
constexpr int kPatienceMs = 5000;

Errc errc(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL: return Errc::resource_exhausted;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: return Errc::not_permitted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN: return Errc::unavailable;
    default: return Errc::internal;
  }
}

Failure failure(sqlite3* database, std::string_view what) {
  const int code = database ? sqlite3_extended_errcode(database) : SQLITE_NOMEM;
  const int primary = code & 0xff;
  return {{errc(code), fmt::format("{}: {}", what, database ? sqlite3_errmsg(database) : "out of memory")},
          primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB};
}

auto failed(sqlite3* database, std::string_view what) {
  return tl::make_unexpected(failure(database, what));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(std::int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  bind_error_ |=
      sqlite3_bind_text64(statement_.get(), ++bound_, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(std::span<const std::uint8_t> bytes) {
  const void* const data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());  // no place would be NULL
  bind_error_ |= sqlite3_bind_blob64(statement_.get(), ++bound_, data, bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind(double value) {
  bind_error_ |= sqlite3_bind_double(statement_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::bind_null() {
  bind_error_ |= sqlite3_bind_null(statement_.get(), ++bound_);
  return *this;
}

Outcome<void> Statement::run() {
  for (;;) {
    const auto row = step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) return {};
  }
}

Outcome<bool> Statement::step() {
  column_ = 0;
  const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* database = sqlite3_db_handle(statement_.get());
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = failure(database, "sqlite");
  reset();
  return tl::make_unexpected(std::move(error));
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // its code is that of the step before
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
  bind_error_ = SQLITE_OK;
}

bool Statement::is_null() const {
  return sqlite3_column_type(statement_.get(), column_) == SQLITE_NULL;
}

std::int64_t Statement::integer() {
  return sqlite3_column_int64(statement_.get(), column_++);
}

double Statement::real() {
  return sqlite3_column_double(statement_.get(), column_++);
}

std::string Statement::text() {
  return text_or_null().value_or("");
}

std::optional<std::string> Statement::text_or_null() {
  const int column = column_++;
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string();
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Outcome<Database> Database::open(const std::string& path, Access access) {
  const int flags = access == Access::own ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(raw);  // to be closed after an error too
  if (code != SQLITE_OK) return failed(raw, "open");
  sqlite3_busy_timeout(raw, kPatienceMs);
  return database;
}

Outcome<void> Database::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failed(database_.get(), "sqlite");
  return {};
}

Outcome<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK) {
    return failed(database_.get(), "sqlite");
  }
  return Statement(statement);
}

Outcome<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return tl::make_unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return tl::make_unexpected(row.error());
  return *row ? statement->integer() : 0;
}

void Database::on_commit(std::function<void(int pages)> told) {
  constexpr int kPagesOfSqlite = 1000;
  if (!told) {
    sqlite3_wal_autocheckpoint(database_.get(), kPagesOfSqlite);  // in the place of the hook
    told_ = nullptr;
    return;
  }
  told_ = std::make_unique<std::function<void(int)>>(std::move(told));
  const auto call = [](void* who, sqlite3*, const char*, int pages) {
    (*static_cast<std::function<void(int)>*>(who))(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), call, told_.get());
}

void Database::bound_values(int bytes) {
  sqlite3_limit(database_.get(), SQLITE_LIMIT_LENGTH, bytes);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(database_.get());
}

std::int64_t Database::last_row() const {
  return sqlite3_last_insert_rowid(database_.get());
}

Outcome<void> Database::copy_to(const std::string& path) {
  auto copy = open(path, Access::own);
  if (!copy) return tl::make_unexpected(copy.error());
  sqlite3_backup* const running = sqlite3_backup_init(copy->database_.get(), "main", database_.get(), "main");
  if (!running) return failed(copy->database_.get(), "sqlite");
  const int code = sqlite3_backup_step(running, -1);  // all of it: it blocks nobody who writes to a log
  const int ended = sqlite3_backup_finish(running);
  if (code == SQLITE_DONE && ended == SQLITE_OK) return {};
  return failed(copy->database_.get(), "sqlite");
}

Outcome<void> Database::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(database_.get(), "sqlite");
  return {};
}

Outcome<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return tl::make_unexpected(begun.error());
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_) static_cast<void>(database_->execute("ROLLBACK"));  // a failed one may be taken back already
}

Outcome<void> Transaction::commit() {
  auto committed = database_->execute("COMMIT");
  if (committed) database_ = nullptr;
  return committed;
}

}  // namespace gpukeeper::sqlite
