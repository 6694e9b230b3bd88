#include "yaml/values.hpp"

#include <algorithm>
#include <cmath>

#include "core/nearest.hpp"
#include "core/text.hpp"

namespace gpukeeper::yaml {
namespace {

struct Unit {
  std::string_view word;
  double factor;
};

const Unit* find_unit(std::span<const Unit> units, std::string_view word) {
  const auto found = std::ranges::find(units, word, &Unit::word);
  return found == units.end() ? nullptr : &*found;
}

// "1h30m" as its pieces: a number's length, then its unit's.
std::size_t number_length(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789."), text.size());
}
std::size_t word_length(std::string_view text) {
  return std::min(text.find_first_of("0123456789."), text.size());
}

}  // namespace

std::string suggestion(std::string_view typed, Words known) {
  const auto word = nearest(typed, known);
  if (!word.empty()) return fmt::format("did you mean '{}'?", word);
  return fmt::format("known are: {}", fmt::join(known, ", "));
}

std::string shown(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::map: return "a mapping";
    case YamlNode::Kind::scalar: break;
  }
  constexpr std::size_t kLongest = 60;
  if (node.text.size() > kLongest) return fmt::format("'{}…'", node.text.substr(0, kLongest));
  return fmt::format("'{}'", node.text);
}

std::string_view scalar(const YamlNode& node, std::string_view what, std::string_view wanted) {
  if (node.kind != YamlNode::Kind::scalar) refuse(node.mark, "'{}' must be {}, not {}", what, wanted, shown(node));
  return node.text;
}

std::string text(const YamlNode& node, std::string_view what) {
  const auto value = trim(scalar(node, what, "a text"));
  if (value.empty()) refuse(node.mark, "'{}' must not be empty", what);
  const bool printable =
      std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
  if (!printable) refuse(node.mark, "'{}' must be one line without control characters", what);
  return std::string(value);
}

std::uint64_t whole(const YamlNode& node, std::string_view what, std::uint64_t min, std::uint64_t max) {
  const auto value = parse_u64(scalar(node, what, "a whole number"));
  if (!value) refuse(node.mark, "'{}' must be a whole number, not {}", what, shown(node));
  if (*value < min || *value > max) refuse(node.mark, "'{}' must be from {} to {}, not {}", what, min, max, *value);
  return *value;
}

double duration(const YamlNode& node, std::string_view what) {
  constexpr std::string_view kWanted = "a duration such as 90s, 5m or 1h30m";
  const auto value = parse_duration(scalar(node, what, kWanted));
  if (!value) refuse(node.mark, "'{}' must be {}, not {}", what, kWanted, shown(node));
  return *value;
}

double positive_duration(const YamlNode& node, std::string_view what) {
  const double value = duration(node, what);
  if (value <= 0) refuse(node.mark, "'{}' must be longer than nothing", what);
  return value;
}

const YamlNode& mapping(const YamlNode& node, std::string_view what, std::string_view example) {
  if (node.kind != YamlNode::Kind::map) {
    refuse(node.mark, "{} must be a mapping such as {}, not {}", what, example, shown(node));
  }
  return node;
}

const std::vector<YamlNode>& list(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlNode::Kind::sequence) refuse(node.mark, "'{}' must be a list, not {}", what, shown(node));
  return node.items;
}

void check_keys(const YamlNode& map, std::string_view what, Words known) {
  for (const YamlNode::Entry& entry : map.entries) {
    if (std::ranges::find(known, entry.key) == known.end()) {
      refuse(entry.key_mark, "unknown key '{}' in {}: {}", entry.key, what, suggestion(entry.key, known));
    }
  }
}

const YamlNode& required(const YamlNode& map, std::string_view what, std::string_view key, std::string_view example) {
  const YamlNode* found = map.find(key);
  if (!found) refuse(map.mark, "{} needs '{}', such as '{}: {}'", what, key, key, example);
  return *found;
}

std::optional<double> parse_duration(std::string_view text) {
  constexpr Unit kUnits[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  constexpr double kLongest = 3650 * 86400.0;  // ten years: beyond it, times would lose their milliseconds
  text = trim(text);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto digits = number_length(text);
    const auto number = parse_double(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto letters = word_length(text);
    const Unit* unit = find_unit(kUnits, text.substr(0, letters));
    text.remove_prefix(letters);
    if (!number || !unit) return std::nullopt;
    total += *number * unit->factor;
  }
  if (total > kLongest) return std::nullopt;
  return total;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr Unit kUnits[] = {{"", 1},         {"B", 1},    {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
                             {"TiB", 0x1p40}, {"kB", 1e3}, {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12}};
  text = trim(text);
  const auto digits = number_length(text);
  const auto number = parse_double(text.substr(0, digits));
  const Unit* unit = find_unit(kUnits, trim(text.substr(digits)));
  if (!number || !unit) return std::nullopt;
  const double bytes = *number * unit->factor;
  if (bytes > kMaxBytes) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(bytes));
}

}  // namespace gpukeeper::yaml
