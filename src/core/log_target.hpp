#pragma once

#include <memory>
#include <string>

#include "core/log.hpp"
#include "core/result.hpp"
#include "core/units.hpp"

namespace gpukeeper {

enum class LogFormat { text, json };

struct LogTargetOptions {
  std::string file;  ///< empty: standard error
  LogFormat format = LogFormat::text;
  Bytes rotate_size = 10_MiB;   ///< a file that would grow larger becomes NAME.1.EXT, and a new one is begun
  std::size_t rotate_keep = 5;  ///< files beside the current one

  /// Standard error is the systemd journal ($JOURNAL_STREAM names it): a line starts with its level as `<6>` and has
  /// no time, which the journal knows (sd-daemon(3)).
  bool journal = false;

  friend bool operator==(const LogTargetOptions&, const LogTargetOptions&) = default;
};

/// Opens the log's file, or standard error. A line is a text "2026-05-28T20:26:40.250Z info: …", or a JSON object with
/// time, level and message. A line that cannot be written to its file goes to standard error.
/// Errors: unavailable "open log file …: …".
Result<std::shared_ptr<LogTarget>> open_log_target(const LogTargetOptions& options);

/// Whether standard error is the stream that systemd made: $JOURNAL_STREAM is "device:inode" of it.
bool is_journal_stream(std::string_view journal_stream, int descriptor);

}  // namespace gpukeeper
