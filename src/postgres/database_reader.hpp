#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "postgres/connection.hpp"
#include "telemetry/older_history.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::postgres {

/// A machine that has written there.
struct StoredHost {
  std::string name;
  std::size_t devices = 0;        ///< physical ones and partitions, those that have gone, too
  std::optional<WallTime> first;  ///< of its readings; nothing where there are none (any more)
  std::optional<WallTime> last;
};

/// A GPU or a partition of a machine.
struct StoredDevice {
  std::uint32_t index = 0;                       ///< of a partition that of its device
  std::optional<std::uint32_t> partition_index;  ///< of a partition
  std::shared_ptr<const Device> device;          ///< never null; what the database knows of it
  std::optional<WallTime> last;                  ///< of its readings
};

/// Devices as those of a snapshot, partitions in their devices. Of several that had one place the latest comes first.
std::vector<DeviceSnapshot> as_snapshots(std::vector<StoredDevice> devices);

/// Reads what many machines have written into a database: the server sums it up. What is asked for reaches it as
/// parameters, and of names only those of the metric table.
///
/// Errors of all: not_found where no gpukeeper has written there yet; deadline_exceeded where the server needs longer
/// than that; those of Connection, after which it is of no use any more.
/// Threads: one.
class DatabaseReader {
 public:
  /// `patience`: how long the server may work at one answer.
  DatabaseReader(std::unique_ptr<Connection> connection, std::chrono::milliseconds patience)
      : connection_(std::move(connection)), patience_(patience) {}

  /// By name.
  Result<std::vector<StoredHost>> hosts();

  /// Those of a machine, physical ones and partitions; empty for one that there is not. By index, the latest first.
  Result<std::vector<StoredDevice>> devices(const std::string& host);

  /// Of which metrics there is a column, as the metric table has them.
  Result<std::vector<std::string_view>> metrics();

  /// As OlderHistory::read, for a device of that machine, in pieces of the step.
  Result<void> read(const std::string& host, const OlderHistory::Query& query, const OlderHistory::Take& take);

  /// Since when there are readings of a machine.
  Result<std::optional<WallTime>> oldest(const std::string& host);

  /// How far apart the latest readings of a machine stand; nothing where there are too few.
  Result<std::optional<std::chrono::nanoseconds>> pace(const std::string& host);

 private:
  Result<Rows> ask(const std::string& sql, const std::vector<std::optional<std::string>>& parameters = {});

  std::unique_ptr<Connection> connection_;
  std::chrono::milliseconds patience_;
  std::vector<std::string_view> metrics_;  // empty before it was asked
};

}  // namespace gpukeeper::postgres
