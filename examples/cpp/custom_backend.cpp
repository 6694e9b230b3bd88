// Accelerators that gpukeeper does not know, through the same monitor, alerts and exporter: a backend of one's own.
// This one takes them from a text with a line for each: its number, °C, watts, and '-' for what it does not report.
//
//   custom_backend
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gpukeeper/gpukeeper.hpp>

using namespace gpukeeper;

class TextBackend final : public GpuBackend {
 public:
  explicit TextBackend(std::string text) : text_(std::move(text)) {}

  std::uint32_t num_devices() override { return static_cast<std::uint32_t>(collect_metrics().size()); }

  std::vector<GpuMetrics> collect_metrics() override {
    std::vector<GpuMetrics> all;
    std::istringstream lines(text_);
    for (std::string line; std::getline(lines, line);) all.push_back(metrics_of(line));
    return all;
  }

 private:
  static GpuMetrics metrics_of(const std::string& line) {
    std::istringstream words(line);
    GpuMetrics m;
    std::string celsius, watts;
    if (!(words >> m.device_id >> celsius >> watts)) throw Error(GK_FAILED, "this line is no accelerator: " + line);
    m.name = "Accelerator " + std::to_string(m.device_id);
    if (celsius != "-") m.temperature_celsius = static_cast<std::uint32_t>(std::stoul(celsius));
    if (watts != "-") m.power_watts = std::stod(watts);
    return m;
  }

  std::string text_;
};

int main() try {
  const GpuMonitor monitor(std::make_shared<TextBackend>("0 64 71.5\n1 85 -\n"));
  for (const GpuMetrics& each : monitor.collect_metrics()) std::cout << to_json(each) << '\n';
  GpuAndonSystem andon;
  for (const GpuAlert& alert : andon.check(monitor.collect_metrics())) std::cout << message(alert) << '\n';

  PrometheusExporter exporter;
  exporter.register_gpu_metrics(monitor);
  std::cout << exporter.export_text();
} catch (const std::exception& error) {
  std::cerr << "custom_backend: " << error.what() << '\n';
  return 1;
}
