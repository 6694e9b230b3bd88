#include "core/log.hpp"

#include "core/display_text.hpp"

namespace gpukeeper {
namespace {

// Texts remembered at once. More different ones than this within a minute are written each time, which is the better
// fault of the two.
constexpr std::size_t kRemembered = 256;
constexpr std::size_t kLongest = 4096;

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::error: return "error";
    case LogLevel::warning: return "warning";
    case LogLevel::info: return "info";
    case LogLevel::debug: return "debug";
  }
  return "error";
}

Log::Log(const Clock& clock, std::shared_ptr<LogTarget> target, LogLevel level)
    : clock_(clock), level_(level), target_(std::move(target)) {}

void Log::set_target(std::shared_ptr<LogTarget> target) {
  std::scoped_lock lock(mutex_);
  target_.swap(target);
}

void Log::write(LogLevel level, std::string text) {
  if (text.size() > kLongest) text = text.substr(0, kLongest) + " [cut]";
  LogLine line{clock_.wall(), level, harmless(text)};
  const auto now = clock_.now();
  std::scoped_lock lock(mutex_);  // over the write as well: lines keep their order, a file turns over between two
  if (const auto before = said_.find(line.text); before != said_.end()) {
    Repeat& repeat = before->second;
    if (now - repeat.written < kRepeatPause) {
      ++repeat.kept_back;
      return;
    }
    const auto kept_back = std::exchange(repeat.kept_back, 0);
    repeat.written = now;
    if (kept_back > 0) line.text += fmt::format(" (and {} times since this was last said)", kept_back);
  } else {
    if (said_.size() >= kRemembered) forget_old(now);
    if (said_.size() < kRemembered) said_.emplace(line.text, Repeat{now, 0});
  }
  target_->write(line);
}

void Log::forget_old(MonotonicTime now) {
  std::erase_if(said_, [&](const auto& entry) { return now - entry.second.written >= kRepeatPause; });
}

}  // namespace gpukeeper
