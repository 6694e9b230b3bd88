#include "storage/history_reader.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "storage/history_file.hpp"
#include "storage/sqlite_script.hpp"

namespace gpukeeper::history_file {
namespace {

using sqlite::Database;
using sqlite::each_row;
using sqlite::Failure;
using sqlite::Outcome;
using sqlite::Statement;

milliseconds since_epoch(WallTime time) {
  return std::chrono::floor<milliseconds>(time.time_since_epoch());
}

// The coarsest that is as fine as the step.
std::size_t tier_for(std::chrono::nanoseconds step) {
  std::size_t tier = kTop;
  while (tier > 0 && kTiers.at(tier).piece > step) --tier;
  return tier;
}

// One question, with what is known of the device.
class Look {
 public:
  Look(Database& database, const OlderHistory::Query& query, std::int64_t run, const OlderHistory::Take& take)
      : database_(database), query_(query), run_(run), take_(take), usual_(tier_for(query.step)) {}

  Outcome<void> run() {
    each_row_of_text("SELECT id FROM device WHERE uuid = ?", query_.device.text,
                     [&](Statement& row) { device_ = row.integer(); });
    each_row(database_, "SELECT tier, block FROM summed WHERE device = ?", device_, outcome_, [&](Statement& row) {
      const auto tier = static_cast<std::size_t>(row.integer());
      if (tier <= kTop) summed_.at(tier) = row.integer();
    });
    if (!outcome_ || device_ == 0) return outcome_;
    find_ends();
    find_begins();
    for (std::size_t tier = kTop + 1; tier-- > 0;) read(tier);
    return outcome_;
  }

 private:
  template <class Taker>
  void each_row_of_text(std::string_view sql, std::string_view value, const Taker& taker) {
    auto statement = database_.prepare(sql);
    if (!statement) {
      outcome_ = tl::make_unexpected(statement.error());
      return;
    }
    statement->bind(value);
    const auto row = statement->step();
    if (!row) outcome_ = tl::make_unexpected(row.error());
    if (row && *row) taker(*statement);
  }

  // Each tier is read up to where its last whole piece ends; the rest is left to the finer ones.
  void find_ends() {
    const auto to = since_epoch(query_.to);
    for (std::size_t tier = 0; tier <= kTop; ++tier) {
      ends_.at(tier) = tier == 0 ? to : floor_to(to, kTiers.at(tier).piece);
    }
  }

  // Coarser tiers than the usual one are read up to where the usual one begins: within what is asked for, as a machine
  // whose clock had stopped may have measured something in 1970.
  void find_begins() {
    milliseconds begin = ends_.at(0);
    for (std::size_t tier = 0; tier <= usual_; ++tier) begin = std::min(begin, first_of(tier, passed_over(tier)));
    for (std::size_t tier = usual_ + 1; tier <= kTop; ++tier) {
      ends_.at(tier) = std::min(ends_.at(tier), floor_to(begin, kTiers.at(tier).piece));
      begin = std::min(begin, first_of(tier, 0));
    }
  }

  // Blocks of finer tiers than the usual one that were summed up in it.
  std::int64_t passed_over(std::size_t tier) const { return tier < usual_ ? summed_.at(tier) : 0; }

  milliseconds first_of(std::size_t tier, std::int64_t after) {
    auto first = ends_.at(0);
    auto statement =
        database_.prepare("SELECT min(first_ms) FROM block WHERE tier = ? AND device = ? AND id > ? AND last_ms >= ?");
    if (!statement) {
      outcome_ = tl::make_unexpected(statement.error());
      return first;
    }
    statement->bind(std::uint64_t{tier}).bind(device_).bind(after).bind(std::int64_t{since_epoch(query_.from).count()});
    const auto row = statement->step();
    if (!row) outcome_ = tl::make_unexpected(row.error());
    if (row && *row && !statement->is_null()) first = milliseconds(statement->integer());
    return first;
  }

  void read(std::size_t tier) {
    if (!outcome_) return;
    auto statement = database_.prepare(fmt::format(
        "SELECT {} FROM block WHERE tier = ? AND device = ? AND (id > ? OR last_ms >= ?) AND first_ms < ? AND "
        "last_ms >= ? ORDER BY id",
        kBlockColumns));
    if (!statement) {
      outcome_ = tl::make_unexpected(statement.error());
      return;
    }
    statement->bind(std::uint64_t{tier}).bind(device_).bind(passed_over(tier)).bind(std::int64_t{rest(tier).count()});
    statement->bind(std::int64_t{ends_.at(tier).count()}).bind(std::int64_t{since_epoch(query_.from).count()});
    for (;;) {
      const auto row = statement->step();
      if (!row) outcome_ = tl::make_unexpected(row.error());
      if (!row || !*row) return;
      if (const auto block = read_block(*statement, device_)) read(*block);
    }
  }

  // From where on a tier is read though it was summed up: there the coarser one ends.
  milliseconds rest(std::size_t tier) const { return tier < usual_ ? ends_.at(tier + 1) : milliseconds::min(); }

  void read(const StoredBlock& block) {
    const Layout& layout = layout_of(block.layout);
    const auto from = block.id > passed_over(block.tier) ? since_epoch(query_.from)
                                                         : std::max(since_epoch(query_.from), rest(block.tier));
    for (std::size_t metric = 0; metric < query_.metrics.size(); ++metric) {
      const auto column = layout.find(query_.metrics[metric]);
      if (!column) continue;
      static_cast<void>(read_metric(block, *column, layout, [&](milliseconds at, const HistoryBucket& bucket) {
        if (at < from || at >= ends_.at(block.tier) || is_known(block, at)) return;
        take_(metric, WallTime(std::chrono::duration_cast<WallTime::duration>(at)), bucket);
      }));
    }
  }

  // After somebody set the clock the same moment of this run may lie elsewhere.
  bool is_known(const StoredBlock& block, milliseconds at) const {
    if (block.run != run_ || !query_.known) return false;
    const auto end = at - block.offset() + std::max(kTiers.at(block.tier).piece, milliseconds(1));
    return end > std::chrono::floor<milliseconds>(query_.known->time_since_epoch());
  }

  const Layout& layout_of(std::int64_t number) {
    const auto known = layouts_.find(number);
    if (known != layouts_.end()) return known->second;
    Layout layout;
    each_row(database_, "SELECT metrics FROM layout WHERE id = ?", number, outcome_,
             [&](Statement& row) { layout = Layout::parse(row.text()); });
    return layouts_.emplace(number, std::move(layout)).first->second;
  }

  Database& database_;
  const OlderHistory::Query& query_;
  const std::int64_t run_;
  const OlderHistory::Take& take_;
  const std::size_t usual_;  // tier
  std::int64_t device_ = 0;  // its number in the file
  std::array<std::int64_t, kTiers.size()> summed_{};
  std::array<milliseconds, kTiers.size()> ends_{};
  std::map<std::int64_t, Layout> layouts_;
  Outcome<void> outcome_;
};

}  // namespace

Outcome<Database> open_to_read(const std::string& path) {
  auto database = Database::open(path, Database::Access::read);
  if (!database) return database;
  const auto version = database->integer("PRAGMA user_version");
  if (!version) return tl::make_unexpected(version.error());
  if (*version == 0) return tl::make_unexpected(Failure{{Errc::unavailable, "it is not ready yet"}, false});
  return database;
}

Error HistoryReader::told(const Failure& failure) const {
  if (failure.damaged) on_damage_(failure.error.message);
  return {failure.error.code, fmt::format("{}: {}", path_, failure.error.message)};
}

Result<void> HistoryReader::read(const Query& query, const Take& take) const {
  std::error_code unknown;
  if (!std::filesystem::exists(path_, unknown) && !unknown) return {};  // nothing was kept yet
  auto database = open_to_read(path_);
  if (!database) return tl::make_unexpected(told(database.error()));
  auto done = database->execute("BEGIN");  // what is summed up meanwhile is not seen twice
  if (done) done = Look(*database, query, run_, take).run();
  if (!done) return tl::make_unexpected(told(done.error()));
  return {};
}

std::optional<WallTime> HistoryReader::oldest() const {
  return oldest_after(WallTime::min());
}

std::optional<WallTime> HistoryReader::oldest_after(WallTime moment) const {
  auto database = open_to_read(path_);
  if (!database) return std::nullopt;
  auto statement = database->prepare("SELECT min(first_ms) FROM block WHERE last_ms >= ?");
  if (!statement) return std::nullopt;
  statement->bind(std::int64_t{since_epoch(moment).count()});
  const auto row = statement->step();
  if (!row || !*row || statement->is_null()) return std::nullopt;
  return WallTime(std::chrono::duration_cast<WallTime::duration>(milliseconds(statement->integer())));
}

}  // namespace gpukeeper::history_file
