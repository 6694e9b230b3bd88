// Metrics of the GPUs and of a training, for Prometheus.
//
//   exporter [SECONDS]
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>

#include <gpukeeper/gpukeeper.hpp>

using namespace gpukeeper;

int main(int argc, char** argv) try {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 60;
  auto exporter = PrometheusExporter().with_prefix("entrenar").with_port(0).with_labels(LabelSet().add("run", "7"));
  exporter.register_gpu_metrics(GpuMonitor::create());
  exporter.register_metric(MetricDef::gauge("epoch_loss", "Loss of the latest epoch."));
  exporter.register_metric(MetricDef::counter("training_steps_total", "Steps so far.").with_labels({"phase"}));
  exporter.start();
  std::cout << "http://127.0.0.1:" << exporter.port() << "/metrics has:\n\n" << std::flush;

  for (int epoch = 0; epoch <= seconds; ++epoch) {
    exporter.record("epoch_loss", 2.0 / (1 + epoch));
    exporter.record_with_labels("training_steps_total", 1000 * epoch, LabelSet().add("phase", "train"));
    if (epoch < seconds) std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  std::cout << exporter.export_text();
} catch (const std::exception& error) {
  std::cerr << "exporter: " << error.what() << '\n';
  return 1;
}
