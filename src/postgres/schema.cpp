#include "postgres/schema.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "core/text.hpp"

namespace gpukeeper::postgres {
namespace {

using Parameters = std::vector<std::optional<std::string>>;

// Of pg_advisory_xact_lock, which all programs of a database share: "gpukeepr" as a number.
constexpr std::string_view kLock = "7453586487421268082";

// How long a lock is waited for on the server, where somebody of an earlier attempt may still hold it.
constexpr std::string_view kLockPatience = "SET LOCAL lock_timeout = '5s'";

// To drop a month: while that waits for somebody who reads, all who write wait behind it.
constexpr std::string_view kDropPatience = "SET LOCAL lock_timeout = '1s'";

constexpr std::string_view kFirst[] = {
    "CREATE TABLE gpukeeper.host ("
    "id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, keep interval, "
    "first_seen timestamptz NOT NULL DEFAULT now(), last_seen timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE gpukeeper.device ("
    "id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, host_id integer NOT NULL REFERENCES gpukeeper.host, "
    "uuid text NOT NULL, index integer NOT NULL, name text NOT NULL, vendor text NOT NULL, parent_uuid text, "
    "partition text, source text NOT NULL, simulated boolean NOT NULL, recorded boolean NOT NULL, "
    "first_seen timestamptz NOT NULL DEFAULT now(), UNIQUE (host_id, uuid))",
    "CREATE TABLE gpukeeper.writer ("
    "stream text PRIMARY KEY, host_id integer NOT NULL REFERENCES gpukeeper.host, last_number bigint NOT NULL, "
    "dropped bigint NOT NULL, started_at timestamptz NOT NULL DEFAULT now(), "
    "written_at timestamptz NOT NULL DEFAULT now())",
};
constexpr std::string_view kReading =
    "CREATE TABLE gpukeeper.reading (taken_at timestamptz NOT NULL, device_id integer NOT NULL, state text NOT NULL)";
constexpr std::string_view kReadingIndex =
    "CREATE INDEX reading_device_time ON gpukeeper.reading (device_id, taken_at)";

// Which of its device's partitions one is; where an older gpukeeper wrote it, nobody knows.
constexpr std::string_view kSecond[] = {"ALTER TABLE gpukeeper.device ADD COLUMN partition_index integer"};

// The statements of each version that follows the first; a new one is a new entry.
constexpr std::array<std::span<const std::string_view>, 1> kLater = {kSecond};
constexpr int kVersion = 1 + static_cast<int>(kLater.size());

std::string interval(std::optional<std::chrono::nanoseconds> time) {
  return fmt::format("{} seconds", std::chrono::ceil<std::chrono::seconds>(*time).count());
}

// Makes tables; every member answers what the server said.
class Maker {
 public:
  Maker(Connection& connection, const Wishes& wishes) : connection_(connection), wishes_(wishes) {}

  Result<Prepared> run() {
    const auto ready = look();
    if (!ready) return tl::make_unexpected(ready.error());
    if (!*ready) {
      if (auto made = make(); !made) return tl::make_unexpected(made.error());
    }
    if (auto named = name_host(); !named) return tl::make_unexpected(named.error());
    return prepared_;
  }

 private:
  struct Month {
    std::string name, from, to;
    bool is_there = false;
  };

  Result<void> say(std::string_view sql, const Parameters& parameters = {}) {
    const auto answer = connection_.query(std::string(sql), parameters);
    if (!answer) return tl::make_unexpected(answer.error());
    return {};
  }

  // Whether nothing is missing.
  Result<bool> look() {
    const auto version = version_there();
    if (!version) return tl::make_unexpected(version.error());
    if (*version > kVersion) {
      return fail(Errc::not_supported,
                  fmt::format("the database's tables are of version {}, which a newer gpukeeper has made; this one "
                              "knows {}: update it",
                              *version, kVersion));
    }
    if (*version < kVersion) return false;
    if (auto well = look_for_columns(); !well) return tl::make_unexpected(well.error());
    if (auto well = look_for_months(); !well) return tl::make_unexpected(well.error());
    return missing_columns_.empty() && std::ranges::all_of(months_, &Month::is_there);
  }

  Result<int> version_there() {
    const auto table = connection_.query("SELECT to_regclass('gpukeeper.schema_version')");
    if (!table) return tl::make_unexpected(table.error());
    if (table->first().empty()) return 0;
    const auto version = connection_.query("SELECT coalesce(max(version), 0) FROM gpukeeper.schema_version");
    if (!version) return tl::make_unexpected(version.error());
    return static_cast<int>(parse_i64(version->first()).value_or(0));
  }

  // Under the lock it is looked again: somebody else may have been faster.
  Result<void> make() {
    if (auto well = say("BEGIN"); !well) return well;
    if (auto well = say(kLockPatience); !well) return well;
    if (auto well = say(fmt::format("SELECT pg_advisory_xact_lock({})", kLock)); !well) return well;
    if (auto well = migrate(); !well) return well;
    if (auto well = look_for_columns(); !well) return well;
    if (auto well = add_columns(); !well) return well;
    if (auto well = look_for_months(); !well) return well;
    if (auto well = add_months(); !well) return well;
    return say("COMMIT");
  }

  Result<void> migrate() {
    const auto version = version_there();
    if (!version) return tl::make_unexpected(version.error());
    if (*version == 0) {
      if (auto well = make_first(); !well) return well;
    }
    for (int next = std::max(*version, 1) + 1; next <= kVersion; ++next) {
      for (const std::string_view sql : kLater[static_cast<std::size_t>(next - 2)]) {
        if (auto well = say(sql); !well) return well;
      }
      if (auto well = note_version(next); !well) return well;
    }
    return {};
  }

  Result<void> make_first() {
    const auto there = connection_.query("SELECT to_regnamespace('gpukeeper')");
    if (!there) return tl::make_unexpected(there.error());
    if (there->first().empty()) {  // an administrator may have made it for us, who are not allowed to
      if (auto well = say("CREATE SCHEMA gpukeeper"); !well) return well;
    }
    if (auto well = say("CREATE TABLE gpukeeper.schema_version ("
                        "version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())");
        !well) {
      return well;
    }
    for (const std::string_view sql : kFirst) {
      if (auto well = say(sql); !well) return well;
    }
    if (auto well = make_reading(); !well) return well;
    return note_version(1);
  }

  Result<void> make_reading() {
    const auto timescale = connection_.query("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'");
    if (!timescale) return tl::make_unexpected(timescale.error());
    if (timescale->size() == 0) {
      if (auto well = say(fmt::format("{} PARTITION BY RANGE (taken_at)", kReading)); !well) return well;
    } else {
      if (auto well = say(kReading); !well) return well;
      if (auto well = say("SELECT create_hypertable('gpukeeper.reading', 'taken_at', "
                          "chunk_time_interval => interval '7 days', create_default_indexes => false)");
          !well) {
        return well;
      }
    }
    return say(kReadingIndex);
  }

  Result<void> note_version(int version) {
    return say("INSERT INTO gpukeeper.schema_version (version) VALUES ($1::integer)", {std::to_string(version)});
  }

  Result<void> look_for_columns() {
    const auto there = connection_.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'gpukeeper.reading'::regclass AND attnum > 0 AND NOT "
        "attisdropped");
    if (!there) return tl::make_unexpected(there.error());
    missing_columns_.clear();
    for (const std::string& metric : wishes_.metrics) {
      const bool found = std::ranges::any_of(there->rows, [&](const auto& row) { return row[0] == metric; });
      if (!found) missing_columns_.push_back(metric);
    }
    return {};
  }

  // The view takes them over: its own columns come first and stay.
  Result<void> add_columns() {
    for (const std::string& metric : missing_columns_) {
      auto well =
          say(fmt::format("ALTER TABLE gpukeeper.reading ADD COLUMN {} double precision", column_list({metric})));
      if (!well) return well;
    }
    return say(
        "CREATE OR REPLACE VIEW gpukeeper.readings AS SELECT h.name AS host, d.uuid, d.index, d.name AS device, "
        "d.simulated, r.* FROM gpukeeper.reading r JOIN gpukeeper.device d ON d.id = r.device_id "
        "JOIN gpukeeper.host h ON h.id = d.host_id");
  }

  // From the month of the oldest tick to the one after the next.
  Result<void> look_for_months() {
    const auto there = connection_.query(
        "WITH span AS (SELECT "
        "date_trunc('month', greatest(least($1::timestamptz, now()), now() - coalesce($2::interval, interval '400 "
        "days')) AT TIME ZONE 'UTC') AS first, "
        "date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months' AS last) "
        "SELECT to_char(m, 'YYYY_MM'), extract(epoch FROM m)::bigint, "
        "extract(epoch FROM m + interval '1 month')::bigint, "
        "to_regclass('gpukeeper.reading_' || to_char(m, 'YYYY_MM')) IS NOT NULL "
        "OR (SELECT relkind FROM pg_class WHERE oid = 'gpukeeper.reading'::regclass) <> 'p' "
        "FROM span, generate_series(first, last, interval '1 month') AS m ORDER BY m",
        {rfc3339(wishes_.oldest), wishes_.keep ? std::optional(interval(wishes_.keep)) : std::nullopt});
    if (!there) return tl::make_unexpected(there.error());
    months_.clear();
    for (const auto& row : there->rows) {
      months_.push_back({row[0].value_or(""), row[1].value_or("0"), row[2].value_or("0"), row[3] == "t"});
    }
    if (months_.empty()) return fail(Errc::internal, "the database knows no month: its clock is wrong");
    prepared_.from = WallTime(std::chrono::seconds(parse_i64(months_.front().from).value_or(0)));
    prepared_.to = WallTime(std::chrono::seconds(parse_i64(months_.back().to).value_or(0)));
    return {};
  }

  Result<void> add_months() {
    for (const Month& month : months_) {
      if (month.is_there) continue;
      const auto at = [](const std::string& seconds) {
        return rfc3339(WallTime(std::chrono::seconds(parse_i64(seconds).value_or(0))));
      };
      auto well =
          say(fmt::format("CREATE TABLE gpukeeper.reading_{} PARTITION OF gpukeeper.reading FOR VALUES FROM "
                          "('{}') TO ('{}')",
                          month.name, at(month.from), at(month.to)));
      if (!well) return well;
    }
    return {};
  }

  Result<void> name_host() {
    const auto host = connection_.query(
        "INSERT INTO gpukeeper.host (name, keep) VALUES ($1, $2::interval) ON CONFLICT (name) DO UPDATE SET "
        "keep = excluded.keep, last_seen = now() RETURNING id",
        {wishes_.host, wishes_.keep ? std::optional(interval(wishes_.keep)) : std::nullopt});
    if (!host) return tl::make_unexpected(host.error());
    prepared_.host_id = host->first();
    return say(
        "INSERT INTO gpukeeper.writer (stream, host_id, last_number, dropped) VALUES ($1, $2::integer, 0, 0) "
        "ON CONFLICT (stream) DO NOTHING",
        {wishes_.stream, prepared_.host_id});
  }

  Connection& connection_;
  const Wishes& wishes_;
  Prepared prepared_;
  std::vector<std::string> missing_columns_;
  std::vector<Month> months_;
};

// The statements that drop what is too old.
Result<std::vector<std::string>> old_months(Connection& connection) {
  const auto kept = connection.query(
      "SELECT max(keep)::text FROM gpukeeper.host WHERE last_seen > now() - interval '30 days' HAVING bool_and(keep IS "
      "NOT NULL)");
  if (!kept) return tl::make_unexpected(kept.error());
  if (kept->first().empty()) return std::vector<std::string>();  // somebody keeps everything
  const auto kind = connection.query("SELECT relkind FROM pg_class WHERE oid = 'gpukeeper.reading'::regclass");
  if (!kind) return tl::make_unexpected(kind.error());
  if (kind->first() != "p") {
    return std::vector<std::string>{
        fmt::format("SELECT drop_chunks('gpukeeper.reading', older_than => now() - interval '{}')", kept->first())};
  }
  const auto found = connection.query(
      "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
      "'gpukeeper.reading'::regclass AND c.relname ~ '^reading_[0-9]{4}_[0-9]{2}$' AND "
      "to_date(substr(c.relname, 9), 'YYYY_MM') + interval '1 month' < (now() AT TIME ZONE 'UTC') - $1::interval",
      {kept->first()});
  if (!found) return tl::make_unexpected(found.error());
  std::vector<std::string> statements;
  for (const auto& row : found->rows) statements.push_back("DROP TABLE gpukeeper." + row[0].value_or(""));
  return statements;
}

}  // namespace

std::string column_list(const std::vector<std::string>& metrics) {
  std::string list;
  for (const std::string& metric : metrics) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", metric);
  return list;
}

Result<Prepared> prepare(Connection& connection, const Wishes& wishes) {
  return Maker(connection, wishes).run();
}

Result<std::size_t> drop_old_months(Connection& connection) {
  for (const std::string_view sql : {std::string_view("BEGIN"), kDropPatience}) {
    if (const auto well = connection.query(std::string(sql)); !well) return tl::make_unexpected(well.error());
  }
  const auto mine = connection.query(fmt::format("SELECT pg_try_advisory_xact_lock({})", kLock));
  if (!mine) return tl::make_unexpected(mine.error());
  std::size_t dropped = 0;
  if (mine->first() == "t") {
    const auto statements = old_months(connection);
    if (!statements) return tl::make_unexpected(statements.error());
    for (const std::string& sql : *statements) {
      if (const auto well = connection.query(sql); !well) return tl::make_unexpected(well.error());
      ++dropped;
    }
    const auto forgotten =
        connection.query("DELETE FROM gpukeeper.writer WHERE written_at < now() - interval '30 days'");
    if (!forgotten) return tl::make_unexpected(forgotten.error());
  }
  if (const auto well = connection.query("COMMIT"); !well) return tl::make_unexpected(well.error());
  return dropped;
}

}  // namespace gpukeeper::postgres
