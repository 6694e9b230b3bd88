#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/difference.hpp"
#include "config/effective.hpp"

namespace gpukeeper::config {

/// The file that is read when nobody names one: gpukeeper/gpukeeper.yaml in $XDG_CONFIG_HOME or ~/.config where it is,
/// else /etc/gpukeeper/gpukeeper.yaml. `root` has the latter only.
struct UsualFile {
  std::string path;  ///< of one that is there, else where one would be made; empty when nothing is known
  bool there = false;
};
UsualFile usual_file(const Variable& environment, bool root);

/// How a program was told to configure itself.
struct Sources {
  std::string path;           ///< of the file; empty for none
  bool must_be_there = true;  ///< false: a file that is not there says nothing
  Variable environment = [](std::string_view) { return std::nullopt; };
  std::vector<Assignment> command_line;
};

/// The configuration of a running program, and every change of it: by its file, by a request.
///
/// Threads: one.
class LiveConfig {
 public:
  /// Errors: those of effective() and read_file().
  static Result<LiveConfig> open(Sources sources);

  const Effective& now() const { return now_; }
  const std::string& path() const { return sources_.path; }

  struct Changed {
    std::vector<Difference> differences;
    Settings before;
  };

  /// Reads the file again. What was set at run time stands, but for keys of which the file now says something else.
  /// Errors: as for open(); then all is as it was.
  Result<Changed> reload();

  /// Whether the file is another than the one read last; cheap where it is not.
  bool file_changed() const;

  /// Sets keys; an assignment of null takes back what was set at run time. With `save` the file says so too.
  /// Errors: those of effective(), edited() and replace_file(); not_supported where there is no file to save to. Then
  /// all is as it was.
  Result<Changed> set(std::span<const Assignment> assignments, bool save);

  /// Sets these keys, and takes back all others that were set at run time. With `save` the file says these, too; what
  /// else stands in it stays.
  /// Errors: as above.
  Result<Changed> replace(std::span<const Assignment> assignments, bool save);

 private:
  LiveConfig(Sources sources, std::optional<File> file, Effective now)
      : sources_(std::move(sources)), file_(std::move(file)), now_(std::move(now)) {}

  Result<Changed> change(std::vector<Assignment> requests, std::span<const Assignment> assignments, bool save);
  Inputs inputs(std::optional<File> file, std::vector<Assignment> requests) const;
  Result<File> saved(std::span<const Assignment> assignments) const;
  Changed adopt(std::optional<File> file, std::vector<Assignment> requests, Effective next);

  Sources sources_;
  std::optional<File> file_;  // as it was read last
  std::vector<Assignment> requests_;
  Effective now_;
};

}  // namespace gpukeeper::config
