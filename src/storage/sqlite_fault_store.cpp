#include "storage/sqlite_fault_store.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

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
CREATE TABLE fault (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL, code INTEGER NOT NULL,
  device TEXT NOT NULL, pci TEXT, device_name TEXT NOT NULL,
  simulated INTEGER NOT NULL, recorded INTEGER NOT NULL,
  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, count INTEGER NOT NULL,
  severity TEXT NOT NULL, detail TEXT NOT NULL,
  processes_known INTEGER NOT NULL
) STRICT;
CREATE TABLE fault_source (
  fault INTEGER NOT NULL REFERENCES fault ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (fault, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE fault_process (
  fault INTEGER NOT NULL REFERENCES fault ON DELETE CASCADE, position INTEGER NOT NULL,
  pid INTEGER NOT NULL, name TEXT NOT NULL, user TEXT, container TEXT, blamed INTEGER NOT NULL,
  PRIMARY KEY (fault, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE report (
  id INTEGER PRIMARY KEY,
  fault INTEGER NOT NULL, occurrence INTEGER NOT NULL,
  at_ns INTEGER NOT NULL, count INTEGER NOT NULL, source TEXT NOT NULL, key TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX report_key ON report (source, key) WHERE key <> '';
CREATE TABLE total (
  device TEXT NOT NULL, kind TEXT NOT NULL, severity TEXT NOT NULL, count INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  PRIMARY KEY (device, kind, severity)
) STRICT, WITHOUT ROWID;
CREATE TABLE mark (
  device TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY (device, name)
) STRICT, WITHOUT ROWID;
)sql",
};
// What is not known was written by a newer version.
EventKind event_kind(std::string_view text) {
  for (int kind = 0; kind <= static_cast<int>(EventKind::driver); ++kind) {
    if (to_string(static_cast<EventKind>(kind)) == text) return static_cast<EventKind>(kind);
  }
  return EventKind::driver;
}

Severity severity(std::string_view text) {
  for (const auto each : {Severity::info, Severity::warning, Severity::error, Severity::critical}) {
    if (to_string(each) == text) return each;
  }
  return Severity::error;
}

void save_record(Script& script, const FaultRecord& r) {
  const auto pci = r.pci ? std::optional<std::string>(r.pci->to_string()) : std::nullopt;
  script.run("DELETE FROM fault WHERE id = ?", r.id);  // and with it what belongs to it
  script.run("INSERT INTO fault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", r.id, to_string(r.kind), r.code,
             r.device.text, pci, r.device_name, r.simulated, r.recorded, r.first, r.last, r.count,
             to_string(r.severity), r.detail, r.processes.has_value());
  for (std::size_t i = 0; i < r.sources.size(); ++i) {
    script.run("INSERT INTO fault_source VALUES (?, ?, ?)", r.id, std::uint64_t{i}, r.sources[i]);
  }
  if (!r.processes) return;
  for (std::size_t i = 0; i < r.processes->size(); ++i) {
    const FaultProcess& p = (*r.processes)[i];
    script.run("INSERT INTO fault_process VALUES (?, ?, ?, ?, ?, ?, ?)", r.id, std::uint64_t{i}, p.pid, p.name, p.user,
               p.container, p.blamed);
  }
}

FaultRecord read_record(Statement& row, bool& processes_known) {
  FaultRecord r;
  r.id = row.number();
  r.kind = event_kind(row.text());
  r.code = row.number();
  r.device.text = row.text();
  r.pci = PciAddress::parse(row.text());
  r.device_name = row.text();
  r.simulated = row.integer() != 0;
  r.recorded = row.integer() != 0;
  r.first = wall_time(row.integer());
  r.last = wall_time(row.integer());
  r.count = row.number();
  r.severity = severity(row.text());
  r.detail = row.text();
  processes_known = row.integer() != 0;
  fill_explanation(r);
  return r;
}

}  // namespace

SqliteFaultStore::SqliteFaultStore(std::string path, bool keeps_made_up, bool read_only)
    : file_(std::move(path), kMigrations, read_only ? Database::Access::read : Database::Access::own),
      keeps_made_up_(keeps_made_up),
      read_only_(read_only) {}

Result<std::shared_ptr<SqliteFaultStore>> SqliteFaultStore::open(const std::string& folder, bool keeps_made_up) {
  auto store = std::shared_ptr<SqliteFaultStore>(new SqliteFaultStore(folder + "/" + kFileName, keeps_made_up, false));
  const auto opened = store->file_.open();
  if (opened) return store;
  const auto& [reason, damaged] = opened.error();
  if (!damaged) return fail(reason.code, fmt::format("{}: {}", store->place(), reason.message));
  if (auto begun = store->replace(reason.message); !begun) return tl::make_unexpected(begun.error());
  return store;
}

Result<std::shared_ptr<SqliteFaultStore>> SqliteFaultStore::open_to_read(const std::string& folder) {
  auto store = std::shared_ptr<SqliteFaultStore>(new SqliteFaultStore(folder + "/" + kFileName, false, true));
  std::error_code error;
  const bool there = std::filesystem::exists(store->place(), error);
  if (error) return fail(Errc::not_permitted, fmt::format("{}: {}", store->place(), error.message()));
  if (!there) return fail(Errc::not_found, fmt::format("{}: there is no journal", store->place()));
  if (const auto opened = store->file_.open(); !opened) {
    const auto& [reason, damaged] = opened.error();
    return fail(damaged ? Errc::unavailable : reason.code, fmt::format("{}: {}", store->place(), reason.message));
  }
  return store;
}

std::string SqliteFaultStore::notice() const {
  std::scoped_lock lock(mutex_);
  return notice_;
}

Result<FaultEntries> SqliteFaultStore::load(std::size_t most) {
  if (!file_.database()) return fail(Errc::unavailable, "it is not open");
  auto entries = read(most);
  if (entries) return std::move(*entries);
  if (!entries.error().damaged || read_only_) return tl::make_unexpected(entries.error().error);
  if (auto begun = replace(entries.error().error.message); !begun) return tl::make_unexpected(begun.error());
  return FaultEntries{};
}

Outcome<FaultEntries> SqliteFaultStore::read(std::size_t most) {
  Database& database = *file_.database();
  FaultEntries all;
  // One view of everything, whatever is written meanwhile.
  Outcome<void> outcome = database.execute("BEGIN");
  if (!outcome) return tl::make_unexpected(outcome.error());
  const auto limit = static_cast<std::int64_t>(most);
  std::int64_t first = 0;
  each_row(database, "SELECT min(id) FROM (SELECT id FROM fault ORDER BY id DESC LIMIT ?)", limit, outcome,
           [&](Statement& row) { first = row.integer(); });
  each_row(database, "SELECT * FROM fault WHERE id >= ? ORDER BY id", first, outcome, [&](Statement& row) {
    bool processes_known = false;
    all.records.push_back(read_record(row, processes_known));
    if (processes_known) all.records.back().processes.emplace();
  });
  auto record = all.records.begin();
  const auto go_to = [&](std::uint64_t id) {
    while (record != all.records.end() && record->id < id) ++record;
    return record != all.records.end() && record->id == id;
  };
  each_row(database, "SELECT fault, name FROM fault_source WHERE fault >= ? ORDER BY fault, position", first, outcome,
           [&](Statement& row) {
             if (go_to(row.number())) record->sources.push_back(row.text());
           });
  record = all.records.begin();
  each_row(database,
           "SELECT fault, pid, name, user, container, blamed FROM fault_process WHERE fault >= ? "
           "ORDER BY fault, position",
           first, outcome, [&](Statement& row) {
             if (!go_to(row.number()) || !record->processes) return;
             FaultProcess& p = record->processes->emplace_back();
             p.pid = row.integer();
             p.name = row.text();
             p.user = row.text_or_null();
             p.container = row.text_or_null();
             p.blamed = row.integer() != 0;
           });
  each_row(database,
           "SELECT fault, occurrence, at_ns, count, source, key FROM report WHERE id >= ? ORDER BY occurrence, id", 0,
           outcome, [&](Statement& row) {
             FaultReport& r = all.reports.emplace_back();
             r.record = row.number();
             r.occurrence = row.number();
             r.at = wall_time(row.integer());
             r.count = row.number();
             r.source = row.text();
             r.key = row.text();
           });
  each_row(database, "SELECT device, kind, severity, count, last_ns FROM total WHERE count >= ? ORDER BY 1, 2, 3", 0,
           outcome, [&](Statement& row) {
             FaultTotal& t = all.totals.emplace_back();
             t.device.text = row.text();
             t.kind = event_kind(row.text());
             t.severity = severity(row.text());
             t.count = row.number();
             t.last = wall_time(row.integer());
           });
  each_row(database, "SELECT device, name, value FROM mark WHERE device >= '' OR ? ORDER BY 1, 2", 0, outcome,
           [&](Statement& row) {
             WatchMark& m = all.marks.emplace_back();
             m.device.text = row.text();
             m.name = row.text();
             m.value = row.number();
           });
  static_cast<void>(database.execute("ROLLBACK"));  // nothing was changed
  if (!outcome) return tl::make_unexpected(outcome.error());
  return all;
}

Result<void> SqliteFaultStore::write(const FaultEntries& entries) {
  if (read_only_) return fail(Errc::not_permitted, "it was opened to be read");
  if (file_.database() && !file_.is_in_place()) {
    if (const auto opened = file_.open(); !opened)
      return fail(opened.error().error.code, fmt::format("{}: {}", place(), opened.error().error.message));
    note(fmt::format("the fault journal {} was removed; a new one was begun", place()));
    return fail(Errc::not_found, "the file was removed; a new one was begun");
  }
  if (!file_.database()) {  // a new one could not be begun the last time
    if (const auto opened = file_.open(); !opened) return tl::make_unexpected(opened.error().error);
    return fail(Errc::not_found, "a new file was begun");
  }
  const auto saved = save(entries);
  if (saved) return {};
  if (!saved.error().damaged) return tl::make_unexpected(saved.error().error);
  if (auto begun = replace(saved.error().error.message); !begun) return begun;
  return fail(Errc::not_found, "the file was damaged; a new one was begun");
}

Outcome<void> SqliteFaultStore::save(const FaultEntries& entries) {
  auto transaction = sqlite::Transaction::begin(*file_.database());
  if (!transaction) return tl::make_unexpected(transaction.error());
  Script script(*file_.database());
  for (const FaultRecord& record : entries.records) save_record(script, record);
  for (const FaultReport& r : entries.reports) {
    script.run("INSERT OR IGNORE INTO report (fault, occurrence, at_ns, count, source, key) VALUES (?, ?, ?, ?, ?, ?)",
               r.record, r.occurrence, r.at, r.count, r.source, r.key);
  }
  for (const FaultTotal& t : entries.totals) {
    script.run("INSERT OR REPLACE INTO total VALUES (?, ?, ?, ?, ?)", t.device.text, to_string(t.kind),
               to_string(t.severity), t.count, t.last);
  }
  for (const WatchMark& m : entries.marks) {
    script.run("INSERT OR REPLACE INTO mark VALUES (?, ?, ?)", m.device.text, m.name, m.value);
  }
  script.run("DELETE FROM fault WHERE id <= (SELECT max(id) FROM fault) - ?", std::uint64_t{kMostRecords});
  script.run("DELETE FROM report WHERE id <= (SELECT max(id) FROM report) - ?", std::uint64_t{kMostReports});
  return script.outcome ? transaction->commit() : script.outcome;
}

Result<void> SqliteFaultStore::replace(const std::string& why) {
  const auto aside = file_.replace(why);
  if (!aside) return tl::make_unexpected(aside.error());
  note(fmt::format("the fault journal {} was damaged ({}); it was moved to {}, and a new one was begun", place(), why,
                   *aside));
  return {};
}

void SqliteFaultStore::note(std::string notice) {
  std::scoped_lock lock(mutex_);
  notice_ = std::move(notice);
}

}  // namespace gpukeeper
