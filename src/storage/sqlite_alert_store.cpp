#include "storage/sqlite_alert_store.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "storage/sqlite_script.hpp"

namespace gpukeeper {
namespace {

using sqlite::Database;
using sqlite::each_row;
using sqlite::Outcome;
using sqlite::Script;
using sqlite::Statement;
using sqlite::wall_time;

constexpr std::array kMigrations = {
    R"sql(
CREATE TABLE alert (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL, rule TEXT NOT NULL, device TEXT, device_index INTEGER, subject TEXT NOT NULL,
  level TEXT NOT NULL, severity INTEGER NOT NULL, phase TEXT NOT NULL,
  value TEXT, threshold TEXT, message TEXT NOT NULL, remedy TEXT NOT NULL, link TEXT NOT NULL,
  since_ns INTEGER NOT NULL, fired_ns INTEGER, resolved_ns INTEGER, unknown_ns INTEGER,
  acknowledged_by TEXT NOT NULL, acknowledged_until_ns INTEGER, comment TEXT NOT NULL,
  silenced INTEGER NOT NULL, silenced_until_ns INTEGER, told INTEGER NOT NULL
) STRICT;
CREATE TABLE silence (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL, rule TEXT NOT NULL, device TEXT NOT NULL, level TEXT,
  begun_ns INTEGER NOT NULL, until_ns INTEGER, by TEXT NOT NULL, comment TEXT NOT NULL
) STRICT;
CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql",
};

// The shortest text that is read as the same number again.
std::optional<std::string> text_of(const std::optional<double>& number) {
  if (!number) return std::nullopt;
  return fmt::format("{}", *number);
}

std::optional<double> number_of(const std::optional<std::string>& text) {
  return text ? parse_double(*text) : std::nullopt;
}

std::optional<std::uint64_t> wide(const std::optional<std::uint32_t>& number) {
  if (!number) return std::nullopt;
  return *number;
}

// A whole number that may be absent; its column is read as text, which SQLite makes of it.
std::optional<std::int64_t> whole(Statement& row) {
  const auto text = row.text_or_null();
  return text ? parse_i64(*text) : std::nullopt;
}

std::optional<WallTime> time_or_null(Statement& row) {
  const auto value = whole(row);
  if (!value) return std::nullopt;
  return wall_time(*value);
}

AlertPhase phase_of(std::string_view word) {
  return word == to_string(AlertPhase::resolved) ? AlertPhase::resolved : AlertPhase::firing;
}

void insert(Script& script, std::uint64_t position, const KeptAlert& kept) {
  const Alert& a = kept.alert;
  const auto device = a.device ? std::optional<std::string>(a.device->text) : std::nullopt;
  script.run("INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             position, a.id, a.rule, device, wide(a.device_index), a.subject, to_string(a.level),
             static_cast<std::int64_t>(a.severity), to_string(a.phase), text_of(a.value), text_of(a.threshold),
             a.message, a.remedy, a.link, a.since, a.fired_at, a.resolved_at, a.unknown_since, a.acknowledged_by,
             a.acknowledged_until, a.comment, a.silenced, a.silenced_until, kept.told);
}

KeptAlert alert_of(Statement& row) {
  KeptAlert kept;
  Alert& a = kept.alert;
  a.id = row.text();
  a.rule = row.text();
  if (auto device = row.text_or_null()) a.device = DeviceId{std::move(*device)};
  if (const auto index = whole(row)) a.device_index = static_cast<std::uint32_t>(*index);
  a.subject = row.text();
  a.level = parse_alert_level(row.text()).value_or(AlertLevel::warning);
  a.severity = static_cast<int>(row.integer());
  a.phase = phase_of(row.text());
  a.value = number_of(row.text_or_null());
  a.threshold = number_of(row.text_or_null());
  a.message = row.text();
  a.remedy = row.text();
  a.link = row.text();
  a.since = wall_time(row.integer());
  a.fired_at = time_or_null(row);
  a.resolved_at = time_or_null(row);
  a.unknown_since = time_or_null(row);
  a.acknowledged_by = row.text();
  a.acknowledged_until = time_or_null(row);
  a.comment = row.text();
  a.silenced = row.integer() != 0;
  a.silenced_until = time_or_null(row);
  kept.told = row.integer() != 0;
  if (a.phase == AlertPhase::resolved && !a.resolved_at) a.resolved_at = a.since;
  return kept;
}

void insert(Script& script, std::uint64_t position, const Silence& s) {
  const auto level = s.matcher.level ? std::optional<std::string>(to_string(*s.matcher.level)) : std::nullopt;
  script.run("INSERT INTO silence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", position, s.id, s.matcher.rule, s.matcher.device,
             level, s.begun, s.until, s.by, s.comment);
}

Silence silence_of(Statement& row) {
  Silence s;
  s.id = row.text();
  s.matcher.rule = row.text();
  s.matcher.device = row.text();
  if (const auto level = row.text_or_null()) s.matcher.level = parse_alert_level(*level);
  s.begun = wall_time(row.integer());
  s.until = time_or_null(row);
  s.by = row.text();
  s.comment = row.text();
  return s;
}

}  // namespace

SqliteAlertStore::SqliteAlertStore(std::string path, bool keeps_made_up)
    : file_(std::move(path), kMigrations), keeps_made_up_(keeps_made_up) {}

Result<std::shared_ptr<SqliteAlertStore>> SqliteAlertStore::open(const std::string& folder, bool keeps_made_up) {
  auto store = std::shared_ptr<SqliteAlertStore>(new SqliteAlertStore(folder + "/" + kFileName, keeps_made_up));
  const auto opened = store->file_.open();
  if (opened) return store;
  const auto& [reason, damaged] = opened.error();
  if (!damaged) return fail(reason.code, fmt::format("{}: {}", store->place(), reason.message));
  if (auto begun = store->begin_anew(reason.message); !begun) return tl::make_unexpected(begun.error());
  return store;
}

std::string SqliteAlertStore::notice() const {
  std::scoped_lock lock(mutex_);
  return notice_;
}

Result<AndonMemory> SqliteAlertStore::load() {
  if (!file_.database()) return fail(Errc::unavailable, "it is not open");
  auto memory = read();
  if (memory) return std::move(*memory);
  if (!memory.error().damaged) return tl::make_unexpected(memory.error().error);
  if (auto begun = begin_anew(memory.error().error.message); !begun) return tl::make_unexpected(begun.error());
  return AndonMemory{};
}

Outcome<AndonMemory> SqliteAlertStore::read() {
  Database& database = *file_.database();
  AndonMemory memory;
  Outcome<void> outcome;
  each_row(database,
           "SELECT id, rule, device, device_index, subject, level, severity, phase, value, threshold, message, remedy, "
           "link, since_ns, fired_ns, resolved_ns, unknown_ns, acknowledged_by, acknowledged_until_ns, comment, "
           "silenced, silenced_until_ns, told FROM alert WHERE position >= ? ORDER BY position",
           0, outcome, [&](Statement& row) { memory.alerts.push_back(alert_of(row)); });
  each_row(database,
           "SELECT id, rule, device, level, begun_ns, until_ns, by, comment FROM silence WHERE position >= ? "
           "ORDER BY position",
           0, outcome, [&](Statement& row) { memory.silences.push_back(silence_of(row)); });
  each_row(database, "SELECT name, value FROM number WHERE value >= ?", 0, outcome, [&](Statement& row) {
    const std::string name = row.text();
    if (name == "last_alert") memory.last_alert = row.number();
    if (name == "last_silence") memory.last_silence = row.number();
  });
  if (!outcome) return tl::make_unexpected(outcome.error());
  return memory;
}

Result<void> SqliteAlertStore::save(const AndonMemory& memory) {
  if (file_.database() && !file_.is_in_place()) file_.close();  // somebody removed the file
  if (!file_.database()) {
    if (const auto opened = file_.open(); !opened) return tl::make_unexpected(opened.error().error);
  }
  const auto written = write(memory);
  if (written) return {};
  if (!written.error().damaged) return tl::make_unexpected(written.error().error);
  if (auto begun = begin_anew(written.error().error.message); !begun) return begun;
  if (const auto again = write(memory); !again) return tl::make_unexpected(again.error().error);
  return {};
}

Outcome<void> SqliteAlertStore::write(const AndonMemory& memory) {
  auto transaction = sqlite::Transaction::begin(*file_.database());
  if (!transaction) return tl::make_unexpected(transaction.error());
  Script script(*file_.database());
  script.run("DELETE FROM alert");
  script.run("DELETE FROM silence");
  std::uint64_t position = 0;
  for (const KeptAlert& kept : memory.alerts) insert(script, position++, kept);
  position = 0;
  for (const Silence& silence : memory.silences) insert(script, position++, silence);
  script.run("INSERT OR REPLACE INTO number VALUES ('last_alert', ?)", memory.last_alert);
  script.run("INSERT OR REPLACE INTO number VALUES ('last_silence', ?)", memory.last_silence);
  return script.outcome ? transaction->commit() : script.outcome;
}

Result<void> SqliteAlertStore::begin_anew(const std::string& why) {
  const auto aside = file_.replace(why);
  if (!aside) return tl::make_unexpected(aside.error());
  std::scoped_lock lock(mutex_);
  notice_ = fmt::format("the alerts in {} were damaged ({}); the file was moved to {}, and a new one was begun",
                        place(), why, *aside);
  return {};
}

}  // namespace gpukeeper
