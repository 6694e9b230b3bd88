#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "yaml/tree.hpp"

// Checked values out of a YAML tree: each function answers with the value or throws Refused with the place of the
// mistake and what would be right. `what` is the key, as messages name it.
namespace gpukeeper::yaml {

using Words = std::span<const std::string_view>;

/// A mistake in a scenario. It is found deep inside the reading of a value and travels up to parse_scenario as this
/// exception, which keeps some forty readers free of error plumbing; nothing of it leaves parse_scenario.
struct Refused {
  Mark mark;
  std::string message;
};

template <class... Args>
[[noreturn]] void refuse(Mark mark, fmt::format_string<Args...> format, Args&&... args) {
  throw Refused{mark, fmt::format(format, std::forward<Args>(args)...)};
}

/// What a message says after an unknown word: "did you mean 'seed'?", or when nothing is near, all the known words.
std::string suggestion(std::string_view typed, Words known);

/// How a value is shown in a message: what stands in the file, cut where it is long.
std::string shown(const YamlNode& node);

/// A scalar's text as written; `wanted` completes "'what' must be …".
std::string_view scalar(const YamlNode& node, std::string_view what, std::string_view wanted);

/// One line of text, trimmed, not empty.
std::string text(const YamlNode& node, std::string_view what);

std::uint64_t whole(const YamlNode& node, std::string_view what, std::uint64_t min, std::uint64_t max);

/// Seconds of a duration such as 1h30m.
double duration(const YamlNode& node, std::string_view what);
double positive_duration(const YamlNode& node, std::string_view what);

/// The value that a word stands for.
template <class T, std::size_t N>
T choice(const YamlNode& node, std::string_view what, const std::pair<std::string_view, T> (&words)[N]) {
  std::vector<std::string_view> known;
  for (const auto& [word, value] : words) {
    if (node.kind == YamlNode::Kind::scalar && node.text == word) return value;
    known.push_back(word);
  }
  refuse(node.mark, "'{}' must be one of {}, not {}", what, fmt::join(known, ", "), shown(node));
}

/// The node itself, which is a map; `example` shows one.
const YamlNode& mapping(const YamlNode& node, std::string_view what, std::string_view example);

/// The items of a sequence.
const std::vector<YamlNode>& list(const YamlNode& node, std::string_view what);

/// Refuses a map with a key that is not among the known ones.
void check_keys(const YamlNode& map, std::string_view what, Words known);

/// The value of a key that must be there; `example` is what could stand after it.
const YamlNode& required(const YamlNode& map, std::string_view what, std::string_view key, std::string_view example);

inline constexpr double kMaxBytes = 9007199254740992.0;  // 2^53: up to here a double counts every byte

/// "90s", "5m", "1h30m", "250ms" in seconds; nothing for anything else.
std::optional<double> parse_duration(std::string_view text);

/// "80GiB", "512MiB", "24GB", "4096" in bytes; nothing for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace gpukeeper::yaml
