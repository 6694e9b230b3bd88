#include "policy/andon/stop_line.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

constexpr std::size_t kFewLosses = 5;  // before that a mean says nothing

std::string line_of(const LineAlert& alert) {
  std::string line = fmt::format("{} [{}] ", emoji(alert.level), to_string(alert.level));
  if (!alert.source.empty()) line += fmt::format("{}: ", alert.source);
  line += alert.message;
  if (alert.value) line += fmt::format(" ({})", *alert.value);
  return line;
}

}  // namespace

std::string_view to_string(LineLevel level) {
  switch (level) {
    case LineLevel::info: return "INFO";
    case LineLevel::warning: return "WARNING";
    case LineLevel::error: return "ERROR";
    case LineLevel::critical: return "CRITICAL";
  }
  return "INFO";
}

std::string_view emoji(LineLevel level) {
  switch (level) {
    case LineLevel::info: return "ℹ️";
    case LineLevel::warning: return "⚠️";
    case LineLevel::error: return "❌";
    case LineLevel::critical: return "🛑";
  }
  return "ℹ️";
}

LineAlert LineAlert::with_source(std::string name) && {
  source = std::move(name);
  return std::move(*this);
}

LineAlert LineAlert::with_value(double number) && {
  value = number;
  return std::move(*this);
}

StopLine::StopLine(const Clock& clock, LineConfig config, Log log)
    : clock_(clock), config_(config), log_(std::move(log)) {}

bool StopLine::stops(LineLevel level) const {
  return (level == LineLevel::error && config_.stop_on_error) ||
         (level == LineLevel::critical && config_.stop_on_critical);
}

void StopLine::trigger(LineAlert alert) {
  if (alert.timestamp == 0) {
    alert.timestamp = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall().time_since_epoch()).count();
  }
  std::vector<Callback> to_call;
  {
    std::scoped_lock lock(mutex_);
    history_.push_back(alert);
    if (history_.size() > kMostHistory) history_.pop_front();
    if (stops(alert.level) && !stop_->exchange(true)) to_call = callbacks_;
  }
  if (config_.log_alerts) {
    if (log_) {
      log_(line_of(alert));
    } else {
      std::fputs((line_of(alert) + "\n").c_str(), stderr);
    }
  }
  for (const Callback& callback : to_call) callback(alert);
}

bool StopLine::check_number(double number, std::string_view what) {
  if (std::isfinite(number)) return true;
  const bool nan = std::isnan(number);
  const bool stop = nan ? config_.stop_on_nan : config_.stop_on_inf;
  LineAlert alert = stop ? LineAlert::critical(fmt::format("{} is {}", what, nan ? "NaN" : "infinite"))
                         : LineAlert::warning(fmt::format("{} is {}", what, nan ? "NaN" : "infinite"));
  trigger(std::move(alert).with_source(std::string(what)));
  return false;
}

bool StopLine::check_loss(double loss) {
  if (!check_number(loss, "loss")) return false;
  double mean = 0;
  {
    std::scoped_lock lock(mutex_);
    mean = losses_ >= kFewLosses ? loss_sum_ / static_cast<double>(losses_) : 0;
    const bool spike = mean > 0 && loss > config_.loss_spike_threshold * mean;
    if (!spike) {
      loss_sum_ += loss;
      ++losses_;
      return true;
    }
  }
  trigger(LineAlert::warning(fmt::format("it is {:.1f} times the mean of those before", loss / mean))
              .with_source("loss")
              .with_value(loss));
  return false;
}

bool StopLine::check_gradients(std::span<const double> gradients) {
  return std::ranges::all_of(gradients, [&](double each) { return check_number(each, "gradient"); });
}

void StopLine::on_stop(Callback callback) {
  std::scoped_lock lock(mutex_);
  callbacks_.push_back(std::move(callback));
}

std::vector<LineAlert> StopLine::history() const {
  std::scoped_lock lock(mutex_);
  return {history_.begin(), history_.end()};
}

std::vector<LineAlert> StopLine::alerts_by_level(LineLevel level) const {
  std::vector<LineAlert> result = history();
  std::erase_if(result, [&](const LineAlert& alert) { return alert.level != level; });
  return result;
}

StopLine::Callback signal_on_stop(std::int64_t pid, int signal) {
  return [pid, signal](const LineAlert&) {
    // A pid_t has 32 bits: what is cut to them may mean somebody else, a whole group, or everybody.
    if (pid > 1 && std::in_range<pid_t>(pid)) ::kill(static_cast<pid_t>(pid), signal);
  };
}

}  // namespace gpukeeper
