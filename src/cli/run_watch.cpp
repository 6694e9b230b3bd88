#include "cli/run_watch.hpp"

#include <algorithm>
#include <utility>

#include "cli/document.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 1s;

RunLook::Gpu gpu_of(const Json& device) {
  const Json& metrics = member(device, "metrics");
  return {.id = text_in(device, "uuid"),
          .index = count_in(device, "index"),
          .busy_percent = number_in(metrics, "utilization_percent"),
          .power_watts = number_in(metrics, "power_watts"),
          .energy_joules = number_in(metrics, "energy_joules"),
          .capped_seconds = number_in(metrics, "throttle_power_seconds"),
          .too_hot_seconds = number_in(metrics, "throttle_thermal_seconds"),
          .speed_multiplier = number_in(member(device, "throttling"), "speed_multiplier")};
}

// The device of that id, or the partition.
const Json* find_device(const Json& devices, const std::string& id) {
  for (const Json& device : devices) {
    if (text_in(device, "uuid") == id) return &device;
    if (const Json* found = find_device(list_in(device, "partitions"), id)) return found;
  }
  return nullptr;
}

}  // namespace

RunWatch::RunWatch(OpenDesk open, std::vector<RunLease> leases, const Clock& clock)
    : open_(std::move(open)), leases_(std::move(leases)), clock_(clock) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

RunUse RunWatch::end() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return meter_.use();
}

void RunWatch::run(const std::stop_token& stop) {
  const auto desk = open_();
  if (!desk) return;  // then nothing was measured, and the account says so
  SystemClock pace;
  auto due = clock_.now();
  while (!stop.stop_requested()) {
    look(**desk, true);
    due = std::max(due + kLook, clock_.now());
    pace.sleep_until(due, stop);
  }
  look(**desk, false);
}

void RunWatch::look(LeaseDesk& desk, bool running) {
  const auto reply = desk.ask({.method = "GET", .target = "/api/v1/snapshot"});
  if (!reply || !reply->good()) {
    speed_ = 1;
    return;
  }
  const Json document = parse_document(reply->body);
  RunLook look{.at = clock_.now(), .memory = Bytes(0), .gpus = {}};
  double speed = 1;
  for (const RunLease& lease : leases_) {
    if (const Json* device = find_device(list_in(document, "devices"), lease.device)) {
      look.gpus.push_back(gpu_of(*device));
      speed = std::min(speed, look.gpus.back().speed_multiplier.value_or(1));
    }
    const auto bytes = running ? desk.observed(lease.id, lease.device) : std::nullopt;
    look.memory = look.memory && bytes ? std::optional(*look.memory + *bytes) : std::nullopt;
  }
  speed_ = speed;
  meter_.add(look, running);
}

bool stands_still(double speed, std::chrono::nanoseconds since_start) {
  constexpr std::chrono::nanoseconds kPeriod = 1s;
  if (speed >= 1) return false;
  const double part = std::chrono::duration<double>(since_start % kPeriod) / std::chrono::duration<double>(kPeriod);
  return part >= std::max(speed, 0.0);
}

}  // namespace gpukeeper::cli
