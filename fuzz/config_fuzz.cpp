// A configuration of any bytes is refused, every mistake with its place, or taken. What is taken is shown in a form
// that is read again as the same, and a key that is set in its text changes that key only.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/difference.hpp"
#include "config/effective.hpp"
#include "config/file_edit.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::config;

constexpr std::string_view kFile = "fuzz.yaml";

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_place(std::string_view line) {
  require(line.starts_with(kFile), "a mistake begins with the file");
  const auto parts = split(line.substr(kFile.size()), ':');
  require(parts.size() >= 4, "it has line, column and words");
  require(parse_u64(parts[1]).value_or(0) >= 1 && parse_u64(parts[2]).value_or(0) >= 1, "places count from 1");
}

void check_error(const Error& error) {
  require(error.code == Errc::invalid_argument, "a refused configuration is an invalid argument");
  for (const auto line : lines(error.message)) require(harmless(line) == line, "a message is harmless");
  const auto all = lines(error.message);
  if (all.size() == 1) return check_place(all.front());
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (!trim(all[i]).starts_with("and ")) check_place(trim(all[i]));
  }
}

Assignment assigned(const Key& key, std::string_view value) {
  auto node = yaml::parse_yaml(value, "shown");
  require(node.has_value(), "a shown value is YAML");
  return {.key = std::string(key.name), .value = std::move(*node), .place = {}};
}

void check_shown(const Settings& settings) {
  std::vector<Assignment> shown;
  for (const Key& key : key_table()) shown.push_back(assigned(key, key.show(settings)));
  const auto again = effective({.requests = std::move(shown)});
  require(again.has_value(), "shown values are taken");
  require(again->settings == settings, "shown values say the same");
  require(differences(settings, again->settings).empty(), "what is the same does not differ");
}

void check_edit(const std::string& text, const Settings& settings) {
  const Key& key = *find_key("log.level");
  const auto level = assigned(key, key.show(settings) == "\"debug\"" ? "error" : "debug");
  const auto changed = edited(text, kFile, {&level, 1});
  if (!changed) return;  // not in a way that a program edits
  const auto after = effective({.file = File{std::string(kFile), *changed}});
  require(after.has_value(), "an edited file is taken");
  require(differences(settings, after->settings).size() == 1, "an edit changes one key");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto taken = effective({.file = File{std::string(kFile), text}});
  if (!taken) {
    check_error(taken.error());
    return 0;
  }
  check_shown(taken->settings);
  check_edit(text, taken->settings);
  return 0;
}
