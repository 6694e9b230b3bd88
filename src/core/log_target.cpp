// The only source file that knows spdlog: it has its files turn over and writes the time.
#define SPDLOG_PREVENT_CHILD_FD  // O_CLOEXEC
#include "core/log_target.hpp"

#include <cstdio>

#include <sys/stat.h>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>

namespace gpukeeper {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l: %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::debug: return spdlog::level::debug;
  }
  return spdlog::level::err;
}

// The priorities of syslog(3).
int priority(LogLevel level) {
  switch (level) {
    case LogLevel::error: return 3;
    case LogLevel::warning: return 4;
    case LogLevel::info: return 6;
    case LogLevel::debug: return 7;
  }
  return 3;
}

// A LogLine's text has no control characters: these two are all that JSON wants escaped.
std::string json_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

class Target final : public LogTarget {
 public:
  explicit Target(const LogTargetOptions& options)
      : options_(options),
        formatter_(options.format == LogFormat::json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc) {
    if (options.file.empty()) return;
    file_ = std::make_unique<spdlog::sinks::rotating_file_sink_st>(options.file, options.rotate_size.value(),
                                                                   options.rotate_keep);
    file_->set_formatter(formatter_.clone());
  }

  void write(const LogLine& line) noexcept override {
    try {
      if (!file_) return write_standard_error(line);
      const std::string text = options_.format == LogFormat::json ? json_escaped(line.text) : line.text;
      file_->log(message(line, text));
      file_->flush();
    } catch (const std::exception&) {  // a full disk
      write_standard_error(line);
    }
  }

 private:
  static spdlog::details::log_msg message(const LogLine& line, std::string_view text) {
    const auto time = std::chrono::time_point_cast<spdlog::log_clock::duration>(line.time);
    return {time, spdlog::source_loc{}, "", spdlog_level(line.level), {text.data(), text.size()}};
  }

  void write_standard_error(const LogLine& line) noexcept {
    try {
      spdlog::memory_buf_t buffer;
      if (options_.journal && options_.format == LogFormat::text) {
        fmt::format_to(std::back_inserter(buffer), "<{}>{}\n", priority(line.level), line.text);
      } else {
        const std::string text = options_.format == LogFormat::json ? json_escaped(line.text) : line.text;
        formatter_.format(message(line, text), buffer);
      }
      std::fwrite(buffer.data(), 1, buffer.size(), stderr);  // unbuffered; there is nowhere left to complain
    } catch (const std::exception&) {                        // out of memory
    }
  }

  const LogTargetOptions options_;
  spdlog::pattern_formatter formatter_;
  std::unique_ptr<spdlog::sinks::rotating_file_sink_st> file_;
};

}  // namespace

Result<std::shared_ptr<LogTarget>> open_log_target(const LogTargetOptions& options) {
  struct stat facts {};
  if (!options.file.empty() && ::stat(options.file.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode) &&
      !S_ISCHR(facts.st_mode)) {  // a pipe would hold us until somebody reads it
    return fail(Errc::invalid_argument, fmt::format("open log file {}: it is no regular file", options.file));
  }
  try {
    return std::shared_ptr<LogTarget>(std::make_shared<Target>(options));
  } catch (const spdlog::spdlog_ex&) {
    const std::string reason = std::generic_category().message(errno);  // its own message says it less well
    return fail(Errc::unavailable, fmt::format("open log file {}: {}", options.file, reason));
  }
}

bool is_journal_stream(std::string_view journal_stream, int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return false;
  return journal_stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace gpukeeper
