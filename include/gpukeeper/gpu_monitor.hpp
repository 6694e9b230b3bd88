#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gpukeeper/error.hpp"
#include "gpukeeper/gpu_backend.hpp"
#include "gpukeeper/gpu_metrics.hpp"
#include "gpukeeper/keeper.hpp"
#include "gpukeeper/mock_gpu_backend.hpp"

namespace gpukeeper {
inline namespace v0 {

/// The GPUs of a Keeper, with their processes.
class KeeperBackend final : public GpuBackend {
 public:
  explicit KeeperBackend(Keeper keeper) : keeper_(std::move(keeper)) {}

  std::uint32_t num_devices() override { return keeper_.device_count(); }

  std::vector<GpuMetrics> collect_metrics() override {
    std::string mistake;
    auto metrics = read_snapshot(keeper_.ask("GET", "/api/v1/snapshot"), &mistake);
    if (!metrics) throw Error(GK_FAILED, "the answer to GET /api/v1/snapshot " + mistake);
    return std::move(*metrics);
  }

 private:
  Keeper keeper_;
};

/// What every GPU does now: of this machine, of a daemon, made up, or of a backend of your own.
///
/// Copies are the same monitor. Threads: every member may be called from any; a backend is asked once at a time.
class GpuMonitor {
 public:
  /// As create(); where not even that can be opened (a configuration that is wrong) a mock without devices.
  GpuMonitor() : GpuMonitor(usual(), false) {}

  /// Without a GPU or a driver it has no devices, and is no mock. Throws Error where the options cannot be followed.
  static GpuMonitor create(const KeeperOptions& options = {}) { return of(Keeper(options)); }
  static GpuMonitor of(Keeper keeper) { return {std::make_shared<KeeperBackend>(std::move(keeper)), false}; }
  /// So many of the documented mock GPUs (mock_gpu_metrics).
  static GpuMonitor mock(std::uint32_t devices) {
    std::vector<GpuMetrics> metrics;
    for (std::uint32_t i = 0; i < devices; ++i) metrics.push_back(mock_gpu_metrics(i));
    return GpuMonitor(MockGpuBackend(std::move(metrics)));
  }
  GpuMonitor(MockGpuBackend backend)  // NOLINT: a mock is a monitor's whole story
      : GpuMonitor(std::make_shared<MockGpuBackend>(std::move(backend)), true) {}
  /// Another one, which is no mock.
  explicit GpuMonitor(std::shared_ptr<GpuBackend> backend) : GpuMonitor(std::move(backend), false) {}

  std::uint32_t num_devices() const {
    const std::scoped_lock lock(shared_->mutex);
    return shared_->backend->num_devices();
  }
  bool is_mock() const {
    const std::scoped_lock lock(shared_->mutex);
    return shared_->mock;
  }

  /// Every GPU now, by device_id; one that does not answer is among them, not `available`. Throws Error where not even
  /// that is known.
  std::vector<GpuMetrics> collect_metrics() const {
    const std::scoped_lock lock(shared_->mutex);
    return shared_->backend->collect_metrics();
  }
  std::vector<GpuMetrics> sample() const { return collect_metrics(); }

  /// Of a mock, its GPUs varied() by that; of any other nothing.
  std::vector<GpuMetrics> sample_with_variation(double v) const {
    if (!is_mock()) return {};
    std::vector<GpuMetrics> metrics = collect_metrics();
    for (GpuMetrics& each : metrics) each = varied(std::move(each), v);
    return metrics;
  }

  /// It is a mock of these from now on.
  void set_mock_metrics(std::vector<GpuMetrics> metrics) {
    auto backend = std::make_shared<MockGpuBackend>(std::move(metrics));
    const std::scoped_lock lock(shared_->mutex);
    shared_->backend = std::move(backend);
    shared_->mock = true;
  }

 private:
  struct Shared {
    std::mutex mutex;  // also lets one call at a time into the backend
    std::shared_ptr<GpuBackend> backend;
    bool mock;
  };

  static std::shared_ptr<GpuBackend> usual() {
    try {
      return std::make_shared<KeeperBackend>(Keeper());
    } catch (const Error&) {
      return nullptr;
    }
  }

  GpuMonitor(std::shared_ptr<GpuBackend> backend, bool mock) : shared_(std::make_shared<Shared>()) {
    shared_->mock = mock || !backend;
    shared_->backend = backend ? std::move(backend) : std::make_shared<MockGpuBackend>();
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace v0
}  // namespace gpukeeper
