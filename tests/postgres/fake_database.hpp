#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "postgres/connection.hpp"

namespace gpukeeper::postgres {

/// A server that knows the writer's statements, keeps what is committed, and can be made to fail at any of them.
class FakeDatabase final : public Connector {
 public:
  std::vector<std::string> rows;            ///< lines of COPY, committed
  std::map<std::string, std::string> last;  ///< of the table writer, committed
  std::vector<std::string> months = {"t"};  ///< is_there of one month that has room for everything
  std::string version = "2";
  std::optional<Error> refuses_to_connect;
  std::function<std::optional<Error>(const std::string&)> refuses;  ///< of a statement, or of a line of COPY
  int calls_left = -1;                                              ///< then the connection breaks; -1: never
  bool applies_first = false;  ///< the statement at which it breaks is done, and its answer lost
  int connected = 0;
  std::vector<std::string> statements;

  Result<std::unique_ptr<Connection>> connect(const std::stop_token&) override {
    if (refuses_to_connect) return tl::make_unexpected(*refuses_to_connect);
    if (breaks()) return fail(Errc::unavailable, "refused");
    ++connected;
    return std::unique_ptr<Connection>(std::make_unique<Conversation>(*this));
  }

 private:
  class Conversation final : public Connection {
   public:
    explicit Conversation(FakeDatabase& database) : database_(database) {}

    Result<Rows> query(const std::string& sql, const std::vector<std::optional<std::string>>& with) override {
      const bool last_call = database_.breaks();
      if (last_call && !database_.applies_first) return fail(Errc::unavailable, "gone");
      if (database_.refuses) {
        if (const auto error = database_.refuses(sql)) return tl::make_unexpected(*error);
      }
      database_.statements.push_back(sql);
      Rows answer{answer_to(sql, with)};
      if (last_call) return fail(Errc::unavailable, "gone after it was done");
      return answer;
    }

    Result<void> copy(const std::string& sql, std::string_view text) override {
      if (database_.breaks()) return fail(Errc::unavailable, "gone");
      database_.statements.push_back(sql);
      for (const std::string_view line : lines(text)) {
        if (database_.refuses) {
          if (const auto error = database_.refuses(std::string(line))) return tl::make_unexpected(*error);
        }
        copied_.emplace_back(line);
      }
      return {};
    }

   private:
    using Table = std::vector<std::vector<std::optional<std::string>>>;

    Table answer_to(const std::string& sql, const std::vector<std::optional<std::string>>& with) {
      const auto says = [&](std::string_view begin) { return sql.starts_with(begin); };
      if (says("SELECT to_regclass")) return {{"there"}};
      if (says("SELECT coalesce(max(version)")) return {{database_.version}};
      if (says("SELECT attname")) return {{"power_watts"}};
      if (says("WITH span")) return {{"2026_05", "1700000000", "1900000000", database_.months[0]}};
      if (says("INSERT INTO gpukeeper.host")) return {{"7"}};
      if (says("INSERT INTO gpukeeper.writer")) database_.last.emplace(*with[0], "0");
      if (says("SELECT pg_try_advisory")) return {{"f"}};
      if (says("SELECT last_number"))
        return database_.last.contains(*with[0]) ? Table{{database_.last[*with[0]]}} : Table{};
      if (says("UPDATE gpukeeper.device")) return {{"3"}};
      if (says("UPDATE gpukeeper.writer")) noted_ = {*with[0], *with[1]};
      if (says("COMMIT")) commit();
      return {};
    }

    void commit() {
      for (std::string& line : copied_) database_.rows.push_back(std::move(line));
      copied_.clear();
      if (noted_) database_.last[noted_->first] = noted_->second;
      noted_.reset();
    }

    FakeDatabase& database_;
    std::vector<std::string> copied_;
    std::optional<std::pair<std::string, std::string>> noted_;
  };

  bool breaks() {
    if (calls_left < 0) return false;
    if (calls_left > 0) {
      --calls_left;
      return false;
    }
    calls_left = -1;  // once
    return true;
  }
};

}  // namespace gpukeeper::postgres
