// Prints what every GPU does, with a curve of its use, and alerts; serves it to Prometheus if asked to.
//
//   gpu_monitor [--interval SECONDS] [--samples N] [--prometheus [--port 9090]]
//
// It goes on until it is interrupted, or for so many samples. GPUKEEPER_SOURCE chooses other GPUs than this machine's:
// simulated:examples/scenarios/two-gpus.yaml.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gpukeeper/gpukeeper.hpp>

using namespace gpukeeper;

namespace {

struct Options {
  std::uint32_t interval = 5;  // seconds
  std::optional<std::uint32_t> samples;
  bool prometheus = false;
  std::uint16_t port = 9090;
};

std::uint32_t number(std::string_view option, const char* text, std::uint32_t least, std::uint32_t most) {
  char* end = nullptr;
  const unsigned long value = text ? std::strtoul(text, &end, 10) : 0;
  if (!text || *text < '0' || *text > '9' || *end != '\0' || value < least || value > most) {
    throw std::invalid_argument(std::string(option) + " takes a number from " + std::to_string(least) + " to " +
                                std::to_string(most));
  }
  return static_cast<std::uint32_t>(value);
}

Options options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const auto value = [&](std::uint32_t least, std::uint32_t most) { return number(option, argv[++i], least, most); };
    if (option == "--interval") {
      options.interval = value(1, 3600);
    } else if (option == "--samples") {
      options.samples = value(1, 1'000'000);
    } else if (option == "--prometheus") {
      options.prometheus = true;
    } else if (option == "--port") {
      options.port = static_cast<std::uint16_t>(value(0, 65535));
    } else {
      throw std::invalid_argument("unknown option " + std::string(option) +
                                  ": there are --interval, --samples, --prometheus and --port");
    }
  }
  return options;
}

void print(const GpuMonitor& monitor, GpuMetricsBuffer& past, GpuAndonSystem& andon) {
  const auto metrics = monitor.collect_metrics();
  past.push(metrics);
  for (const GpuMetrics& gpu : metrics) {
    std::cout << format_gpu_panel(gpu, 60);
    if (gpu.simulated) std::cout << "      simulated: no hardware of this machine\n";
    if (!gpu.available) std::cout << "      " << gpu.reason << '\n';
    std::cout << "      " << sparkline(past.utilization_history(gpu.device_id)) << '\n';
  }
  for (const GpuAlert& alert : andon.check(metrics)) {
    std::cout << "ALERT [severity " << severity(alert) << "]: " << message(alert) << '\n';
  }
  std::cout << std::flush;
}

// Until then, or until somebody interrupts: SIGINT and SIGTERM are blocked, and waited for.
bool interrupted_within(std::uint32_t seconds, const sigset_t& signals) {
  const timespec time{.tv_sec = static_cast<time_t>(seconds), .tv_nsec = 0};
  return sigtimedwait(&signals, nullptr, &time) > 0;
}

void run(const Options& options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before there are threads, which inherit it

  const GpuMonitor monitor = GpuMonitor::create();
  PrometheusExporter exporter;
  if (options.prometheus) {
    exporter.with_prefix("entrenar").with_port(options.port);
    exporter.register_gpu_metrics(monitor);
    exporter.start();
    std::cout << "metrics: http://127.0.0.1:" << exporter.port() << "/metrics\n";
  }
  if (monitor.num_devices() == 0) std::cout << "no GPUs here; gpukeeper doctor says what was looked for\n";

  GpuMetricsBuffer past(60, monitor.num_devices());
  GpuAndonSystem andon = GpuAndonSystem::with_config({});
  for (std::uint32_t i = 0; !options.samples || i < *options.samples; ++i) {
    if (i > 0 && interrupted_within(options.interval, signals)) break;
    print(monitor, past, andon);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(options_of(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "gpu_monitor: " << error.what() << '\n';
    return 1;
  }
}
