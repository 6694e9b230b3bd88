#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gpukeeper/error.hpp"
#include "gpukeeper/gpu_alert.hpp"
#include "gpukeeper/gpu_andon_system.hpp"
#include "gpukeeper/gpu_metrics.hpp"
#include "gpukeeper/gpu_monitor.hpp"

namespace gpukeeper {
inline namespace v0 {

/// What a loop is to do next.
enum class LoopAction { go_on, pause, stop };

/// Looks at the GPUs from within a training loop, tells of alerts and may pause the loop:
///
///     auto gpus = GpuMonitorCallback().with_interval_secs(10).with_thermal_threshold(80).on_alert(
///         [](const GpuAlert& alert) { std::cerr << message(alert) << '\n'; });
///     while (gpus.keep_going()) train_a_step();
///
/// Each alert is told once for as long as it holds, and once more when it becomes critical. A handler may answer a
/// LoopAction: `pause` holds as long as its alert, `stop` for ever.
/// Threads: one at a time.
class GpuMonitorCallback {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Now = std::function<Time()>;
  /// Waits until then, or less long where a stop is requested.
  using Wait = std::function<void(Time until, const std::stop_token& stop)>;

  GpuMonitorCallback() = default;  ///< looks as GpuMonitor() does
  explicit GpuMonitorCallback(GpuMonitor monitor) : monitor_(std::move(monitor)) {}

  GpuMonitorCallback& with_monitor(GpuMonitor monitor) {
    monitor_ = std::move(monitor);
    return *this;
  }
  /// From look to look; 10 seconds at first.
  GpuMonitorCallback& with_interval(std::chrono::nanoseconds interval) {
    interval_ = interval;
    return *this;
  }
  GpuMonitorCallback& with_interval_secs(std::uint32_t seconds) { return with_interval(std::chrono::seconds(seconds)); }
  GpuMonitorCallback& with_thermal_threshold(std::uint32_t celsius) {
    config_.thermal_threshold = celsius;
    return with_config(config_);
  }
  GpuMonitorCallback& with_config(const AlertConfig& config) {
    config_ = config;
    andon_ = GpuAndonSystem::with_config(config);
    return *this;
  }
  /// The loop pauses while an alert is critical, whatever the handlers answer.
  GpuMonitorCallback& with_pause_while_critical(bool on = true) {
    pause_while_critical_ = on;
    return *this;
  }
  /// For tests, and where time is played.
  GpuMonitorCallback& with_time(Now now, Wait wait) {
    now_ = std::move(now);
    wait_ = std::move(wait);
    return *this;
  }
  /// Another handler: it gets the alert and answers nothing, or a LoopAction.
  template <class Handler>
  GpuMonitorCallback& on_alert(Handler handler) {
    if constexpr (std::is_convertible_v<std::invoke_result_t<Handler&, const GpuAlert&>, LoopAction>) {
      handlers_.push_back(std::move(handler));
    } else {
      handlers_.push_back([handler = std::move(handler)](const GpuAlert& alert) mutable {
        handler(alert);
        return LoopAction::go_on;
      });
    }
    return *this;
  }

  /// Looks where it is time to, calls handlers, and answers at once.
  LoopAction on_step() { return on_step(now_()); }
  LoopAction on_step(Time now) {
    if (!next_look_ || now >= *next_look_) {
      next_look_ = now + interval_;
      look(now);
    }
    return action();
  }

  /// Before each step of a loop: waits while it is to pause. False when it is to stop.
  bool keep_going(const std::stop_token& stop = {}) {
    for (;;) {
      if (stop.stop_requested()) return false;
      const LoopAction next = on_step();
      if (next != LoopAction::pause) return next == LoopAction::go_on;
      wait_(*next_look_, stop);
    }
  }

  const std::vector<GpuMetrics>& metrics() const { return metrics_; }  ///< of the latest look
  const std::string& trouble() const { return trouble_; }              ///< why that failed; empty when it went well

 private:
  using Key = std::pair<std::size_t, std::uint32_t>;  // which kind of alert, of which GPU

  static Key key_of(const GpuAlert& alert) {
    return {alert.index(), std::visit([](const auto& each) { return each.device; }, alert)};
  }

  LoopAction action() const {
    if (stop_) return LoopAction::stop;
    return asked_.empty() && !(pause_while_critical_ && critical_) ? LoopAction::go_on : LoopAction::pause;
  }

  // Where the GPUs cannot be looked at, all stays as it was.
  void look(Time now) {
    try {
      metrics_ = monitor_.collect_metrics();
      trouble_.clear();
    } catch (const Error& error) {
      trouble_ = error.what();
      return;
    }
    andon_.check(metrics_, now);
    critical_ = andon_.has_critical_alerts();
    std::map<Key, bool> holding;
    for (const GpuAlert& alert : andon_.alerts()) {
      const bool critical = andon_.is_critical(alert);
      const auto told = told_.find(key_of(alert));
      holding[key_of(alert)] = critical || (told != told_.end() && told->second);
      if (told == told_.end() || (critical && !told->second)) tell(alert);
    }
    told_ = std::move(holding);
    std::erase_if(asked_, [&](const Key& key) { return !told_.contains(key); });
  }

  void tell(const GpuAlert& alert) {
    for (const auto& handler : handlers_) {
      const LoopAction answer = handler(alert);
      if (answer == LoopAction::stop) stop_ = true;
      if (answer == LoopAction::pause) asked_.insert(key_of(alert));
    }
  }

  static void really_wait(Time until, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop, until, [] { return false; });
  }

  GpuMonitor monitor_;
  AlertConfig config_;
  GpuAndonSystem andon_ = GpuAndonSystem::with_config({});
  std::chrono::nanoseconds interval_ = std::chrono::seconds(10);
  bool pause_while_critical_ = false;
  Now now_ = [] { return std::chrono::steady_clock::now(); };
  Wait wait_ = really_wait;
  std::vector<std::function<LoopAction(const GpuAlert&)>> handlers_;

  std::optional<Time> next_look_;
  std::vector<GpuMetrics> metrics_;
  std::string trouble_;
  std::map<Key, bool> told_;  // the alerts that hold, and whether they have been critical
  std::set<Key> asked_;       // those of them for which a handler wants a pause
  bool critical_ = false;
  bool stop_ = false;
};

}  // namespace v0
}  // namespace gpukeeper
