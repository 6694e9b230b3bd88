#include "service/documented/gpu_api.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "service/documented/gpu_config.hpp"
#include "service/documented/gpu_list.hpp"
#include "service/documented/gpu_objects.hpp"
#include "service/elsewhere.hpp"
#include "service/parameters.hpp"
#include "telemetry/history.hpp"
#include "telemetry/trend.hpp"

namespace gpukeeper::service::documented {
namespace {

using SnapshotPtr = std::shared_ptr<const Snapshot>;
using AllocationsPtr = std::shared_ptr<const AllocationsByDevice>;

constexpr std::int64_t kMostMinutes = 400 * 24 * 60;  // as long as a history can be

Json all_statuses(const Snapshot& snapshot, const AllocationsByDevice& allocations) {
  Json gpus = Json::array();
  for (const DeviceSnapshot& device : snapshot.devices) {
    gpus.push_back(status_object(snapshot, device.index, allocations));
  }
  const std::size_t count = gpus.size();
  return {{"gpu_count", count}, {"gpus", std::move(gpus)}};
}

/// The answers that clients ask for again and again: each is written once for a snapshot and what is allocated then.
/// Threads: one, the server's.
class Statuses {
 public:
  Response one(const SnapshotPtr& snapshot, const AllocationsPtr& allocations, std::int64_t gpu_id) {
    return kept(gpu_id, snapshot, allocations,
                [&] { return succeeded(status_object(*snapshot, gpu_id, *allocations)); });
  }
  Response all(const SnapshotPtr& snapshot, const AllocationsPtr& allocations) {
    return kept(std::nullopt, snapshot, allocations, [&] { return succeeded(all_statuses(*snapshot, *allocations)); });
  }

 private:
  /// `gpu_id` is nothing for all of them: no number can mean that, as a client may ask for any.
  template <class Make>
  Response kept(std::optional<std::int64_t> gpu_id, const SnapshotPtr& snapshot, const AllocationsPtr& allocations,
                const Make& make) {
    if (snapshot != snapshot_ || allocations != allocations_) {
      written_.clear();
      snapshot_ = snapshot;
      allocations_ = allocations;
    }
    const auto found = written_.find(gpu_id);
    if (found != written_.end()) return found->second;
    Response response = make();
    if (!gpu_id || find_gpu(*snapshot, *gpu_id)) written_.emplace(gpu_id, response);  // no client makes it grow
    return response;
  }

  SnapshotPtr snapshot_;
  AllocationsPtr allocations_;
  std::map<std::optional<std::int64_t>, Response> written_;
};

Response metrics(const Request& request, const Sights& sights) {
  const auto snapshot = sights.snapshot();
  if (snapshot->sequence == 0) return starting();
  const bool readable = may_read_command_lines(request.who);
  Json document = gpu_metrics(*snapshot, readable ? CommandLines::shown : CommandLines::hidden);
  const DeviceSnapshot* const device = find_gpu(*snapshot, gpu_in_query(request));
  const bool known = device && device->available;
  document["success"] = known;
  if (known) {
    document["data"] = metrics_object(*snapshot, *device);
  } else {
    document["error"] = "GPU not available or invalid GPU ID";
  }
  return answer(known ? 200 : 404, document);
}

// Of every GPU in turn, as one loop over all of them would have written it.
std::vector<HistorySample> samples(const History& history, const Snapshot& snapshot, std::optional<std::int64_t> gpu_id,
                                   std::size_t limit) {
  std::vector<HistorySample> all;
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (gpu_id && *gpu_id != device.index) continue;
    const auto own = history.samples(device.device->id, limit);
    all.insert(all.end(), own.begin(), own.end());
  }
  std::ranges::stable_sort(all, {}, &HistorySample::at);
  if (limit > 0 && all.size() > limit) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(limit));
  return all;
}

Response history(const Request& request, const Sights& sights) {
  constexpr std::int64_t kUsual = 100;
  const auto past = sights.past.history();
  const auto snapshot = sights.snapshot();
  if (!past || snapshot->sequence == 0) return starting();
  std::int64_t limit = number_in_query(request, "limit").value_or(kUsual);
  if (limit < 0) limit = kUsual;  // the documents' own slice from the front is a mistake of theirs
  Json rows = Json::array();
  for (const HistorySample& sample :
       samples(*past, *snapshot, number_in_query(request, "gpu_id"), static_cast<std::size_t>(limit))) {
    rows.push_back(history_row(sample));
  }
  const std::size_t count = rows.size();
  return succeeded({{"count", count}, {"metrics", std::move(rows)}});
}

Response trend(const Request& request, const Sights& sights) {
  constexpr std::int64_t kUsual = 5;
  const auto past = sights.past.history();
  const auto snapshot = sights.snapshot();
  if (!past || snapshot->sequence == 0) return starting();
  const std::int64_t minutes = number_in_query(request, "duration").value_or(kUsual);
  const DeviceSnapshot* const device = find_gpu(*snapshot, gpu_in_query(request));
  if (!device || minutes <= 0) return succeeded(Json::object());
  const auto found = temperature_trend(*past, device->device->id, std::chrono::minutes(std::min(minutes, kMostMinutes)),
                                       device->throttling.thresholds);
  return succeeded(found ? trend_object(found->trend, minutes) : Json::object());
}

Response throttle(const Sights& sights) {
  const auto snapshot = sights.snapshot();
  return snapshot->sequence == 0 ? starting() : succeeded(throttle_object(*snapshot));
}

// As documented it succeeds without a GPU, too: there is nothing to start, and the log says so.
Response start_monitoring(const Sights& sights, const Hands& hands) {
  if (!hands.opened()) return starting();
  const auto snapshot = sights.snapshot();
  if (snapshot->sequence > 0 && snapshot->devices.empty()) {
    hands.warn("Cannot start monitoring - GPU not available");
  } else {
    hands.monitor(true);
  }
  return done("GPU monitoring started");
}

Response stop_monitoring(const Hands& hands) {
  if (!hands.opened()) return starting();
  hands.monitor(false);
  return done("GPU monitoring stopped");
}

}  // namespace

std::vector<Route> gpu_api_routes(const std::shared_ptr<const Sights>& sights,
                                  const std::shared_ptr<const Hands>& hands, const std::shared_ptr<GpuMemory>& memory) {
  const auto statuses = std::make_shared<Statuses>();
  std::vector<Route> rows = {
      described({"GET", "/api/gpu/status", "How one GPU is, for clients of the GPU manager; ?gpu_id=.",
                 [memory, statuses](const Request& request) {
                   return memory->with(request, [statuses, id = gpu_in_query(request)](const SnapshotPtr& snapshot,
                                                                                       const AllocationsPtr& known) {
                     return statuses->one(snapshot, known, id);
                   });
                 },
                 true},
                {.tag = kGpuManager, .query = {kGpuId}, .gives = "documented.gpu_status"}),
      described({"GET", "/api/gpu/status/all", "How every GPU is, for clients of the GPU manager.",
                 [memory, statuses](const Request& request) {
                   return memory->with(request, [statuses](const SnapshotPtr& snapshot, const AllocationsPtr& known) {
                     return statuses->all(snapshot, known);
                   });
                 },
                 true},
                {.tag = kGpuManager, .gives = "documented.gpu_statuses"}),
      described({"GET", "/api/gpu/metrics",
                 "The readings of one GPU (?gpu_id=) for clients of the GPU manager, and of all with their processes "
                 "for those "
                 "of the system monitor.",
                 [sights](const Request& request) { return metrics(request, *sights); }, true},
                {.tag = kGpuManager, .query = {kGpuId}, .gives = "documented.gpu_metrics"}),
      described(
          {"GET", "/api/gpu/metrics/history", "The last samples, for clients of the GPU manager; ?gpu_id=, limit=.",
           [sights](const Request& request) { return history(request, *sights); }, false, true},
          {.tag = kGpuManager,
           .query = {kGpuId, {"limit", "number", "How many samples; 0 for all."}},
           .gives = "documented.gpu_history"}),
      described({"GET", "/api/gpu/temperature/trend",
                 "Where a GPU's temperature is going, for clients of the GPU manager; ?gpu_id=, duration= in minutes.",
                 [sights](const Request& request) { return trend(request, *sights); }, false, true},
                {.tag = kGpuManager,
                 .query = {kGpuId, {"duration", "number", "In minutes."}},
                 .gives = "documented.gpu_trend"}),
      described({"GET", "/api/gpu/throttle/status", "How fast work may go on all GPUs, for clients of the GPU manager.",
                 [sights](const Request&) { return throttle(*sights); }, true},
                {.tag = kGpuManager, .gives = "documented.gpu_throttle"}),
      described({"POST", "/api/gpu/monitoring/start", "Looks at the GPUs all the time, for clients of the GPU manager.",
                 [sights, hands](const Request&) { return start_monitoring(*sights, *hands); }},
                {.tag = kGpuManager, .gives = "documented.done"}),
      described(
          {"POST", "/api/gpu/monitoring/stop", "Looks at them only when somebody asks, for clients of the GPU manager.",
           [hands](const Request&) { return stop_monitoring(*hands); }},
          {.tag = kGpuManager, .gives = "documented.done"}),
  };
  for (Route& row : gpu_memory_routes(memory)) rows.push_back(std::move(row));
  for (Route& row : gpu_config_routes(hands)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace gpukeeper::service::documented
