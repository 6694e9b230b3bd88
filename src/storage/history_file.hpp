#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "device/device.hpp"
#include "storage/history_store_settings.hpp"
#include "storage/history_tier.hpp"
#include "storage/own_file.hpp"

namespace gpukeeper::history_file {

/// `history.db`, as its one writer sees it: blocks are appended, summed up, and dropped when they are old or too many.
/// A block is written as a whole or not at all, and each has a checksum.
///
/// Threads: one at a time.
class HistoryFile {
 public:
  explicit HistoryFile(std::string path);

  const std::string& path() const { return file_.path(); }
  bool is_open() { return file_.database() != nullptr; }
  bool is_in_place() const { return file_.is_in_place(); }

  /// As OwnFile's.
  sqlite::Outcome<void> open();
  void close() { file_.close(); }
  Result<std::string> replace(const std::string& why);

  /// Blocks of the finest tier that go together, all or none; their `layout` is set here.
  struct Entry {
    DeviceId device;
    StoredBlock block;
  };
  sqlite::Outcome<void> append(std::vector<Entry> entries, const Layout& layout);

  /// Sums up what is complete, in every tier and of every device. `now` by the clock on the wall: what lies well before
  /// it is complete though nothing followed.
  sqlite::Outcome<void> sum_up(WallTime now);

  /// Drops what is older than its tier is kept, by the clock on the wall, and was summed up.
  sqlite::Outcome<void> drop_old(const HistoryStoreSettings& settings, WallTime now);

  /// Drops the oldest of the finest tier that has any, until the file fits.
  sqlite::Outcome<void> drop_above(Bytes size);

  /// Gives the room of what was dropped back to the disk, but for some that the next blocks will take.
  sqlite::Outcome<void> shrink();

  /// What it takes on the disk, without the room that is free in it.
  sqlite::Outcome<Bytes> used();

 private:
  struct Group;
  sqlite::Outcome<std::int64_t> number_of(const DeviceId& device);
  sqlite::Outcome<std::int64_t> number_of(const Layout& layout);
  sqlite::Outcome<std::int64_t> insert(std::int64_t device, const StoredBlock& block);
  sqlite::Outcome<std::vector<std::int64_t>> devices();
  sqlite::Outcome<void> sum_up(std::size_t tier, std::int64_t device, milliseconds now);
  sqlite::Outcome<std::vector<Group>> groups(std::size_t tier, std::int64_t device, milliseconds now);
  sqlite::Outcome<void> sum_up(std::size_t tier, std::int64_t device, const Group& group);
  sqlite::Outcome<std::optional<Layout>> layout(std::int64_t number);

  sqlite::OwnFile file_;
};

/// The columns of a block in a query, and the block in the row that was reached. Nothing when its checksum does not
/// fit.
inline constexpr const char* kBlockColumns =
    "id, tier, first_ms, last_ms, run, since_ms, layout, row_count, checksum, data";
std::optional<StoredBlock> read_block(sqlite::Statement& row, std::int64_t device);

}  // namespace gpukeeper::history_file
