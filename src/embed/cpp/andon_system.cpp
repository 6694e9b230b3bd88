#include "gpukeeper/andon_system.hpp"

#include <csignal>

#include <fmt/format.h>

namespace gpukeeper {
inline namespace v0 {

std::string_view to_string(AlertLevel level) {
  switch (level) {
    case AlertLevel::info: return "INFO";
    case AlertLevel::warning: return "WARNING";
    case AlertLevel::error: return "ERROR";
    case AlertLevel::critical: return "CRITICAL";
  }
  return "INFO";
}

std::string_view emoji(AlertLevel level) {
  switch (level) {
    case AlertLevel::info: return "ℹ️";
    case AlertLevel::warning: return "⚠️";
    case AlertLevel::error: return "❌";
    case AlertLevel::critical: return "🛑";
  }
  return "ℹ️";
}

std::string line_of(const Alert& alert) {
  std::string line = fmt::format("{} [{}] ", emoji(alert.level), to_string(alert.level));
  if (!alert.source.empty()) line += fmt::format("{}: ", alert.source);
  line += alert.message;
  if (alert.value) line += fmt::format(" ({})", *alert.value);
  return line;
}

Alert spike_of_loss(double loss, double times) {
  return Alert::warning(fmt::format("it is {:.1f} times the mean of those before", times))
      .with_source("loss")
      .with_value(loss);
}

std::function<void(const Alert&)> signal_on_stop(std::int64_t pid, int signal) {
  return [pid, signal](const Alert&) {
    // A pid_t has 32 bits: what is cut to them may mean somebody else, a whole group, or everybody.
    if (pid > 1 && std::in_range<pid_t>(pid)) ::kill(static_cast<pid_t>(pid), signal);
  };
}

}  // namespace v0
}  // namespace gpukeeper
