#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpukeeper/error.hpp"
#include "gpukeeper/gpu_metrics.hpp"
#include "gpukeeper/gpukeeper.h"
#include "gpukeeper/lease.hpp"
#include "gpukeeper/operation.hpp"
#include "gpukeeper/past.hpp"
#include "gpukeeper/subscription.hpp"

namespace gpukeeper {
inline namespace v0 {

/// How a GPU is doing, as the governor has it.
enum class State { optimal, normal, throttled, critical, unavailable };

/// How fast work may go.
struct Throttling {
  State state = State::unavailable;
  bool is_throttled = false;
  bool should_throttle = false;
  double speed_multiplier = 1;  ///< 1, 0.8, 0.5 or 0
};

/// What a Keeper is made of; a text that is empty is left to the usual.
struct KeeperOptions {
  std::string source = {};  ///< as --source; empty: $GPUKEEPER_SOURCE, else what this machine has
  std::string host = {};    ///< the daemon whose GPUs are looked at: as --host, or "local"; empty: this process looks
  std::string config = {};  ///< a file
  std::string state_dir = {};     ///< of the ledger
  bool ledger_in_memory = false;  ///< one of this keeper's own, kept nowhere; else the machine's
  bool monitoring = false;        ///< look at the GPUs all the time; else only when asked
};

/// A reading of the C interface as the documented record. Its processes stay out: the C interface has none.
inline GpuMetrics metrics_of(const gk_reading& r) {
  const auto number = [](double value) { return std::isnan(value) ? std::nullopt : std::optional(value); };
  const auto whole = [](double value) {
    constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
    return std::isnan(value) ? std::nullopt
                             : std::optional(static_cast<std::uint32_t>(value < 0       ? 0
                                                                        : value < kMost ? value
                                                                                        : kMost));
  };
  const auto bytes = [](std::uint64_t value) { return value == GK_ABSENT ? std::nullopt : std::optional(value); };
  const auto kilobytes = [](double value) {
    return std::isnan(value) ? std::nullopt : std::optional(static_cast<std::uint64_t>(value < 0 ? 0 : value / 1000));
  };
  GpuMetrics m;
  m.device_id = r.index;
  m.name = r.name;
  m.utilization_percent = whole(r.utilization_percent);
  m.memory_used_bytes = bytes(r.memory_used_bytes);
  m.memory_total_bytes = bytes(r.memory_total_bytes);
  m.memory_utilization_percent = whole(r.memory_busy_percent);
  m.temperature_celsius = whole(r.temperature_celsius);
  m.power_watts = number(r.power_watts);
  m.power_limit_watts = number(r.power_limit_watts);
  m.clock_mhz = whole(r.clock_graphics_mhz);
  m.memory_clock_mhz = whole(r.clock_memory_mhz);
  m.pcie_tx_kbps = kilobytes(r.pcie_tx_bytes_per_second);
  m.pcie_rx_kbps = kilobytes(r.pcie_rx_bytes_per_second);
  m.fan_speed_percent = whole(r.fan_percent);
  m.available = r.available != 0;
  m.simulated = r.simulated != 0;
  return m;
}

/// The GPUs of this machine, looked at by this process or by a running daemon, and their memory, booked.
///
/// Without a GPU or a driver there are no devices, and nothing fails. What fails throws Error.
/// Copies are the same keeper, which closes with the last of them and of its leases and subscriptions.
/// Threads: every member may be called from any. After fork() every call in the child throws GK_FORKED.
class Keeper {
 public:
  explicit Keeper(const KeeperOptions& options = {}) {
    const auto text = [](const std::string& option) { return option.empty() ? nullptr : option.c_str(); };
    gk_options in_c{};
    in_c.size = sizeof in_c;
    in_c.source = text(options.source);
    in_c.host = text(options.host);
    in_c.config = text(options.config);
    in_c.state_dir = text(options.state_dir);
    in_c.ledger = options.ledger_in_memory ? GK_LEDGER_MEMORY : GK_LEDGER_MACHINE;
    in_c.monitoring = options.monitoring ? 1 : 0;
    gk_keeper* keeper = nullptr;
    throw_if_failed(gk_open(&in_c, &keeper));
    keeper_.reset(keeper, gk_close);
  }

  /// For the functions of gpukeeper.h.
  gk_keeper* get() const { return keeper_.get(); }

  /// The daemon that is asked; empty where this process looks for itself.
  std::string host() const { return gk_host(get()); }

  std::uint32_t device_count() const { return gk_device_count(get()); }

  /// One GPU, no older than 100 ms; of a daemon its latest. Throws Error GK_NOT_FOUND where there is none.
  GpuMetrics read(std::uint32_t device) const { return metrics_of(reading(device)); }
  gk_reading reading(std::uint32_t device) const {
    gk_reading result = empty<gk_reading>();
    throw_if_failed(gk_read(get(), device, &result));
    return result;
  }
  /// The latest that is known of it, at once.
  gk_reading latest(std::uint32_t device) const {
    gk_reading result = empty<gk_reading>();
    throw_if_failed(gk_latest(get(), device, &result));
    return result;
  }

  /// How fast work may go on one GPU; on all of them, as one job has to take it, where none is named.
  Throttling throttling(std::optional<std::uint32_t> device = std::nullopt) const {
    gk_throttling in_c = empty<gk_throttling>();
    throw_if_failed(gk_throttle(get(), device ? static_cast<std::int32_t>(*device) : GK_ALL_DEVICES, &in_c));
    return {.state = static_cast<State>(in_c.state),
            .is_throttled = in_c.is_throttled != 0,
            .should_throttle = in_c.should_throttle != 0,
            .speed_multiplier = in_c.speed_multiplier};
  }

  /// Which state these would be by the configured thresholds; absent for what is not known.
  State judge(std::optional<double> temperature_celsius, std::optional<double> memory_percent) const {
    constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
    std::int32_t state = 0;
    throw_if_failed(gk_judge(get(), temperature_celsius.value_or(kNothing), memory_percent.value_or(kNothing), &state));
    return static_cast<State>(state);
  }

  /// Turns looking all the time on or off.
  void monitor(bool on = true) const { throw_if_failed(gk_monitor(get(), on ? 1 : 0)); }
  bool is_monitoring() const { return gk_is_monitoring(get()) != 0; }

  /// Books memory. Throws Error GK_REFUSED with the numbers in problem(), GK_EXISTS where the name is taken, GK_TIMEOUT
  /// where room did not come in time.
  Lease allocate(const LeaseRequest& request) const {
    const auto text = [](const std::string& option) { return option.empty() ? nullptr : option.c_str(); };
    gk_request in_c{};
    in_c.size = sizeof in_c;
    in_c.service = text(request.service);
    in_c.name = text(request.name);
    in_c.bytes = request.bytes;
    in_c.max_bytes = request.max_bytes;
    in_c.device = request.device ? static_cast<std::int32_t>(*request.device) : GK_ALL_DEVICES;
    in_c.require = request.require ? 1 : 0;
    in_c.exclusive = request.exclusive ? 1 : 0;
    in_c.priority = request.priority;
    in_c.standing = request.standing ? 1 : 0;
    in_c.ttl_seconds = request.ttl.count();
    in_c.wait_seconds = request.wait.count();
    in_c.request_id = text(request.request_id);
    in_c.metadata_json = text(request.metadata_json);
    gk_lease lease = empty<gk_lease>();
    throw_if_failed(gk_allocate(get(), &in_c, &lease, nullptr));
    return {keeper_, lease, request.standing};
  }
  Lease allocate(std::uint64_t bytes) const {
    LeaseRequest request;
    request.bytes = bytes;
    return allocate(request);
  }

  /// A lease that nobody here owns: a standing one of an earlier process.
  void release(std::uint64_t lease) const { throw_if_failed(gk_release(get(), lease)); }
  /// By the program's own name for it.
  void release(const std::string& name, std::uint32_t device) const {
    throw_if_failed(gk_release_named(get(), name.c_str(), static_cast<std::int32_t>(device)));
  }

  /// Bytes that could be booked on a GPU now.
  std::uint64_t available(std::uint32_t device) const {
    std::uint64_t bytes = 0;
    throw_if_failed(gk_available(get(), device, &bytes));
    return bytes;
  }

  /// Calls the handler for what happens, of these types ("overheat,resume", "lease"), or all; as long as what it
  /// answers lives.
  [[nodiscard]] Subscription subscribe(const std::string& types, Subscription::Handler handler) const {
    return {keeper_, types, std::move(handler)};
  }
  [[nodiscard]] Subscription subscribe(Subscription::Handler handler) const {
    return subscribe({}, std::move(handler));
  }

  /// Asks what docs/api.md has under /api/v1/, and answers the document: ask("GET", "/api/v1/trend?minutes=5").
  std::string ask(const std::string& method, const std::string& target, const std::string& body = {}) const {
    char* answer = nullptr;
    throw_if_failed(gk_ask(get(), method.c_str(), target.c_str(), body.empty() ? nullptr : body.c_str(), &answer));
    return taken(answer);
  }

  /// What one metric of a GPU was since so long ago ("90s", "24h"), in pieces of so long ("10s"; empty: some 300
  /// pieces). A partition's device is "0:1"; empty for all of them.
  std::vector<History> histories(const std::string& metric = "temperature_celsius", const std::string& device = {},
                                 const std::string& since = "1h", const std::string& step = {}) const {
    std::string target = "/api/v1/history?metric=" + escaped(metric) + "&since=" + escaped(since);
    if (!device.empty()) target += "&device=" + escaped(device);
    if (!step.empty()) target += "&step=" + escaped(step);
    return understood(read_histories, target);
  }
  /// Where the GPUs' temperatures are going, by the readings of so many minutes.
  std::vector<Trend> trends(std::uint32_t minutes = 5) const {
    return understood(read_trends, "/api/v1/trend?minutes=" + std::to_string(minutes));
  }

  /// The metrics as Prometheus reads them; `families` as ?family=, empty for all.
  std::string metrics(const std::string& families = {}) const {
    char* text = nullptr;
    throw_if_failed(gk_metrics(get(), families.empty() ? nullptr : families.c_str(), &text));
    return taken(text);
  }
  /// Serves them at "127.0.0.1:9090" until the keeper closes; answers the port, which is another one for 0.
  std::uint16_t serve_metrics(const std::string& address) const {
    std::uint16_t port = 0;
    throw_if_failed(gk_serve_metrics(get(), address.c_str(), &port));
    return port;
  }

  /// Tells what a service did, for gpu_throughput_ops_total and gpu_operation_latency_seconds among the metrics.
  void record_operation(const Operation& operation) const { ask("POST", "/api/v1/operations", to_json(operation)); }

  /// Changes the configuration of this keeper by a JSON merge patch; all of it or nothing.
  void configure(const std::string& patch) const { throw_if_failed(gk_configure(get(), patch.c_str())); }
  std::string configuration() const {
    char* json = nullptr;
    throw_if_failed(gk_configuration(get(), &json));
    return taken(json);
  }

 private:
  template <class T>
  static T empty() {
    T result{};
    result.size = sizeof result;
    return result;
  }
  // Text as it may stand in a target (RFC 3986).
  static std::string escaped(const std::string& text) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                         c == '-' || c == '.' || c == ',';
      const auto byte = static_cast<unsigned char>(c);
      if (plain) {
        result += c;
      } else {
        result += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
      }
    }
    return result;
  }
  template <class T>
  std::vector<T> understood(std::optional<std::vector<T>> (*parse)(std::string_view, std::string*),
                            const std::string& target) const {
    std::string mistake;
    auto result = parse(ask("GET", target), &mistake);
    if (!result) throw Error(GK_FAILED, "the answer to GET " + target + " " + mistake);
    return std::move(*result);
  }
  static std::string taken(char* text) {
    const std::unique_ptr<char, decltype(&gk_free)> owned(text, gk_free);
    return text;
  }

  std::shared_ptr<gk_keeper> keeper_;  // never null
};

}  // namespace v0
}  // namespace gpukeeper
