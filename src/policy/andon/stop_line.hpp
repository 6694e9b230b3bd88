#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

// Stop the line: the documented general Andon, for a job (a training) that watches itself and is to stop when something
// goes wrong. What gpukeeper finds about GPUs can be handed in too.
namespace gpukeeper {

/// How bad, from least to worst.
enum class LineLevel { info, warning, error, critical };

std::string_view to_string(LineLevel level);  ///< "INFO", "WARNING", "ERROR", "CRITICAL"
std::string_view emoji(LineLevel level);      ///< ℹ️ ⚠️ ❌ 🛑

/// Something that somebody noticed.
struct LineAlert {
  LineLevel level = LineLevel::info;
  std::string message;
  std::string source;           ///< who noticed it; may be empty
  std::int64_t timestamp = 0;   ///< milliseconds since 1970; set when it is triggered, where it is 0
  std::optional<double> value;  ///< that it is about

  static LineAlert info(std::string message) { return {LineLevel::info, std::move(message)}; }
  static LineAlert warning(std::string message) { return {LineLevel::warning, std::move(message)}; }
  static LineAlert error(std::string message) { return {LineLevel::error, std::move(message)}; }
  static LineAlert critical(std::string message) { return {LineLevel::critical, std::move(message)}; }
  LineAlert with_source(std::string name) &&;
  LineAlert with_value(double number) &&;

  friend bool operator==(const LineAlert&, const LineAlert&) = default;
};

struct LineConfig {
  bool stop_on_error = true;
  bool stop_on_critical = true;
  bool log_alerts = true;
  bool stop_on_nan = true;  ///< of a loss or a gradient; else it is a warning
  bool stop_on_inf = true;
  double loss_spike_threshold = 10;  ///< a loss this many times the mean of those before is a warning

  friend bool operator==(const LineConfig&, const LineConfig&) = default;
};

/// The cord that stops the line.
///
/// Threads: every member may be called from any thread; callbacks run on the thread that triggers, without any lock.
class StopLine {
 public:
  static constexpr std::size_t kMostHistory = 10'000;  ///< then the oldest are forgotten

  using Log = std::function<void(std::string_view line)>;
  using Callback = std::function<void(const LineAlert&)>;

  /// `log` gets a line for each alert: "⚠️ [WARNING] loss: it spikes (12.5)"; null for standard error.
  explicit StopLine(const Clock& clock, LineConfig config = {}, Log log = nullptr);

  /// Logs it, keeps it, and stops the line where the configuration says so.
  void trigger(LineAlert alert);
  void alert(LineLevel level, std::string message) { trigger({level, std::move(message)}); }
  void info(std::string message) { trigger(LineAlert::info(std::move(message))); }
  void warning(std::string message) { trigger(LineAlert::warning(std::move(message))); }
  void error(std::string message) { trigger(LineAlert::error(std::move(message))); }
  void critical(std::string message) { trigger(LineAlert::critical(std::move(message))); }

  /// Looks at a step's loss: NaN and infinite are critical, a spike is a warning. Whether all is well.
  bool check_loss(double loss);
  /// Looks at gradients, or their norms: NaN and infinite are critical. Whether all is well.
  bool check_gradients(std::span<const double> gradients);

  /// Called once each time the line is stopped that was running: pauses or ends the job.
  void on_stop(Callback callback);

  bool should_stop() const { return stop_->load(); }
  /// The same for a loop that knows nothing of this; it outlives this.
  std::shared_ptr<const std::atomic<bool>> stop_flag() const { return stop_; }

  std::vector<LineAlert> history() const;  ///< the oldest first
  std::vector<LineAlert> get_alerts() const { return history(); }
  std::vector<LineAlert> alerts_by_level(LineLevel level) const;

  /// Lets the line run again. What happened stays in the history.
  void reset() { stop_->store(false); }

 private:
  bool stops(LineLevel level) const;
  bool check_number(double number, std::string_view what);

  const Clock& clock_;
  const LineConfig config_;
  const Log log_;
  const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  mutable std::mutex mutex_;
  std::deque<LineAlert> history_;  // guarded by mutex_, as all below
  std::vector<Callback> callbacks_;
  double loss_sum_ = 0;  // of finite ones that were no spike
  std::size_t losses_ = 0;
};

/// A callback for on_stop that sends a process a signal: SIGSTOP pauses a job, SIGTERM ends it. It never signals this
/// process's group or everybody: pids below 2, and those that no pid_t can hold, are left alone.
StopLine::Callback signal_on_stop(std::int64_t pid, int signal);

}  // namespace gpukeeper
