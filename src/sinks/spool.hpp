#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "sinks/alert_notice.hpp"

// How what waits for a sink stands on a disk: a file of lines, each a JSON document.
//
//   {"n":12,"notice":{…}}    a notice that waits
//   {"done":12}              it has arrived, or was given up
//   {"open":["id",…]}        alerts that the receiver knows as firing: it must hear of their end
//
// Lines are only added; now and then the file is written anew without what is done. A process that is killed leaves at
// worst half a line at the end. What it had sent and not yet marked is sent again: a notice may come twice, never not
// at all.
namespace gpukeeper {

/// A notice that waits.
struct WaitingNotice {
  std::uint64_t number = 0;  ///< they come in this order
  std::shared_ptr<const AlertNotice> notice;
};

/// What waits for a sink, and what its receiver knows.
struct SpoolContents {
  std::deque<WaitingNotice> waiting;  ///< by number
  std::set<std::string> open;         ///< ids of alerts
  std::uint64_t last_number = 0;
  std::size_t damaged = 0;  ///< lines that could not be read
};

std::string spool_line(const WaitingNotice& waiting);
std::string done_line(std::uint64_t number);

/// The whole file for these contents.
std::string spool_text(const SpoolContents& contents);

/// Reads a file. Whatever stands in it: lines that are none are counted and left out.
SpoolContents parse_spool(std::string_view text);

/// Where the text of a spool is kept. Threads: one at a time.
class SpoolStore {
 public:
  virtual ~SpoolStore() = default;

  /// Empty where there is none yet. Errors: as the system says.
  virtual Result<std::string> load() = 0;

  /// Has reached the disk when it returns. Errors: resource_exhausted for a full disk, others as the system says.
  virtual Result<void> append(std::string_view lines) = 0;

  /// Replaces all of it, or nothing. Errors: as for append().
  virtual Result<void> replace(std::string_view text) = 0;
};

/// A file that only its owner may read, made when first something is kept.
class FileSpoolStore final : public SpoolStore {
 public:
  explicit FileSpoolStore(std::string path) : path_(std::move(path)) {}
  ~FileSpoolStore() override;
  FileSpoolStore(const FileSpoolStore&) = delete;
  FileSpoolStore& operator=(const FileSpoolStore&) = delete;

  Result<std::string> load() override;
  Result<void> append(std::string_view lines) override;
  Result<void> replace(std::string_view text) override;

 private:
  void close();

  const std::string path_;
  int file_ = -1;  // open for appending
};

}  // namespace gpukeeper
