// What a program does with the library, above all what crosses its border: objects, memory, exceptions, calls back.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include <gpukeeper/gpukeeper.hpp>

using namespace gpukeeper;

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  ++failures;
}

void reads_gpus() {
  const GpuMonitor monitor = GpuMonitor::create();
  const auto metrics = monitor.collect_metrics();
  expect(metrics.size() == 2 && monitor.num_devices() == 2, "there are two GPUs");
  expect(!metrics.empty() && metrics[0].name == "NVIDIA GeForce RTX 4090", "the first is an RTX 4090");
  expect(read_gpu_metrics(to_json(metrics)).has_value() == false, "an array is no GPU");
  for (const GpuMetrics& each : metrics) expect(read_gpu_metrics(to_json(each)) == each, "JSON brings it back");
}

void books_memory() {
  const Keeper keeper({.ledger_in_memory = true});
  const std::uint64_t before = keeper.available(0);
  {
    const Lease lease = keeper.allocate({.bytes = 1 << 30, .device = 0, .require = true});
    expect(keeper.available(0) + (1 << 30) == before, "a lease takes its room");
  }
  expect(keeper.available(0) == before, "and gives it back");
}

void catches_what_is_thrown() {
  const int before = std::uncaught_exceptions();
  try {
    const Keeper keeper({.source = "simulated:/nowhere.yaml"});
    expect(false, "what is not there cannot be opened");
  } catch (const Error& error) {
    expect(std::string(error.what()).find("/nowhere.yaml") != std::string::npos, "the error names the file");
  }
  try {
    PrometheusExporter().with_prefix("9");
    expect(false, "9 begins no name");
  } catch (const std::exception& error) {
    expect(error.what() == std::string("the prefix '9' begins no metric's name: that takes letters, digits and _, no "
                                       "digit first"),
           "the error says what would be right");
  }
  expect(std::uncaught_exceptions() == before, "both sides count the same");
}

void throws_from_where_it_is_called() {
  AndonSystem line({.log_alerts = false});
  line.on_stop([](const Alert& alert) { throw std::runtime_error(alert.message); });
  try {
    line.critical("stop");
    expect(false, "what a handler throws comes back");
  } catch (const std::runtime_error& error) {
    expect(error.what() == std::string("stop"), "as it was");
  }
}

void exports_metrics() {
  PrometheusExporter exporter;
  exporter.with_port(0).with_labels(LabelSet().add("run", "7"));
  exporter.register_gpu_metrics(GpuMonitor::mock(1));
  exporter.start();
  expect(exporter.port() != 0, "it listens");
  expect(
      exporter.export_text().find("entrenar_gpu_temperature_celsius{run=\"7\",device=\"0\"} 65\n") != std::string::npos,
      "and has the documented metrics");
}

}  // namespace

int main() {
  reads_gpus();
  books_memory();
  catches_what_is_thrown();
  throws_from_where_it_is_called();
  exports_metrics();
  expect(severity(GpuAlert(ThermalThrottling{0, 85, 80})) == 55, "alerts are judged");
  if (failures == 0) std::printf("gpukeeper %s: all well\n", gk_version());
  return failures == 0 ? 0 : 1;
}
