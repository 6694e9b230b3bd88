#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace gpukeeper::sqlite {

/// An error of SQLite's: what the caller can do next, and whether the file itself is to blame.
struct Failure {
  Error error;
  bool damaged = false;  ///< what the file holds is no database, or a broken one
};

template <class T>
using Outcome = tl::expected<T, Failure>;

/// A statement that was prepared once and may be run again and again.
class Statement {
 public:
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view value);               ///< any bytes; kept until the statement is run
  Statement& bind(std::span<const std::uint8_t> bytes);  ///< for columns of bytes; kept until the statement is run
  Statement& bind(double value);
  Statement& bind_null();
  /// Integers of 64 bits without a sign are kept in those with one.
  Statement& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
  Statement& bind(bool value) { return bind(static_cast<std::int64_t>(value)); }

  /// Runs it to its end, and makes it ready for the next values.
  Outcome<void> run();

  /// The next row: true, or false after the last one, which makes it ready for the next values.
  Outcome<bool> step();

  // Of the row that step() has reached; the next column from left to right.
  bool is_null() const;  ///< the next one, which stays the next
  std::int64_t integer();
  double real();  ///< 0 where there is none
  std::uint64_t number() { return static_cast<std::uint64_t>(integer()); }
  std::string text();
  std::optional<std::string> text_or_null();

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void reset();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  int column_ = 0;
  int bind_error_ = 0;
};

/// An open database file.
/// Threads: one at a time.
class Database {
 public:
  enum class Access {
    own,   ///< read and write, made when it is not there
    read,  ///< read; another process may write meanwhile
  };

  static Outcome<Database> open(const std::string& path, Access access);

  /// One or several statements without values.
  Outcome<void> execute(const char* sql);

  Outcome<Statement> prepare(std::string_view sql);

  /// The first value of the first row; 0 when there is none.
  Outcome<std::int64_t> integer(std::string_view sql);

  /// Calls `told` after each commit, with the pages that the write-ahead log has then, in place of copying the log back
  /// now and then; null for SQLite's own way. It may not write.
  void on_commit(std::function<void(int pages)> told);

  /// From now on a value or a row of more bytes is an error, before any memory is taken for it.
  void bound_values(int bytes);

  /// Rows that the last statement changed.
  std::int64_t changes() const;
  /// The number of the row that was inserted last.
  std::int64_t last_row() const;

  /// Makes that file a copy of all that was committed, as of one moment, whoever writes meanwhile.
  Outcome<void> copy_to(const std::string& path);

  /// Copies the write-ahead log back as far as no other connection reads from it. Returns once that is flushed.
  Outcome<void> checkpoint();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}

  std::unique_ptr<std::function<void(int)>> told_;  // SQLite knows where it lies
  std::unique_ptr<sqlite3, Close> database_;
};

/// Begins a transaction at once; takes everything back when it goes without commit().
class Transaction {
 public:
  static Outcome<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Outcome<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // null when there is nothing to take back
};

}  // namespace gpukeeper::sqlite
