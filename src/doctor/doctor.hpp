#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "core/files.hpp"
#include "core/result.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::doctor {

/// What the doctor asks of a machine beyond its small text files; none of it opens a device.
class Machine {
 public:
  virtual ~Machine() = default;

  /// A device node or file: who may use it.
  struct Node {
    std::uint32_t gid = 0;
    std::uint32_t mode = 0;  ///< permission bits: 0660
    bool readable = false;
    bool writable = false;
  };
  virtual std::optional<Node> node(const std::string& path) const = 0;

  /// Where the loader finds a library, with links followed ("/usr/lib/…/libnvidia-ml.so.580.105.08"); the message says
  /// why it does not.
  virtual Result<std::string> library(const std::string& name) const = 0;

  /// Where a program stands in PATH.
  virtual std::optional<std::string> program(const std::string& name) const = 0;
};

/// One thing that the doctor looked at.
struct Check {
  enum class Mark : std::uint8_t {
    good,
    note,     ///< worth knowing, nothing to be done
    hint,     ///< less is seen than could be
    problem,  ///< a GPU cannot be read
  };
  Mark mark = Mark::good;
  std::string area;         ///< "NVIDIA", "Processes"
  std::string text;         ///< a sentence
  std::string remedy = {};  ///< a command to type, or what to do; only for hints and problems
};

/// Every check, grouped by area. `snapshot` is what the sources see now.
std::vector<Check> examine(const Files& files, const Machine& machine, const Snapshot& snapshot);

/// What the configuration asks for, and whether it can work: hands and sinks. Empty where it asks for neither.
std::vector<Check> examine(const config::Settings& settings, const Files& files, const Machine& machine);

/// Both, the machine first.
std::vector<Check> examine_all(const Files& files, const Machine& machine, const Snapshot& snapshot,
                               const config::Settings& settings);

std::size_t count(const std::vector<Check>& checks, Check::Mark mark);

/// gpukeeper.doctor/1.
std::string doctor_json(const std::vector<Check>& checks, bool pretty = true);

}  // namespace gpukeeper::doctor
