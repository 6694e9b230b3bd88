#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "core/clock.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper::sqlite {

// Dates stand in files as nanoseconds since 1970.
inline std::int64_t nanoseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

inline WallTime wall_time(std::int64_t nanoseconds) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(nanoseconds)));
}

/// The statements of one transaction: the first that fails decides, those after it do nothing.
class Script {
 public:
  explicit Script(Database& database) : database_(database) {}

  template <class... Values>
  void run(std::string_view sql, const Values&... values) {
    if (!outcome) return;
    auto statement = database_.prepare(sql);
    if (!statement) {
      outcome = tl::make_unexpected(statement.error());
      return;
    }
    (bind(*statement, values), ...);
    outcome = statement->run();
  }

  Outcome<void> outcome;

 private:
  template <class T>
  static void bind(Statement& statement, const T& value) {
    if constexpr (std::is_same_v<T, WallTime>) {
      statement.bind(nanoseconds(value));
    } else {
      statement.bind(value);
    }
  }
  template <class T>
  static void bind(Statement& statement, const std::optional<T>& value) {
    if (value) {
      bind(statement, *value);
    } else {
      statement.bind_null();
    }
  }

  Database& database_;
};

/// Hands every row of a query to `take`.
template <class Take>
void each_row(Database& database, std::string_view sql, std::int64_t value, Outcome<void>& outcome, const Take& take) {
  if (!outcome) return;
  auto statement = database.prepare(sql);
  if (!statement) {
    outcome = tl::make_unexpected(statement.error());
    return;
  }
  statement->bind(value);
  for (;;) {
    const auto row = statement->step();
    if (!row) outcome = tl::make_unexpected(row.error());
    if (!row || !*row) return;
    take(*statement);
  }
}

}  // namespace gpukeeper::sqlite
