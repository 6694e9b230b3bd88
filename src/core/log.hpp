#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/clock.hpp"

namespace gpukeeper {

/// Who acts: error, the operator now; warning, it runs with less; info, a state changed; debug, us.
enum class LogLevel { error, warning, info, debug };

std::string_view to_string(LogLevel level);

struct LogLine {
  WallTime time;
  LogLevel level;
  std::string text;  ///< one line, harmless for a terminal
};

/// Where lines go. Threads: write() may be called from any thread, one call at a time.
class LogTarget {
 public:
  virtual ~LogTarget() = default;

  /// Never throws: what cannot be written has nowhere else to go.
  virtual void write(const LogLine& line) noexcept = 0;
};

/// The log of one program: made once, handed to whoever has something to say.
///
/// A text that comes again within kRepeatPause is counted instead of written, and the count stands on the next line
/// with that text: what fails every second is said once a minute.
/// Threads: every member may be called from any thread. A line waits for the target: not for the sampling thread.
class Log {
 public:
  static constexpr std::chrono::seconds kRepeatPause{60};

  Log(const Clock& clock, std::shared_ptr<LogTarget> target, LogLevel level = LogLevel::info);

  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    say(LogLevel::error, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    say(LogLevel::warning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    say(LogLevel::info, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    say(LogLevel::debug, format, std::forward<Args>(args)...);
  }

  /// From now on; what was counted goes on.
  void set_level(LogLevel level) { level_ = level; }
  void set_target(std::shared_ptr<LogTarget> target);

 private:
  struct Repeat {
    MonotonicTime written;
    std::uint64_t kept_back = 0;
  };

  template <class... Args>
  void say(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (level <= level_) write(level, fmt::format(format, std::forward<Args>(args)...));
  }
  void write(LogLevel level, std::string text);
  void forget_old(MonotonicTime now);

  const Clock& clock_;
  std::atomic<LogLevel> level_;
  std::mutex mutex_;
  std::shared_ptr<LogTarget> target_;                // guarded by mutex_
  std::map<std::string, Repeat, std::less<>> said_;  // guarded by mutex_
};

}  // namespace gpukeeper
