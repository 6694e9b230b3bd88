#pragma once

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpukeeper/export.hpp"

// Stop the line: the documented general Andon, for a job (a training) that watches itself and is to stop when something
// goes wrong. What is found about GPUs can be handed in too.
namespace gpukeeper {
inline namespace v0 {

/// How bad, from least to worst.
enum class AlertLevel { info, warning, error, critical };

GPUKEEPER_API std::string_view to_string(AlertLevel level);  ///< "INFO", "WARNING", "ERROR", "CRITICAL"
GPUKEEPER_API std::string_view emoji(AlertLevel level);      ///< ℹ️ ⚠️ ❌ 🛑

/// Something that somebody noticed.
struct Alert {
  AlertLevel level = AlertLevel::info;
  std::string message = {};
  std::string source = {};           ///< who noticed it; may be empty
  std::int64_t timestamp = 0;        ///< milliseconds since 1970; set when it is triggered, where it is 0
  std::optional<double> value = {};  ///< that it is about

  static Alert info(std::string message) { return {AlertLevel::info, std::move(message), {}, 0, {}}; }
  static Alert warning(std::string message) { return {AlertLevel::warning, std::move(message), {}, 0, {}}; }
  static Alert error(std::string message) { return {AlertLevel::error, std::move(message), {}, 0, {}}; }
  static Alert critical(std::string message) { return {AlertLevel::critical, std::move(message), {}, 0, {}}; }
  Alert with_source(std::string name) && {
    source = std::move(name);
    return std::move(*this);
  }
  Alert with_value(double number) && {
    value = number;
    return std::move(*this);
  }

  friend bool operator==(const Alert&, const Alert&) = default;
};

/// As it is logged: "⚠️ [WARNING] loss: it spikes (12.5)".
GPUKEEPER_API std::string line_of(const Alert& alert);

/// A warning of the source "loss": "it is 12.0 times the mean of those before".
GPUKEEPER_API Alert spike_of_loss(double loss, double times);

struct AndonConfig {
  bool stop_on_error = true;
  bool stop_on_critical = true;
  bool log_alerts = true;
  bool stop_on_nan = true;  ///< of a loss or a gradient; else it is a warning
  bool stop_on_inf = true;
  double loss_spike_threshold = 10;  ///< a loss this many times the mean of those before is a warning

  friend bool operator==(const AndonConfig&, const AndonConfig&) = default;
};

/// The cord that stops the line.
///
/// Threads: every member may be called from any thread; callbacks run on the thread that triggers, without any lock.
class AndonSystem {
 public:
  static constexpr std::size_t kMostHistory = 10'000;  ///< then the oldest are forgotten

  using Log = std::function<void(std::string_view line)>;
  using Callback = std::function<void(const Alert&)>;
  using Now = std::function<std::chrono::system_clock::time_point()>;

  /// `log` gets a line for each alert: "⚠️ [WARNING] loss: it spikes (12.5)"; null for standard error. `now` is
  /// asked for the time of an alert that has none; null for the machine's clock.
  explicit AndonSystem(AndonConfig config = {}, Log log = nullptr, Now now = nullptr)
      : config_(config), log_(std::move(log)), now_(std::move(now)) {}
  static AndonSystem with_config(AndonConfig config) { return AndonSystem(config); }

  /// Logs it, keeps it, and stops the line where the configuration says so.
  void trigger(Alert alert) {
    if (alert.timestamp == 0) {
      const auto now = now_ ? now_() : std::chrono::system_clock::now();
      alert.timestamp = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    }
    std::vector<Callback> to_call;
    {
      const std::scoped_lock lock(mutex_);
      history_.push_back(alert);
      if (history_.size() > kMostHistory) history_.pop_front();
      if (stops(alert.level) && !stop_->exchange(true)) to_call = callbacks_;
    }
    if (config_.log_alerts) say(line_of(alert));
    for (const Callback& callback : to_call) callback(alert);
  }
  void alert(AlertLevel level, std::string message) { trigger({level, std::move(message), {}, 0, {}}); }
  void info(std::string message) { trigger(Alert::info(std::move(message))); }
  void warning(std::string message) { trigger(Alert::warning(std::move(message))); }
  void error(std::string message) { trigger(Alert::error(std::move(message))); }
  void critical(std::string message) { trigger(Alert::critical(std::move(message))); }

  /// Looks at a step's loss: NaN and infinite are critical, a spike is a warning. Whether all is well.
  bool check_loss(double loss) {
    if (!check_number(loss, "loss")) return false;
    const std::optional<double> times = spike(loss);
    if (!times) return true;
    trigger(spike_of_loss(loss, *times));
    return false;
  }
  /// Looks at gradients, or their norms: NaN and infinite are critical. Whether all is well.
  bool check_gradients(std::span<const double> gradients) {
    for (const double each : gradients) {
      if (!check_number(each, "gradient")) return false;
    }
    return true;
  }

  /// Called once each time the line is stopped that was running: pauses or ends the job.
  void on_stop(Callback callback) {
    const std::scoped_lock lock(mutex_);
    callbacks_.push_back(std::move(callback));
  }

  bool should_stop() const { return stop_->load(); }
  /// The same for a loop that knows nothing of this; it outlives this.
  std::shared_ptr<const std::atomic<bool>> stop_flag() const { return stop_; }

  /// The oldest first.
  std::vector<Alert> history() const {
    const std::scoped_lock lock(mutex_);
    return {history_.begin(), history_.end()};
  }
  std::vector<Alert> get_alerts() const { return history(); }
  std::vector<Alert> alerts_by_level(AlertLevel level) const {
    std::vector<Alert> result = history();
    std::erase_if(result, [&](const Alert& alert) { return alert.level != level; });
    return result;
  }

  /// Lets the line run again. What happened stays in the history.
  void reset() { stop_->store(false); }

 private:
  static constexpr std::size_t kFewLosses = 5;  // before that a mean says nothing

  bool stops(AlertLevel level) const {
    return (level == AlertLevel::error && config_.stop_on_error) ||
           (level == AlertLevel::critical && config_.stop_on_critical);
  }

  void say(const std::string& line) const {
    if (log_) return log_(line);
    std::fputs((line + "\n").c_str(), stderr);
  }

  bool check_number(double number, std::string_view what) {
    if (std::isfinite(number)) return true;
    const bool nan = std::isnan(number);
    const bool stop = nan ? config_.stop_on_nan : config_.stop_on_inf;
    const std::string message = std::string(what) + " is " + (nan ? "NaN" : "infinite");
    trigger((stop ? Alert::critical(message) : Alert::warning(message)).with_source(std::string(what)));
    return false;
  }

  // How many times the mean of those before, of a loss that is too many; else it counts with those.
  std::optional<double> spike(double loss) {
    const std::scoped_lock lock(mutex_);
    const double mean = losses_ >= kFewLosses ? loss_sum_ / static_cast<double>(losses_) : 0;
    if (mean > 0 && loss > config_.loss_spike_threshold * mean) return loss / mean;
    loss_sum_ += loss;
    ++losses_;
    return std::nullopt;
  }

  const AndonConfig config_;
  const Log log_;
  const Now now_;
  const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  mutable std::mutex mutex_;
  std::deque<Alert> history_;  // guarded by mutex_, as all below
  std::vector<Callback> callbacks_;
  double loss_sum_ = 0;  // of finite ones that were no spike
  std::size_t losses_ = 0;
};

/// A callback for on_stop that sends a process a signal: SIGSTOP pauses a job, SIGTERM ends it. It never signals this
/// process's group or everybody: pids below 2, and those that no pid_t can hold, are left alone.
GPUKEEPER_API std::function<void(const Alert&)> signal_on_stop(std::int64_t pid, int signal);

}  // namespace v0
}  // namespace gpukeeper
