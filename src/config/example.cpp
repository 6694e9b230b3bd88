#include "config/example.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "config/key_table.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::config {
namespace {

constexpr std::size_t kWidth = 110;

constexpr std::string_view kHead =
    R"(# The configuration of gpukeeper. Every key is here, explained, at what it is by itself.
#
# Take the '#' away from what you change, and from the section it stands in. What is left a comment follows the defaults
# of later versions. In brackets: what a key takes, its unit, and whether it takes effect with a restart only.
#
#   gpukeeper config check /etc/gpukeeper/gpukeeper.yaml    is it well?
#   gpukeeper config diff                                   what is not as it is by itself?
#
# A running daemon takes a changed file by itself: all of it, or nothing where something is wrong.

)";

std::string_view without(std::string_view name, std::string_view section) {
  return section.empty() ? name : name.substr(section.size() + 1);
}

bool is_in(std::string_view name, std::string_view section) {
  return section.empty() || (name.starts_with(section) && name.substr(section.size()).starts_with('.'));
}

std::string explanation(const Key& key) {
  std::string text = fmt::format("{} [{}", key.help, key.type);
  if (!key.range.empty()) text += ", " + key.range;
  if (!key.unit.empty()) text += fmt::format("; {}", key.unit);
  return text + (key.change == Change::restart ? "; with a restart]" : "]");
}

void add_key(std::string& text, const Key& key, std::string_view name, const std::string& indent) {
  for (const std::string& line : wrap(explanation(key), kWidth)) text += fmt::format("#{}# {}\n", indent, line);
  text += fmt::format("#{}{}: {}\n", indent, name, key.show(Settings()));
}

// A section's keys may stand apart in the table; in a file they must not.
void add_section(std::string& text, const std::string& section, const std::string& indent) {
  std::vector<std::string_view> done;
  for (const Key& key : key_table()) {
    if (!is_in(key.name, section)) continue;
    const auto rest = without(key.name, section);
    const auto name = rest.substr(0, rest.find('.'));
    if (std::ranges::find(done, name) != done.end()) continue;
    done.push_back(name);
    if (section.empty() && done.size() > 1) text += "\n";
    if (name == rest) {
      add_key(text, key, name, indent);
    } else {
      text += fmt::format("#{}{}:\n", indent, name);
      add_section(text, section.empty() ? std::string(name) : fmt::format("{}.{}", section, name), indent + "  ");
    }
  }
}

}  // namespace

std::string example() {
  std::string text(kHead);
  add_section(text, "", "");
  return text;
}

}  // namespace gpukeeper::config
