#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "device/metric_table.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// One device or partition where it stands in a snapshot.
struct Place {
  const DeviceSnapshot* device;
  const DeviceSnapshot* parent = nullptr;  ///< of a partition: the physical device
};

/// "3", or "3:1" for the second partition of device 3.
std::string index_text(const Place& place);

/// Who a device is, beside its metrics: the first columns of CSV, and keys for `-q`.
struct IdentityRow {
  std::string_view name;
  std::string_view help;
  std::string (*value)(const Snapshot&, const Place&);  ///< empty when there is nothing to say
};
std::span<const IdentityRow> identity_table();

/// A key of `-q` and of CSV: of the identity table or of the metric table; exactly one is set.
struct ColumnKey {
  const IdentityRow* identity = nullptr;
  const MetricRow* metric = nullptr;
};

/// Errors: invalid_argument, naming the nearest key, for a name that neither table has.
Result<ColumnKey> find_key(std::string_view name);

/// The physical devices, each followed by its partitions.
std::vector<Place> places(const Snapshot& snapshot);

/// The snapshot with only the devices that the selectors name: an index ("0"), a partition ("0:1"), a UUID or a PCI
/// address. A partition is given without its device, as if it were one. The order stays that of the snapshot. No
/// selectors: all.
/// Errors: not_found for a selector that names no device; the message says which there are.
Result<Snapshot> select_devices(const Snapshot& snapshot, std::span<const std::string> selectors);

}  // namespace gpukeeper
