// A scenario of any bytes is refused with file, line and column, or makes devices that keep what a reading promises.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "backend/simulated/simulated_backend.hpp"
#include "core/text.hpp"
#include "device/metric_fields.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::simulated;

class HandClock final : public Clock {
 public:
  MonotonicTime now() const override { return now_; }
  WallTime wall() const override { return {}; }
  void sleep_until(MonotonicTime until, std::stop_token) override { now_ = until; }

 private:
  MonotonicTime now_{};
};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_error(const Error& error, std::string_view file) {
  require(error.code == Errc::invalid_argument, "a refused scenario is an invalid argument");
  std::string_view rest = error.message;
  require(rest.starts_with(file) && rest.substr(file.size()).starts_with(':'), "the message begins with the file");
  const auto parts = split(rest.substr(file.size() + 1), ':');
  require(parts.size() >= 3, "the message has line, column and words");
  require(parse_u64(parts[0]).value_or(0) >= 1, "the line counts from 1");
  require(parse_u64(parts[1]).value_or(0) >= 1, "the column counts from 1");
}

void check_reading(const Device& device, const Reading& reading) {
  for (const MetricRow& row : metric_table()) {
    const auto number = to_number(row.value(device, reading));
    if (!number) continue;
    require(std::isfinite(*number), "numbers are finite");
    require(row.unit != "percent" || (*number >= 0 && *number <= 100), "percents are from 0 to 100");
  }
  require(!reading.memory_used || !reading.memory_total || *reading.memory_used <= *reading.memory_total,
          "no more memory is used than there is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kFile = "fuzz.yaml";
  auto scenario = parse_scenario({reinterpret_cast<const char*>(data), size}, kFile);
  if (!scenario) {
    check_error(scenario.error(), kFile);
    return 0;
  }
  const auto hangs = [](const Fault& fault) { return fault.kind == FaultKind::hang; };
  std::erase_if(scenario->faults, hangs);  // nobody would end them: there is one thread
  for (DeviceSpec& device : scenario->devices) std::erase_if(device.faults, hangs);

  HandClock clock;
  SimulatedBackend backend(*std::move(scenario), clock);
  for (const auto later : {0, 1, 59, 3600}) {
    clock.sleep_until(clock.now() + std::chrono::seconds(later), {});
    const auto devices = backend.list();
    require(devices.has_value(), "a simulated machine can always be listed");
    for (const Device& device : *devices) {
      require(device.simulated, "what is simulated says so");
      if (const auto reading = backend.read(device.id)) check_reading(device, *reading);
      std::int64_t last = 0;
      const auto processes = backend.processes(device.id);
      if (!processes) continue;
      for (const GpuProcess& process : *processes) {
        require(process.pid > last, "every pid once, in order");
        last = process.pid;
      }
    }
  }
  return 0;
}
