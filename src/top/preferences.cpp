#include "top/preferences.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/replace_file.hpp"
#include "core/text.hpp"
#include "top/theme.hpp"

namespace gpukeeper::top {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMostBytes = 64 << 10;  // ours has a few hundred
constexpr std::size_t kMostTroubles = 10;

constexpr std::pair<Pane, std::string_view> kPaneNames[] = {{Pane::processes, "processes"},
                                                            {Pane::leases, "leases"},
                                                            {Pane::alerts, "alerts"},
                                                            {Pane::why, "why"},
                                                            {Pane::charts, "charts"}};
constexpr std::pair<GpuSize, std::string_view> kSizeNames[] = {
    {GpuSize::automatic, "auto"}, {GpuSize::line, "line"}, {GpuSize::block, "block"}};
constexpr seconds kRanges[] = {seconds(60),   seconds(300),      seconds(900),
                               seconds(3600), seconds(6 * 3600), seconds(24 * 3600)};

std::string_view yes_no(bool value) {
  return value ? "yes" : "no";
}

std::string_view name_of(ProcessOrder order) {
  const auto* found = std::ranges::find(kProcessOrders, order, &std::pair<std::string_view, ProcessOrder>::second);
  return found == std::end(kProcessOrders) ? "memory" : found->first;
}

// A row says how one of them is read: whether the value was understood, and what would have been.
struct Key {
  std::string_view name;
  std::string_view takes;
  bool (*read)(std::string_view value, Preferences& preferences);
  std::string (*write)(const Preferences& preferences);
};

bool read_flag(std::string_view value, bool& flag) {
  if (value != "yes" && value != "no" && value != "true" && value != "false") return false;
  flag = value == "yes" || value == "true";
  return true;
}

template <class Table, class Value>
bool read_word(const Table& table, std::string_view word, Value& value) {
  for (const auto& [each, name] : table) {
    if (name == word) {
      value = each;
      return true;
    }
  }
  return false;
}

constexpr std::string_view kYesNo = "yes or no";
constexpr Key kKeys[] = {
    {"theme", "standard, light, colour-blind, contrast or mono",
     [](std::string_view v, Preferences& p) {
       if (find_theme(v) == nullptr) return false;
       p.theme = v;
       return true;
     },
     [](const Preferences& p) { return p.theme; }},
    {"ascii", kYesNo, [](std::string_view v, Preferences& p) { return read_flag(v, p.ascii); },
     [](const Preferences& p) { return std::string(yes_no(p.ascii)); }},
    {"mouse", kYesNo, [](std::string_view v, Preferences& p) { return read_flag(v, p.mouse); },
     [](const Preferences& p) { return std::string(yes_no(p.mouse)); }},
    {"pane", "processes, leases, alerts, why or charts",
     [](std::string_view v, Preferences& p) { return read_word(kPaneNames, v, p.pane); },
     [](const Preferences& p) { return std::string(top::name_of(p.pane)); }},
    {"gpus", "auto, line or block", [](std::string_view v, Preferences& p) { return read_word(kSizeNames, v, p.gpus); },
     [](const Preferences& p) {
       return std::string(std::ranges::find(kSizeNames, p.gpus, &std::pair<GpuSize, std::string_view>::first)->second);
     }},
    {"sort", "memory, gpu, cpu, time, pid or user",
     [](std::string_view v, Preferences& p) {
       const auto* found = std::ranges::find(kProcessOrders, v, &std::pair<std::string_view, ProcessOrder>::first);
       if (found == std::end(kProcessOrders)) return false;
       p.order = found->second;
       return true;
     },
     [](const Preferences& p) { return std::string(name_of(p.order)); }},
    {"reversed", kYesNo, [](std::string_view v, Preferences& p) { return read_flag(v, p.reversed); },
     [](const Preferences& p) { return std::string(yes_no(p.reversed)); }},
    {"tree", kYesNo, [](std::string_view v, Preferences& p) { return read_flag(v, p.tree); },
     [](const Preferences& p) { return std::string(yes_no(p.tree)); }},
    {"aside", kYesNo, [](std::string_view v, Preferences& p) { return read_flag(v, p.aside); },
     [](const Preferences& p) { return std::string(yes_no(p.aside)); }},
    {"range_seconds", "60, 300, 900, 3600, 21600 or 86400",
     [](std::string_view v, Preferences& p) {
       const auto number = parse_u64(v);
       if (!number || *number > 86'400) return false;
       const seconds range(static_cast<seconds::rep>(*number));
       if (std::ranges::find(kRanges, range) == std::end(kRanges)) return false;
       p.range = range;
       return true;
     },
     [](const Preferences& p) { return fmt::format("{}", p.range.count()); }},
};

// Why the line means nothing; empty when it does, or says nothing.
std::string read_line(std::string_view line, Preferences& preferences) {
  line = trim(line.substr(0, line.find('#')));
  if (line.empty()) return {};
  const auto colon = line.find(':');
  const std::string_view name = trim(line.substr(0, colon));
  const auto* key = std::ranges::find(kKeys, name, &Key::name);
  if (colon == std::string_view::npos || key == std::end(kKeys)) {
    return fmt::format("'{}' is no setting of the terminal view", fit(harmless(name), 40));
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (key->read(value, preferences)) return {};
  return fmt::format("{} takes {}, not '{}'", key->name, key->takes, fit(harmless(value), 40));
}

}  // namespace

std::string_view name_of(Pane pane) {
  return std::ranges::find(kPaneNames, pane, &std::pair<Pane, std::string_view>::first)->second;
}

std::vector<seconds> chart_ranges() {
  return {std::begin(kRanges), std::end(kRanges)};
}

std::string range_text(seconds range) {
  return range < std::chrono::hours(1) ? fmt::format("{} min", range.count() / 60)
                                       : fmt::format("{} h", range.count() / 3600);
}

std::string write_preferences(const Preferences& preferences) {
  std::string text = "# What `gpukeeper top` was left with. It writes this file when it ends.\n";
  for (const Key& key : kKeys) text += fmt::format("{}: {}\n", key.name, key.write(preferences));
  return text;
}

Preferences read_preferences(std::string_view text, std::vector<std::string>& troubles) {
  Preferences preferences;
  std::size_t number = 0, wrong = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string trouble = read_line(text.substr(0, end), preferences);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (!trouble.empty() && ++wrong <= kMostTroubles) troubles.push_back(fmt::format("line {}: {}", number, trouble));
  }
  return preferences;
}

std::optional<std::string> preferences_path(
    const std::function<std::optional<std::string>(std::string_view)>& environment) {
  // The specification says that a relative path means nothing.
  const std::string folder = environment("XDG_CONFIG_HOME").value_or("");
  if (folder.starts_with('/')) return folder + "/gpukeeper/top.yaml";
  const std::string home = environment("HOME").value_or("");
  return home.starts_with('/') ? std::optional(home + "/.config/gpukeeper/top.yaml") : std::nullopt;
}

Preferences load_preferences(const std::string& path, std::vector<std::string>& troubles) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes, '\0');
  if (!file || std::filesystem::is_directory(path, error)) {
    troubles.push_back(fmt::format("{} cannot be read", harmless(path)));
    return {};
  }
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  std::vector<std::string> lines;
  Preferences preferences = read_preferences(text, lines);
  for (const std::string& line : lines) troubles.push_back(fmt::format("{}, {}", harmless(path), line));
  return preferences;
}

Result<void> save_preferences(const std::string& path, const Preferences& preferences) {
  return replace_file(path, write_preferences(preferences));
}

}  // namespace gpukeeper::top
