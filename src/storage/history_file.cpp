#include "storage/history_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "storage/checksum.hpp"
#include "storage/sqlite_script.hpp"

namespace gpukeeper::history_file {
namespace {

using sqlite::Database;
using sqlite::each_row;
using sqlite::Outcome;
using sqlite::Script;
using sqlite::Statement;

// Blocks are some KiB: in pages of the usual 4 KiB half of each second one would be empty.
// The log is copied back after some megabytes, and keeps no more.
constexpr const char* kShape =
    "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA wal_autocheckpoint = 200; "
    "PRAGMA journal_size_limit = 4194304";

// The index has all that is asked for in order to find blocks, so that no other is touched.
constexpr std::array kMigrations = {
    R"sql(
CREATE TABLE device (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE layout (id INTEGER PRIMARY KEY, metrics TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE block (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device INTEGER NOT NULL REFERENCES device, tier INTEGER NOT NULL,
  first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
  run INTEGER NOT NULL, since_ms INTEGER NOT NULL,
  layout INTEGER NOT NULL REFERENCES layout, row_count INTEGER NOT NULL,
  checksum INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE INDEX block_place ON block (tier, device, id, first_ms, last_ms);
CREATE TABLE summed (
  tier INTEGER NOT NULL, device INTEGER NOT NULL REFERENCES device, block INTEGER NOT NULL,
  PRIMARY KEY (tier, device)
) STRICT, WITHOUT ROWID;
)sql",
};

// How long after its end an hour is taken for complete though nothing followed: a batch may be late.
constexpr auto kLate = std::chrono::minutes(15);
// What differs by more was measured before and after somebody set the clock.
constexpr auto kSameClock = std::chrono::seconds(5);

constexpr std::int64_t kDropAtOnce = 256;  // blocks
constexpr std::int64_t kFreePages = 16;    // that stay in the file
constexpr std::int64_t kMostRows = 65536;  // of a block; five minutes have 3,000, and pieces are fewer. More is forged

milliseconds since_epoch(WallTime time) {
  return std::chrono::floor<milliseconds>(time.time_since_epoch());
}

std::int64_t checksum(std::int64_t device, const StoredBlock& block) {
  sqlite::Checksum sum;
  for (const std::int64_t value : {device, static_cast<std::int64_t>(block.tier), std::int64_t{block.first.count()},
                                   std::int64_t{block.last.count()}, block.run, std::int64_t{block.since.count()},
                                   block.layout, static_cast<std::int64_t>(block.rows)}) {
    sum.add(value);
  }
  sum.add(std::string_view(reinterpret_cast<const char*>(block.bytes.data()), block.bytes.size()));
  return sum.value();
}

// The number of a row with that text; it is made where there is none.
Outcome<std::int64_t> number_in(Database& database, std::string_view find, std::string_view add,
                                std::string_view text) {
  auto known = database.prepare(find);
  if (!known) return tl::make_unexpected(known.error());
  known->bind(text);
  const auto row = known->step();
  if (!row) return tl::make_unexpected(row.error());
  if (*row) return known->integer();
  Script script(database);
  script.run(add, text);
  if (!script.outcome) return tl::make_unexpected(script.outcome.error());
  return database.last_row();
}

}  // namespace

// Blocks of one tier that become one block of the next.
struct HistoryFile::Group {
  std::int64_t first = 0;  // numbers of blocks
  std::int64_t last = 0;
  std::int64_t run = 0;
  std::int64_t layout = 0;
  milliseconds offset{0};
  milliseconds begin{0};  // of the time that is summed up at once

  bool takes(std::int64_t its_run, std::int64_t its_layout, milliseconds its_offset, milliseconds its_begin) const {
    const auto apart = its_offset > offset ? its_offset - offset : offset - its_offset;
    return run == its_run && layout == its_layout && apart <= kSameClock && begin == its_begin;
  }
};

std::optional<StoredBlock> read_block(Statement& row, std::int64_t device) {
  StoredBlock block;
  block.id = row.integer();
  block.tier = static_cast<std::size_t>(row.integer());
  block.first = milliseconds(row.integer());
  block.last = milliseconds(row.integer());
  block.run = row.integer();
  block.since = milliseconds(row.integer());
  block.layout = row.integer();
  const std::int64_t rows = row.integer();
  block.rows = static_cast<std::size_t>(rows);
  const std::int64_t sum = row.integer();
  const std::string bytes = row.text();
  block.bytes.assign(bytes.begin(), bytes.end());
  if (block.tier > kTop || rows < 0 || rows > kMostRows || sum != checksum(device, block)) return std::nullopt;
  return block;
}

HistoryFile::HistoryFile(std::string path) : file_(std::move(path), kMigrations, Database::Access::own, kShape) {}

Outcome<void> HistoryFile::open() {
  return file_.open();
}

Result<std::string> HistoryFile::replace(const std::string& why) {
  return file_.replace(why);
}

Outcome<std::int64_t> HistoryFile::number_of(const DeviceId& device) {
  return number_in(*file_.database(), "SELECT id FROM device WHERE uuid = ?", "INSERT INTO device (uuid) VALUES (?)",
                   device.text);
}

Outcome<std::int64_t> HistoryFile::number_of(const Layout& layout) {
  return number_in(*file_.database(), "SELECT id FROM layout WHERE metrics = ?",
                   "INSERT INTO layout (metrics) VALUES (?)", layout.text());
}

Outcome<std::optional<Layout>> HistoryFile::layout(std::int64_t number) {
  Outcome<void> outcome;
  std::optional<Layout> found;
  each_row(*file_.database(), "SELECT metrics FROM layout WHERE id = ?", number, outcome,
           [&](Statement& row) { found = Layout::parse(row.text()); });
  if (!outcome) return tl::make_unexpected(outcome.error());
  return found;
}

Outcome<std::int64_t> HistoryFile::insert(std::int64_t device, const StoredBlock& block) {
  Script script(*file_.database());
  script.run(
      "INSERT INTO block (device, tier, first_ms, last_ms, run, since_ms, layout, row_count, checksum, data) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      device, std::uint64_t{block.tier}, std::int64_t{block.first.count()}, std::int64_t{block.last.count()}, block.run,
      std::int64_t{block.since.count()}, block.layout, std::uint64_t{block.rows}, checksum(device, block), block.bytes);
  if (!script.outcome) return tl::make_unexpected(script.outcome.error());
  return file_.database()->last_row();
}

Outcome<void> HistoryFile::append(std::vector<Entry> entries, const Layout& layout) {
  auto transaction = sqlite::Transaction::begin(*file_.database());
  if (!transaction) return tl::make_unexpected(transaction.error());
  const auto layout_number = number_of(layout);
  if (!layout_number) return tl::make_unexpected(layout_number.error());
  for (Entry& entry : entries) {
    const auto device = number_of(entry.device);
    if (!device) return tl::make_unexpected(device.error());
    entry.block.layout = *layout_number;
    if (auto inserted = insert(*device, entry.block); !inserted) return tl::make_unexpected(inserted.error());
  }
  return transaction->commit();
}

Outcome<std::vector<std::int64_t>> HistoryFile::devices() {
  Outcome<void> outcome;
  std::vector<std::int64_t> numbers;
  each_row(*file_.database(), "SELECT id FROM device WHERE id > ?", 0, outcome,
           [&](Statement& row) { numbers.push_back(row.integer()); });
  if (!outcome) return tl::make_unexpected(outcome.error());
  return numbers;
}

Outcome<void> HistoryFile::sum_up(WallTime now) {
  const auto all = devices();
  if (!all) return tl::make_unexpected(all.error());
  for (std::size_t tier = 0; tier < kTop; ++tier) {
    for (const std::int64_t device : *all) {
      if (auto done = sum_up(tier, device, since_epoch(now)); !done) return done;
    }
  }
  return {};
}

Outcome<void> HistoryFile::sum_up(std::size_t tier, std::int64_t device, milliseconds now) {
  const auto complete = groups(tier, device, now);
  if (!complete) return tl::make_unexpected(complete.error());
  if (complete->empty()) return {};
  auto transaction = sqlite::Transaction::begin(*file_.database());
  if (!transaction) return tl::make_unexpected(transaction.error());
  for (const Group& group : *complete) {
    if (auto done = sum_up(tier, device, group); !done) return done;
  }
  Script script(*file_.database());
  script.run("INSERT OR REPLACE INTO summed VALUES (?, ?, ?)", std::uint64_t{tier}, device, complete->back().last);
  return script.outcome ? transaction->commit() : script.outcome;
}

// Those that are complete. The last one may go on, unless its time is over.
Outcome<std::vector<HistoryFile::Group>> HistoryFile::groups(std::size_t tier, std::int64_t device, milliseconds now) {
  auto query = file_.database()->prepare(
      "SELECT id, first_ms, run, since_ms, layout FROM block WHERE tier = ?1 AND device = ?2 AND id > coalesce("
      "(SELECT block FROM summed WHERE tier = ?1 AND device = ?2), 0) ORDER BY id");
  if (!query) return tl::make_unexpected(query.error());
  query->bind(std::uint64_t{tier}).bind(device);
  std::vector<Group> found;
  for (;;) {
    const auto row = query->step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) break;
    const std::int64_t id = query->integer();
    const milliseconds first(query->integer());
    const std::int64_t run = query->integer();
    const auto offset = first - milliseconds(query->integer());
    const std::int64_t layout = query->integer();
    const auto begin = floor_to(first, kTiers.at(tier).summed);
    if (found.empty() || !found.back().takes(run, layout, offset, begin))
      found.push_back({id, id, run, layout, offset, begin});
    found.back().last = id;
  }
  if (!found.empty() && found.back().begin + kTiers.at(tier).summed + kLate > now) found.pop_back();
  return found;
}

// What is damaged is left out: the rest of its hour is worth as much.
Outcome<void> HistoryFile::sum_up(std::size_t tier, std::int64_t device, const Group& group) {
  const auto known = layout(group.layout);
  if (!known) return tl::make_unexpected(known.error());
  if (!*known) return {};
  auto query = file_.database()->prepare(fmt::format(
      "SELECT {} FROM block WHERE tier = ? AND device = ? AND id BETWEEN ? AND ? ORDER BY id", kBlockColumns));
  if (!query) return tl::make_unexpected(query.error());
  query->bind(std::uint64_t{tier}).bind(device).bind(group.first).bind(group.last);
  TierSum sum(tier + 1, **known);
  for (;;) {
    const auto row = query->step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) break;
    if (const auto block = read_block(*query, device)) static_cast<void>(sum.add(*block));
  }
  const auto block = sum.block();
  if (!block) return {};
  if (auto inserted = insert(device, *block); !inserted) return tl::make_unexpected(inserted.error());
  return {};
}

Outcome<void> HistoryFile::drop_old(const HistoryStoreSettings& settings, WallTime now) {
  const std::array<std::chrono::nanoseconds, kTiers.size()> kept{
      std::min(settings.keep_seconds, settings.keep), std::min(settings.keep_ten_seconds, settings.keep),
      std::min(settings.keep_minutes, settings.keep), settings.keep};
  Script script(*file_.database());
  for (std::size_t tier = 0; tier < kTiers.size(); ++tier) {
    const auto before = since_epoch(now) - std::chrono::floor<milliseconds>(kept.at(tier));
    const std::string_view summed = tier == kTop ? ""
                                                 : " AND id <= coalesce((SELECT s.block FROM summed s WHERE s.tier = "
                                                   "block.tier AND s.device = block.device), 0)";
    script.run(fmt::format("DELETE FROM block WHERE tier = ? AND last_ms < ?{}", summed), std::uint64_t{tier},
               std::int64_t{before.count()});
  }
  return script.outcome;
}

Outcome<Bytes> HistoryFile::used() {
  std::int64_t all = 0;
  for (const auto& [pragma, sign] : {std::pair("PRAGMA page_count", 1), std::pair("PRAGMA freelist_count", -1)}) {
    const auto pages = file_.database()->integer(pragma);
    if (!pages) return tl::make_unexpected(pages.error());
    all += *pages * sign;
  }
  const auto size = file_.database()->integer("PRAGMA page_size");
  if (!size) return tl::make_unexpected(size.error());
  return Bytes(static_cast<std::uint64_t>(all * *size));
}

Outcome<void> HistoryFile::drop_above(Bytes size) {
  for (std::size_t tier = 0; tier <= kTop;) {
    const auto now = used();
    if (!now) return tl::make_unexpected(now.error());
    if (*now <= size) return {};
    Script script(*file_.database());
    script.run("DELETE FROM block WHERE id IN (SELECT id FROM block WHERE tier = ? ORDER BY id LIMIT ?)",
               std::uint64_t{tier}, kDropAtOnce);
    if (!script.outcome) return script.outcome;
    if (file_.database()->changes() == 0) ++tier;
  }
  return {};
}

Outcome<void> HistoryFile::shrink() {
  const auto free = file_.database()->integer("PRAGMA freelist_count");
  if (!free) return tl::make_unexpected(free.error());
  if (*free <= 2 * kFreePages) return {};
  return file_.database()->execute(fmt::format("PRAGMA incremental_vacuum({})", *free - kFreePages).c_str());
}

}  // namespace gpukeeper::history_file
