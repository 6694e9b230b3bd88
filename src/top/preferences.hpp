#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "format/process_list.hpp"

namespace gpukeeper::top {

/// What stands in the lower part of the screen.
enum class Pane : std::uint8_t { processes, leases, alerts, why, charts };
inline constexpr std::size_t kPanes = 5;
std::string_view name_of(Pane pane);  ///< "processes"

/// How much room each GPU is given.
enum class GpuSize : std::uint8_t { automatic, line, block };

/// What the user chose and finds again next time.
struct Preferences {
  std::string theme = "standard";
  bool ascii = false;
  bool mouse = true;
  Pane pane = Pane::processes;
  GpuSize gpus = GpuSize::automatic;
  ProcessOrder order = ProcessOrder::memory;
  bool reversed = false;
  bool tree = false;
  bool aside = true;  ///< alerts and reasons beside the processes, where there is room
  std::chrono::seconds range = std::chrono::minutes(5);  ///< of the charts
  friend bool operator==(const Preferences&, const Preferences&) = default;
};

/// The lengths of time that charts show: 1 minute to 24 hours.
std::vector<std::chrono::seconds> chart_ranges();
/// "5 min", "24 h".
std::string range_text(std::chrono::seconds range);

/// A file of lines `key: value` (YAML).
std::string write_preferences(const Preferences& preferences);

/// Reads it. What is not understood is left as it is by itself, and `troubles` says which lines, a sentence each; at
/// most ten of them.
Preferences read_preferences(std::string_view text, std::vector<std::string>& troubles);

/// $XDG_CONFIG_HOME/gpukeeper/top.yaml, else ~/.config/…; nothing where neither is known.
std::optional<std::string> preferences_path(
    const std::function<std::optional<std::string>(std::string_view)>& environment);

/// Reads the file there; by itself where there is none. What cannot be read is a trouble.
Preferences load_preferences(const std::string& path, std::vector<std::string>& troubles);
/// Writes it, over the one before at once. Errors: internal for what the file system refuses, with the path.
Result<void> save_preferences(const std::string& path, const Preferences& preferences);

}  // namespace gpukeeper::top
