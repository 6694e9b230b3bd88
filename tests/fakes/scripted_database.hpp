#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postgres/connection.hpp"

namespace gpukeeper::postgres {

/// A server that is only read: it answers a statement by a piece of it, with rows that a test has put there, and
/// remembers what it was asked.
class ScriptedDatabase final : public Connector {
 public:
  using Table = std::vector<std::vector<std::optional<std::string>>>;
  struct Asked {
    std::string sql;
    std::vector<std::optional<std::string>> parameters;
  };

  std::vector<std::pair<std::string, Table>> answers;               ///< the first whose piece stands in the statement
  std::function<std::optional<Error>(const std::string&)> refuses;  ///< of a statement
  std::function<void(const std::stop_token&)> hold;                 ///< runs before each answer of a table
  std::optional<Error> refuses_to_connect;
  std::vector<Asked> asked;  ///< but for BEGIN and what belongs to it
  std::atomic<int> connected = 0;

  Result<std::unique_ptr<Connection>> connect(const std::stop_token& stop) override {
    ++connected;
    if (refuses_to_connect) return tl::make_unexpected(*refuses_to_connect);
    return std::unique_ptr<Connection>(std::make_unique<Conversation>(*this, stop));
  }

  /// The columns of gpukeeper.reading.
  void has_metrics(const std::vector<std::string>& names) {
    Table columns = {{"taken_at"}, {"device_id"}, {"state"}};
    for (const std::string& name : names) columns.push_back({name});
    answers.emplace_back("FROM pg_attribute", std::move(columns));
  }

 private:
  class Conversation final : public Connection {
   public:
    Conversation(ScriptedDatabase& database, std::stop_token stop) : database_(database), stop_(std::move(stop)) {}

    Result<Rows> query(const std::string& sql, const std::vector<std::optional<std::string>>& with) override {
      if (sql.starts_with("BEGIN") || sql.starts_with("COMMIT") || sql.starts_with("SELECT set_config")) return Rows();
      database_.asked.push_back({sql, with});
      if (database_.hold) database_.hold(stop_);
      if (database_.refuses) {
        if (const auto error = database_.refuses(sql)) return tl::make_unexpected(*error);
      }
      for (const auto& [piece, table] : database_.answers) {
        if (sql.find(piece) != std::string::npos) return Rows{table};
      }
      return Rows();
    }

    Result<void> copy(const std::string&, std::string_view) override {
      return fail(Errc::internal, "nothing is written here");
    }

   private:
    ScriptedDatabase& database_;
    const std::stop_token stop_;
  };
};

}  // namespace gpukeeper::postgres
