#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// One process on one device, with all that is known of it. Points into its snapshot.
struct ProcessRow {
  const DeviceSnapshot* device = nullptr;
  std::string place;                    ///< the device's index, or the partition's where it runs in one: "0", "0:1"
  const GpuProcess* process = nullptr;  ///< never null
  const ProcessFacts* facts = nullptr;  ///< null when nothing is known of who it is
  std::vector<std::string> also_on;     ///< the indices of the other devices that it uses
};

/// Every process on every device of the snapshot, by device, the largest in memory first.
std::vector<ProcessRow> process_rows(const Snapshot& snapshot);

/// Which processes are wanted. Everything that is given must hold.
struct ProcessFilter {
  std::optional<std::string> user;       ///< the name, or the number
  std::optional<std::string> container;  ///< the id or its beginning, maybe after the runtime: "docker:4f1c"
  std::optional<ProcessClass> kind;
  std::optional<std::string> pod;  ///< the uid or its beginning; the name, or the namespace, a slash and the name
  std::optional<std::string> job;  ///< of Slurm

  bool empty() const { return !user && !container && !kind && !pod && !job; }
  bool holds(const ProcessRow& row) const;
};

/// The class of that name ("ml_training").
/// Errors: invalid_argument, with the names that there are.
Result<ProcessClass> parse_process_class(std::string_view name);
std::vector<std::string_view> process_class_names();

/// A sentence for a filter under which nothing is left: "no process of user 'bob' uses a GPU: there are mara and root".
std::string nothing_holds(const std::vector<ProcessRow>& all, const ProcessFilter& filter);

enum class ProcessOrder { memory, gpu, cpu, time, pid, user };
inline constexpr std::pair<std::string_view, ProcessOrder> kProcessOrders[] = {
    {"memory", ProcessOrder::memory}, {"gpu", ProcessOrder::gpu}, {"cpu", ProcessOrder::cpu},
    {"time", ProcessOrder::time},     {"pid", ProcessOrder::pid}, {"user", ProcessOrder::user}};

/// Sorts over all devices: the largest, busiest or longest running first; pids and users rise. `reversed` turns that
/// round; what is absent stands last either way.
void sort_processes(std::vector<ProcessRow>& rows, ProcessOrder order, bool reversed);

/// How many processes the rows stand for: one that uses several devices counts once.
std::size_t count_processes(const std::vector<ProcessRow>& rows);

/// Memory of a device that no process listed holds; nothing when that cannot be told.
std::optional<Bytes> unattributed_memory(const DeviceSnapshot& device);

}  // namespace gpukeeper
