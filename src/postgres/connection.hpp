#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper::postgres {

/// What a query answers.
struct Rows {
  std::vector<std::vector<std::optional<std::string>>> rows;  ///< values as text; nothing is NULL

  std::size_t size() const { return rows.size(); }
  /// The first value of the first row; empty where there is none.
  std::string first() const { return rows.empty() || rows[0].empty() ? "" : rows[0][0].value_or(""); }
};

/// A conversation with a PostgreSQL server. After an error that is not invalid_argument it is of no use any more.
///
/// Errors of both: unavailable and deadline_exceeded where the server has gone or does not answer in time, and whoever
/// asked does not know what became of it; invalid_argument for data that the server will never take (SQLSTATE 22… and
/// 23…); not_permitted (28…, 42501); internal for others that it tells. No message holds a password.
///
/// Threads: one.
class Connection {
 public:
  virtual ~Connection() = default;

  /// One statement. Parameters are $1, $2 …; nothing is NULL.
  virtual Result<Rows> query(const std::string& sql,
                             const std::vector<std::optional<std::string>>& parameters = {}) = 0;

  /// COPY … FROM STDIN, in the text format.
  virtual Result<void> copy(const std::string& sql, std::string_view lines) = 0;
};

/// Begins conversations. An interface, so that a test can be the server.
class Connector {
 public:
  virtual ~Connector() = default;

  /// `stop` holds for the conversation, too: what is asked ends soon after.
  /// Errors: not_supported where there is no libpq; invalid_argument for an address that it does not understand;
  /// not_found and the like for a file of a secret; unavailable, deadline_exceeded.
  virtual Result<std::unique_ptr<Connection>> connect(const std::stop_token& stop) = 0;
};

}  // namespace gpukeeper::postgres
