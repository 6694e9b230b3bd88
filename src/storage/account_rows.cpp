#include "storage/account_rows.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.hpp"
#include "storage/sqlite_script.hpp"

namespace gpukeeper::sqlite {
namespace {

using account::Account;
using account::AccountedDevice;
using account::DeviceUse;
using account::Party;
using account::Peak;
using account::Slot;
using account::Usage;
using account::Wanted;

// Times of slots are whole seconds since 1970. A usage stands three times, with the same columns in the same order: of
// a party, of nobody (free_) and of whom nobody knows (unlisted_).
constexpr const char* kTables = R"sql(
CREATE TABLE slot (
  begin_s INTEGER PRIMARY KEY, length_s INTEGER NOT NULL,
  by_use_seconds REAL NOT NULL, by_memory_seconds REAL NOT NULL, evenly_seconds REAL NOT NULL
) STRICT;
CREATE TABLE device (
  place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, device_index INTEGER NOT NULL, name TEXT NOT NULL,
  simulated INTEGER NOT NULL, recorded INTEGER NOT NULL, memory_bytes REAL
) STRICT;
CREATE TABLE party (
  place INTEGER PRIMARY KEY,
  user TEXT NOT NULL, service TEXT NOT NULL, container TEXT NOT NULL, pod TEXT NOT NULL, job TEXT NOT NULL,
  lease INTEGER NOT NULL, class TEXT NOT NULL,
  UNIQUE (user, service, container, pod, job, lease, class)
) STRICT;
CREATE TABLE device_use (
  begin_s INTEGER NOT NULL REFERENCES slot ON DELETE CASCADE, device INTEGER NOT NULL REFERENCES device,
  watched_seconds REAL NOT NULL, away_seconds REAL NOT NULL, asleep_seconds REAL NOT NULL,
  held_seconds REAL NOT NULL, held_unknown_seconds REAL NOT NULL, idle_seconds REAL NOT NULL,
  busy_seconds REAL NOT NULL, busy_unknown_seconds REAL NOT NULL,
  joules REAL NOT NULL, joules_unknown_seconds REAL NOT NULL,
  slowed_seconds REAL NOT NULL, slowed_by_heat_seconds REAL NOT NULL, slowed_by_power_seconds REAL NOT NULL,
  slowed_unknown_seconds REAL NOT NULL,
  celsius_seconds REAL NOT NULL, celsius_known_seconds REAL NOT NULL,
  byte_seconds REAL NOT NULL, byte_known_seconds REAL NOT NULL,
  free_gpu_seconds REAL NOT NULL, free_busy_seconds REAL NOT NULL, free_busy_unknown_seconds REAL NOT NULL,
  free_idle_seconds REAL NOT NULL, free_joules REAL NOT NULL, free_joules_unknown_seconds REAL NOT NULL,
  free_idle_joules REAL NOT NULL, free_byte_seconds REAL NOT NULL, free_byte_unknown_seconds REAL NOT NULL,
  free_hoarded_seconds REAL NOT NULL, free_hoarded_byte_seconds REAL NOT NULL,
  unlisted_gpu_seconds REAL NOT NULL, unlisted_busy_seconds REAL NOT NULL, unlisted_busy_unknown_seconds REAL NOT NULL,
  unlisted_idle_seconds REAL NOT NULL, unlisted_joules REAL NOT NULL, unlisted_joules_unknown_seconds REAL NOT NULL,
  unlisted_idle_joules REAL NOT NULL, unlisted_byte_seconds REAL NOT NULL, unlisted_byte_unknown_seconds REAL NOT NULL,
  unlisted_hoarded_seconds REAL NOT NULL, unlisted_hoarded_byte_seconds REAL NOT NULL,
  celsius_peak REAL, celsius_peak_ns INTEGER, watts_peak REAL, watts_peak_ns INTEGER,
  bytes_peak REAL, bytes_peak_ns INTEGER,
  PRIMARY KEY (begin_s, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE usage (
  begin_s INTEGER NOT NULL REFERENCES slot ON DELETE CASCADE, device INTEGER NOT NULL REFERENCES device,
  party INTEGER NOT NULL REFERENCES party,
  gpu_seconds REAL NOT NULL, busy_seconds REAL NOT NULL, busy_unknown_seconds REAL NOT NULL,
  idle_seconds REAL NOT NULL, joules REAL NOT NULL, joules_unknown_seconds REAL NOT NULL,
  idle_joules REAL NOT NULL, byte_seconds REAL NOT NULL, byte_unknown_seconds REAL NOT NULL,
  hoarded_seconds REAL NOT NULL, hoarded_byte_seconds REAL NOT NULL,
  PRIMARY KEY (begin_s, device, party)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_of_party ON usage (party);
CREATE TABLE alert (
  fired_ns INTEGER NOT NULL, id TEXT NOT NULL, rule TEXT NOT NULL, device TEXT, device_index INTEGER,
  subject TEXT NOT NULL, level TEXT NOT NULL, severity INTEGER NOT NULL, message TEXT NOT NULL,
  since_ns INTEGER NOT NULL, resolved_ns INTEGER,
  PRIMARY KEY (fired_ns, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kPodTable = "CREATE TABLE pod (uid TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;";

constexpr std::array kUsageColumns = {
    &Usage::gpu_seconds,
    &Usage::busy_seconds,
    &Usage::busy_unknown_seconds,
    &Usage::idle_seconds,
    &Usage::joules,
    &Usage::joules_unknown_seconds,
    &Usage::idle_joules,
    &Usage::byte_seconds,
    &Usage::byte_unknown_seconds,
    &Usage::hoarded_seconds,
    &Usage::hoarded_byte_seconds,
};
constexpr std::array kDeviceColumns = {
    &DeviceUse::watched_seconds,
    &DeviceUse::away_seconds,
    &DeviceUse::asleep_seconds,
    &DeviceUse::held_seconds,
    &DeviceUse::held_unknown_seconds,
    &DeviceUse::idle_seconds,
    &DeviceUse::busy_seconds,
    &DeviceUse::busy_unknown_seconds,
    &DeviceUse::joules,
    &DeviceUse::joules_unknown_seconds,
    &DeviceUse::slowed_seconds,
    &DeviceUse::slowed_by_heat_seconds,
    &DeviceUse::slowed_by_power_seconds,
    &DeviceUse::slowed_unknown_seconds,
    &DeviceUse::celsius_seconds,
    &DeviceUse::celsius_known_seconds,
    &DeviceUse::byte_seconds,
    &DeviceUse::byte_known_seconds,
};
constexpr std::array kUsages = {&DeviceUse::free, &DeviceUse::unlisted};
constexpr std::array kPeaks = {&DeviceUse::celsius, &DeviceUse::watts, &DeviceUse::bytes};

std::int64_t seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

WallTime time_of(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

std::string question_marks(std::size_t count) {
  return fmt::format("{}", fmt::join(std::vector<std::string_view>(count, "?"), ", "));
}

// A statement that is run for many rows.
class Rows {
 public:
  Rows(Database& database, std::string_view sql) {
    auto prepared = database.prepare(sql);
    if (prepared) {
      statement_ = std::move(*prepared);
    } else {
      outcome_ = tl::make_unexpected(prepared.error());
    }
  }
  // `bind` gives it the row's values.
  template <class Bind>
  void add(Outcome<void>& outcome, const Bind& bind) {
    if (outcome) outcome = outcome_;
    if (!outcome) return;
    bind(*statement_);
    outcome = statement_->run();
  }

 private:
  std::optional<Statement> statement_;
  Outcome<void> outcome_;
};

void bind(Statement& row, const Usage& usage) {
  for (const auto column : kUsageColumns) row.bind(usage.*column);
}

void read(Statement& row, Usage& usage) {
  for (const auto column : kUsageColumns) usage.*column += row.real();
}

void bind(Statement& row, const DeviceUse& use) {
  for (const auto column : kDeviceColumns) row.bind(use.*column);
  for (const auto usage : kUsages) bind(row, use.*usage);
  for (const auto peak : kPeaks) {
    if (const auto& value = use.*peak) {
      row.bind(value->value).bind(nanoseconds(value->at));
    } else {
      row.bind_null().bind_null();
    }
  }
}

std::optional<std::int64_t> whole(Statement& row) {
  const auto text = row.text_or_null();
  return text ? parse_i64(*text) : std::nullopt;
}

DeviceUse device_use(Statement& row) {
  DeviceUse use;
  for (const auto column : kDeviceColumns) use.*column = row.real();
  for (const auto usage : kUsages) read(row, use.*usage);
  for (const auto peak : kPeaks) {
    const double value = row.real();
    if (const auto at = whole(row)) use.*peak = Peak{value, wall_time(*at)};
  }
  return use;
}

ProcessClass class_of(std::string_view word) {
  for (int kind = 0; kind <= static_cast<int>(ProcessClass::desktop); ++kind) {
    if (word == to_string(static_cast<ProcessClass>(kind))) return static_cast<ProcessClass>(kind);
  }
  return ProcessClass::unknown;
}

// What identifies a party, in the order of its columns.
Statement& bind(Statement& row, const Party& party) {
  return row.bind(std::string_view(party.user))
      .bind(std::string_view(party.service))
      .bind(std::string_view(party.container))
      .bind(std::string_view(party.pod))
      .bind(std::string_view(party.job))
      .bind(party.lease)
      .bind(to_string(party.kind));
}

// Writes what is new of devices and parties, and knows where they stand in the file.
class Keys {
 public:
  Keys(Database& database, const Account& account, Outcome<void>& outcome)
      : database_(database), account_(account), outcome_(outcome), parties_(account.parties.size()) {
    for (const AccountedDevice& device : account.devices) devices_.push_back(write(device));
  }

  std::int64_t device(std::uint32_t place) const { return devices_.at(place); }

  std::int64_t party(std::uint32_t place) {
    auto& known = parties_.at(place);
    if (!known) known = write(*account_.parties.at(place));
    return *known;
  }

 private:
  std::int64_t write(const AccountedDevice& d) {
    Script script(database_);
    script.run(
        "INSERT INTO device (id, device_index, name, simulated, recorded, memory_bytes) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET device_index = excluded.device_index, name = excluded.name, "
        "memory_bytes = excluded.memory_bytes WHERE device_index <> excluded.device_index OR name <> excluded.name OR "
        "memory_bytes IS NOT excluded.memory_bytes",
        d.id.text, std::uint64_t{d.index}, d.name, d.simulated, d.recorded, d.memory_bytes);
    note(script.outcome);
    return find("SELECT place FROM device WHERE id = ?",
                [&](Statement& row) { row.bind(std::string_view(d.id.text)); });
  }

  std::int64_t write(const Party& party) {
    constexpr std::string_view kInsert =
        "INSERT OR IGNORE INTO party (user, service, container, pod, job, lease, class) VALUES (?, ?, ?, ?, ?, ?, ?)";
    Rows(database_, kInsert).add(outcome_, [&](Statement& row) { bind(row, party); });
    return find(
        "SELECT place FROM party WHERE user = ? AND service = ? AND container = ? AND pod = ? AND job = ? AND "
        "lease = ? AND class = ?",
        [&](Statement& row) { bind(row, party); });
  }

  template <class Bind>
  std::int64_t find(std::string_view sql, const Bind& bind_values) {
    if (!outcome_) return 0;
    auto statement = database_.prepare(sql);
    if (!statement) {
      outcome_ = tl::make_unexpected(statement.error());
      return 0;
    }
    bind_values(*statement);
    const auto row = statement->step();
    if (!row) outcome_ = tl::make_unexpected(row.error());
    return row && *row ? statement->integer() : 0;
  }

  void note(const Outcome<void>& outcome) {
    if (outcome_) outcome_ = outcome;
  }

  Database& database_;
  const Account& account_;
  Outcome<void>& outcome_;
  std::vector<std::int64_t> devices_;
  std::vector<std::optional<std::int64_t>> parties_;  // those that were needed
};

void write_slots(Database& database, const Account& changes, Outcome<void>& outcome) {
  Keys keys(database, changes, outcome);
  Rows remove(database, "DELETE FROM slot WHERE begin_s >= ? AND begin_s < ?");
  Rows slots(database, "INSERT INTO slot VALUES (?, ?, ?, ?, ?)");
  constexpr std::size_t kKeys = 2;
  Rows devices(database, fmt::format("INSERT INTO device_use VALUES ({})",
                                     question_marks(kKeys + kDeviceColumns.size() +
                                                    kUsages.size() * kUsageColumns.size() + 2 * kPeaks.size())));
  Rows usages(database, fmt::format("INSERT INTO usage VALUES ({})", question_marks(kKeys + 1 + kUsageColumns.size())));
  for (const auto& slot : changes.slots) {
    const std::int64_t begin = seconds(slot->begin);
    remove.add(outcome, [&](Statement& row) { row.bind(begin).bind(seconds(slot->end())); });
    slots.add(outcome, [&](Statement& row) {
      row.bind(begin).bind(static_cast<std::int64_t>(slot->length.count()));
      row.bind(slot->division.by_use_seconds)
          .bind(slot->division.by_memory_seconds)
          .bind(slot->division.evenly_seconds);
    });
    for (const auto& [device, use] : slot->devices) {
      const std::int64_t place = keys.device(device);
      devices.add(outcome, [&, &use = use](Statement& row) { bind(row.bind(begin).bind(place), use); });
    }
    for (const auto& [who, usage] : slot->parties) {
      const std::int64_t device = keys.device(who.first), party = keys.party(who.second);
      usages.add(outcome,
                 [&, &usage = usage](Statement& row) { bind(row.bind(begin).bind(device).bind(party), usage); });
    }
  }
}

void write_alert(Script& script, const Alert& a) {
  const auto device = a.device ? std::optional<std::string>(a.device->text) : std::nullopt;
  const auto index = a.device_index ? std::optional<std::uint64_t>(*a.device_index) : std::nullopt;
  script.run("INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *a.fired_at, a.id, a.rule, device,
             index, a.subject, to_string(a.level), static_cast<std::int64_t>(a.severity), a.message, a.since,
             a.resolved_at);
}

Alert alert_of(Statement& row) {
  Alert a;
  a.fired_at = wall_time(row.integer());
  a.id = row.text();
  a.rule = row.text();
  if (auto device = row.text_or_null()) a.device = DeviceId{std::move(*device)};
  if (const auto index = whole(row)) a.device_index = static_cast<std::uint32_t>(*index);
  a.subject = row.text();
  a.level = parse_alert_level(row.text()).value_or(AlertLevel::warning);
  a.severity = static_cast<int>(row.integer());
  a.message = row.text();
  a.since = wall_time(row.integer());
  if (const auto resolved = whole(row)) a.resolved_at = wall_time(*resolved);
  a.phase = a.resolved_at ? AlertPhase::resolved : AlertPhase::firing;
  return a;
}

// Reads what is wanted, table by table.
class Reader {
 public:
  Reader(Database& database, const Wanted& wanted) : database_(database), wanted_(wanted) {}

  Outcome<Account> read() {
    // One view of everything, whatever is written meanwhile.
    outcome_ = database_.execute("BEGIN");
    read_devices();
    read_slots();
    read_uses();
    read_usages();
    read_pods();
    read_alerts();
    read_span();
    static_cast<void>(database_.execute("ROLLBACK"));
    if (!outcome_) return tl::make_unexpected(outcome_.error());
    for (auto& [begin, slot] : columns_) account_.slots.push_back(std::move(slot));
    return std::move(account_);
  }

 private:
  // Between two whole numbers.
  template <class Take>
  void each(std::string_view sql, std::int64_t from, std::int64_t to, const Take& take) {
    if (!outcome_) return;
    auto statement = database_.prepare(sql);
    if (!statement) {
      outcome_ = tl::make_unexpected(statement.error());
      return;
    }
    statement->bind(from).bind(to);
    for (;;) {
      const auto row = statement->step();
      if (!row) outcome_ = tl::make_unexpected(row.error());
      if (!row || !*row) return;
      take(*statement);
    }
  }

  std::int64_t since() const { return wanted_.since ? seconds(*wanted_.since) : INT64_MIN; }
  std::int64_t until() const { return wanted_.until ? nanoseconds(*wanted_.until) : INT64_MAX; }

  void read_devices() {
    each(
        "SELECT place, id, device_index, name, simulated, recorded, memory_bytes FROM device "
        "WHERE place BETWEEN ? AND ? ORDER BY place",
        INT64_MIN, INT64_MAX, [&](Statement& row) {
          devices_[row.integer()] = static_cast<std::uint32_t>(account_.devices.size());
          AccountedDevice& d = account_.devices.emplace_back();
          d.id.text = row.text();
          d.index = static_cast<std::uint32_t>(row.integer());
          d.name = row.text();
          d.simulated = row.integer() != 0;
          d.recorded = row.integer() != 0;
          if (const double bytes = row.real(); bytes > 0) d.memory_bytes = bytes;
        });
  }

  bool is_known(WallTime begin, WallTime end) const {
    const auto first = std::ranges::upper_bound(wanted_.known, begin, {}, &std::pair<WallTime, WallTime>::second);
    return first != wanted_.known.end() && first->first < end;
  }

  // Where a slot is added up: from the first to the last one that there is in the column.
  Slot& column_at(WallTime begin, std::chrono::seconds length) {
    const auto column = std::max(wanted_.column, length).count();
    auto& slot = columns_[time_of(seconds(begin) - seconds(begin) % column)];
    if (!slot) {
      slot = std::make_shared<Slot>();
      slot->begin = begin;
    }
    slot->length = std::chrono::floor<std::chrono::seconds>(begin + length - slot->begin);
    return *slot;
  }

  void read_slots() {
    each(
        "SELECT begin_s, length_s, by_use_seconds, by_memory_seconds, evenly_seconds FROM slot "
        "WHERE begin_s + length_s > ? AND begin_s * 1000000000 < ? ORDER BY begin_s",
        since(), until(), [&](Statement& row) {
          const std::int64_t begin = row.integer();
          const std::chrono::seconds length(row.integer());
          if (is_known(time_of(begin), time_of(begin) + length)) return;
          Slot& slot = column_at(time_of(begin), length);
          slots_[begin] = &slot;
          slot.division.by_use_seconds += row.real();
          slot.division.by_memory_seconds += row.real();
          slot.division.evenly_seconds += row.real();
        });
  }

  void read_uses() {
    if (slots_.empty()) return;
    each("SELECT * FROM device_use WHERE begin_s BETWEEN ? AND ?", slots_.begin()->first, slots_.rbegin()->first,
         [&](Statement& row) {
           const auto slot = slots_.find(row.integer());
           const auto device = devices_.find(row.integer());
           if (slot == slots_.end() || device == devices_.end()) return;
           slot->second->devices[device->second] += device_use(row);
         });
  }

  void read_usages() {
    if (slots_.empty()) return;
    each("SELECT * FROM usage WHERE begin_s BETWEEN ? AND ?", slots_.begin()->first, slots_.rbegin()->first,
         [&](Statement& row) {
           const auto slot = slots_.find(row.integer());
           const auto device = devices_.find(row.integer());
           const std::int64_t party = row.integer();
           if (slot == slots_.end() || device == devices_.end()) return;
           const auto [place, added] = parties_.try_emplace(party, static_cast<std::uint32_t>(parties_.size()));
           sqlite::read(row, slot->second->parties[{device->second, place->second}]);
         });
    account_.parties.resize(parties_.size(), std::make_shared<const Party>());
    each("SELECT place, user, service, container, pod, job, lease, class FROM party WHERE place BETWEEN ? AND ?",
         INT64_MIN, INT64_MAX, [&](Statement& row) {
           const auto place = parties_.find(row.integer());
           if (place == parties_.end()) return;
           Party party;
           for (std::string* text : {&party.user, &party.service, &party.container, &party.pod, &party.job}) {
             *text = row.text();
           }
           party.lease = row.number();
           party.kind = class_of(row.text());
           account_.parties[place->second] = std::make_shared<const Party>(std::move(party));
         });
  }

  void read_pods() {
    std::set<std::string> wanted;
    for (const auto& party : account_.parties) wanted.insert(party->pod);
    each("SELECT uid, name FROM pod WHERE length(uid) BETWEEN ? AND ?", 0, INT64_MAX, [&](Statement& row) {
      std::string uid = row.text();
      if (wanted.contains(uid)) account_.pods.emplace(std::move(uid), row.text());
    });
  }

  void read_alerts() {
    each(
        "SELECT fired_ns, id, rule, device, device_index, subject, level, severity, message, since_ns, resolved_ns "
        "FROM alert WHERE coalesce(resolved_ns, 9223372036854775807) >= ? AND fired_ns < ? ORDER BY fired_ns, id",
        wanted_.since ? nanoseconds(*wanted_.since) : INT64_MIN, until(),
        [&](Statement& row) { account_.alerts.push_back(alert_of(row)); });
  }

  // A span begins with the oldest slot that is left.
  void read_span() {
    std::optional<WallTime> since, oldest;
    each("SELECT min(begin_s) FROM slot WHERE begin_s BETWEEN ? AND ? HAVING min(begin_s) IS NOT NULL", INT64_MIN,
         INT64_MAX, [&](Statement& row) { oldest = time_of(row.integer()); });
    each("SELECT name, value FROM number WHERE value BETWEEN ? AND ?", INT64_MIN, INT64_MAX, [&](Statement& row) {
      const std::string name = row.text();
      if (name == "since_ns") since = wall_time(row.integer());
      if (name == "until_ns") account_.until = wall_time(row.integer());
    });
    if (oldest) account_.since = std::max(since.value_or(*oldest), *oldest);
  }

  Database& database_;
  const Wanted& wanted_;
  Outcome<void> outcome_;
  Account account_;
  std::map<std::int64_t, std::uint32_t> devices_;  // by place in the file, as parties_
  std::map<std::int64_t, std::uint32_t> parties_;
  std::map<std::int64_t, Slot*> slots_;  // by begin, where each is added up
  std::map<WallTime, std::shared_ptr<Slot>> columns_;
};

}  // namespace

const char* account_tables() {
  return kTables;
}

const char* account_pod_table() {
  return kPodTable;
}

Outcome<void> write_account(Database& database, const Account& changes) {
  Script script(database);
  if (changes.since) {
    script.run("INSERT INTO number VALUES ('since_ns', ?) ON CONFLICT DO UPDATE SET value = min(value, excluded.value)",
               *changes.since);
    script.run("INSERT OR REPLACE INTO number VALUES ('until_ns', ?)", changes.until);
  }
  for (const Alert& alert : changes.alerts) write_alert(script, alert);
  for (const auto& [uid, name] : changes.pods) script.run("INSERT OR REPLACE INTO pod VALUES (?, ?)", uid, name);
  if (script.outcome) write_slots(database, changes, script.outcome);
  return script.outcome;
}

Outcome<Account> read_account(Database& database, const Wanted& wanted) {
  return Reader(database, wanted).read();
}

Outcome<void> forget_account(Database& database, WallTime before) {
  Script script(database);
  script.run("DELETE FROM alert WHERE resolved_ns < ?", before);
  script.run("DELETE FROM slot WHERE begin_s + length_s <= ?", seconds(before));
  script.run("DELETE FROM party WHERE NOT EXISTS (SELECT 1 FROM usage WHERE usage.party = party.place)");
  script.run("DELETE FROM pod WHERE uid NOT IN (SELECT pod FROM party)");
  return script.outcome;
}

}  // namespace gpukeeper::sqlite
