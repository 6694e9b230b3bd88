#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpukeeper/error.hpp"
#include "gpukeeper/gpu_metrics.hpp"
#include "gpukeeper/gpu_monitor.hpp"
#include "gpukeeper/metrics_registry.hpp"
#include "gpukeeper/metrics_server.hpp"

namespace gpukeeper {
inline namespace v0 {

/// Metrics of GPUs, and of the program's own, for Prometheus:
///
///     auto exporter = PrometheusExporter().with_prefix("entrenar").with_port(9090);
///     exporter.register_gpu_metrics(monitor);
///     exporter.start();
///
/// http://127.0.0.1:9090/metrics then has entrenar_gpu_temperature_celsius{device="0"}, _utilization_percent (and
/// _utilization), _memory_used_bytes and _power_watts; what a GPU does not report has no line. The GPUs are looked at
/// when somebody asks.
///
/// Copies are the same exporter; it stops with the last. What is wrong is thrown as Error, GK_INVALID.
/// Threads: every member may be called from any.
class PrometheusExporter {
 public:
  PrometheusExporter& with_prefix(std::string_view prefix) { return well(sources_->registry.set_prefix(prefix)); }
  /// Any free one for 0. Before start().
  PrometheusExporter& with_port(std::uint16_t port) {
    const std::scoped_lock lock(server_->mutex);
    server_->port = port;
    return *this;
  }
  /// Where it listens: "127.0.0.1" at first, which only this machine reaches; "0.0.0.0" or "[::]" for all. Before
  /// start().
  PrometheusExporter& with_address(std::string address) {
    const std::scoped_lock lock(server_->mutex);
    server_->address = std::move(address);
    return *this;
  }
  /// On every line: with_labels(LabelSet().add("experiment", "7")).
  PrometheusExporter& with_labels(const LabelSet& labels) { return well(sources_->registry.set_labels(labels)); }

  /// The GPUs of this one, too.
  void register_gpu_metrics(GpuMonitor monitor) {
    const std::scoped_lock lock(sources_->mutex);
    sources_->monitors.push_back(std::move(monitor));
  }

  /// A metric of the program's own, and its values; the latest counts.
  void register_metric(const MetricDef& metric) { well(sources_->registry.add(metric)); }
  void record(std::string_view name, double value) { record_with_labels(name, value, {}); }
  void record_with_labels(std::string_view name, double value, const LabelSet& labels) {
    well(sources_->registry.record(name, value, labels));
  }

  /// The numbers of a training, by names that are registered when the first of them is told: entrenar_epoch_loss,
  /// _learning_rate and _batch_throughput (in what the program counts, a second) ...
  void record_epoch(double loss, double learning_rate, double batch_throughput) {
    record_training("epoch_loss", loss);
    record_training("learning_rate", learning_rate);
    record_training("batch_throughput", batch_throughput);
  }
  /// ... _validation_loss, _validation_accuracy ...
  void record_validation(double loss, double accuracy) {
    record_training("validation_loss", loss);
    record_training("validation_accuracy", accuracy);
  }
  /// ... _training_steps_total, which counts these calls ...
  void record_batch(double throughput) {
    const std::scoped_lock lock(sources_->mutex);  // of two threads the greater count is told last
    record_training("training_steps_total", static_cast<double>(++sources_->steps));
    record_training("batch_throughput", throughput);
  }
  /// ... and _memory_used_bytes, of the program itself.
  void record_memory(std::uint64_t bytes) { record_training("memory_used_bytes", static_cast<double>(bytes)); }

  std::size_t total_series() const { return sources_->registry.series(); }
  void clear() { sources_->registry.clear(); }

  /// What is served. Throw Error where a monitor cannot say anything.
  std::string export_text() const { return sources_->registry.text(sources_->look()); }
  std::string export_json() const { return sources_->registry.json(sources_->look()); }

  /// Serves it until stop(). Throws Error where the port is taken; once it runs, again does nothing.
  void start() {
    const std::scoped_lock lock(server_->mutex);
    if (server_->http.port() != 0) return;
    const std::string mistake =
        server_->http.start(server_->address + ":" + std::to_string(server_->port), [sources = sources_](auto& text) {
          try {
            text = sources->registry.text(sources->look());
            return true;
          } catch (const std::exception& e) {
            text = e.what();
          } catch (...) {
            text = "a backend threw what is no exception";
          }
          return false;
        });
    if (!mistake.empty()) throw Error(GK_UNAVAILABLE, mistake);
  }
  void stop() {
    const std::scoped_lock lock(server_->mutex);
    server_->http.stop();
  }
  /// Where it listens; 0 while it does not.
  std::uint16_t port() const {
    const std::scoped_lock lock(server_->mutex);
    return server_->http.port();
  }

 private:
  // Apart from the server, whose thread uses it.
  struct Sources {
    MetricsRegistry registry;
    std::mutex mutex;
    std::vector<GpuMonitor> monitors;  // guarded by mutex

    std::once_flag training;  // its metrics are registered
    std::uint64_t steps = 0;  // guarded by mutex

    std::vector<GpuMetrics> look() {
      std::unique_lock lock(mutex);
      const auto all = monitors;
      lock.unlock();
      std::vector<GpuMetrics> metrics;
      for (const GpuMonitor& monitor : all) {
        for (GpuMetrics& each : monitor.collect_metrics()) metrics.push_back(std::move(each));
      }
      return metrics;
    }
  };
  struct Server {
    std::mutex mutex;  // guards all below
    std::string address = "127.0.0.1";
    std::uint16_t port = 9090;
    MetricsServer http;
  };

  PrometheusExporter& well(const std::string& mistake) {
    if (!mistake.empty()) throw Error(GK_INVALID, mistake);
    return *this;
  }

  // One that the program has registered itself is that one.
  void record_training(std::string_view name, double value) {
    std::call_once(sources_->training, [&registry = sources_->registry] {
      for (MetricDef& metric : training_metrics()) static_cast<void>(registry.add(std::move(metric)));
    });
    record(name, value);
  }
  static std::vector<MetricDef> training_metrics() {
    return {MetricDef::gauge("epoch_loss", "Loss of the latest epoch."),
            MetricDef::gauge("validation_loss", "Loss of the latest validation."),
            MetricDef::gauge("validation_accuracy", "Accuracy of the latest validation."),
            MetricDef::gauge("learning_rate", "Learning rate of the latest epoch."),
            MetricDef::gauge("batch_throughput", "What is trained on in a second."),
            MetricDef::gauge("memory_used_bytes", "Memory that the training uses."),
            MetricDef::counter("training_steps_total", "Steps since the start.")};
  }

  std::shared_ptr<Sources> sources_ = std::make_shared<Sources>();
  std::shared_ptr<Server> server_ = std::make_shared<Server>();
};

}  // namespace v0
}  // namespace gpukeeper
