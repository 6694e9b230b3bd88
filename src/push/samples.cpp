#include "push/samples.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpukeeper::push {
namespace {

// A label's value or a help text, which we wrote with \\, \" and \n.
std::string unescaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char next = text[++i];
    result += next == 'n' ? '\n' : next;
  }
  return result;
}

// Where the value ends that begins here: at the quote that nothing escapes.
std::size_t end_of_value(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i;
    }
  }
  return std::string_view::npos;
}

// Takes name="value",… and the brace behind it. Nothing: it was none.
std::optional<Labels> take_labels(std::string_view& rest) {
  Labels labels;
  while (!rest.empty() && rest.front() != '}') {
    const auto equals = rest.find("=\"");
    if (equals == std::string_view::npos) return std::nullopt;
    std::string name(rest.substr(0, equals));
    rest.remove_prefix(equals + 2);
    const auto end = end_of_value(rest);
    if (end == std::string_view::npos) return std::nullopt;
    labels.emplace_back(std::move(name), unescaped(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  if (rest.empty()) return std::nullopt;
  rest.remove_prefix(1);
  std::ranges::sort(labels);
  return labels;
}

std::optional<Sample> sample_of(std::string_view line) {
  const auto end = line.find_first_of("{ ");
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  Sample sample{.name = std::string(line.substr(0, end)), .labels = {}, .value = 0};
  line.remove_prefix(end);
  if (line.starts_with('{')) {
    line.remove_prefix(1);
    auto labels = take_labels(line);
    if (!labels) return std::nullopt;
    sample.labels = std::move(*labels);
  }
  const auto value = parse_double(trim(line));
  if (!value) return std::nullopt;
  sample.value = *value;
  return sample;
}

Family::Type type_of(std::string_view word) {
  if (word == "counter") return Family::Type::counter;
  return word == "histogram" ? Family::Type::histogram : Family::Type::gauge;
}

// "# TYPE name word" and "# HELP name text": the word behind the name.
std::string_view behind_name(std::string_view line, std::string_view& name) {
  line.remove_prefix(std::string_view("# TYPE ").size());
  const auto space = line.find(' ');
  name = line.substr(0, space);
  return space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
}

}  // namespace

std::vector<Family> parse_metrics(std::string_view text) {
  std::vector<Family> families;
  for (const std::string_view line : lines(text)) {
    const bool help = line.starts_with("# HELP ");
    if (help || line.starts_with("# TYPE ")) {
      std::string_view name;
      const std::string_view rest = behind_name(line, name);
      if (families.empty() || families.back().name != name) families.push_back({.name = std::string(name)});
      if (help) {
        families.back().help = unescaped(rest);
      } else {
        families.back().type = type_of(rest);
      }
      continue;
    }
    if (families.empty() || line.starts_with('#')) continue;
    if (auto sample = sample_of(line)) families.back().samples.push_back(std::move(*sample));
  }
  return families;
}

void add_labels(std::vector<Family>& families, const std::vector<std::string>& labels) {
  for (Family& family : families) {
    for (Sample& sample : family.samples) {
      for (const std::string& label : labels) {
        const auto equals = label.find('=');
        const std::string name = label.substr(0, equals);
        const bool has = std::ranges::any_of(sample.labels, [&](const auto& each) { return each.first == name; });
        if (!has) sample.labels.emplace_back(name, label.substr(equals + 1));
      }
      std::ranges::sort(sample.labels);
    }
  }
}

std::vector<std::string> with_instance(std::vector<std::string> labels, const std::string& host) {
  labels.emplace_back("job=gpukeeper");  // behind those that are configured, which stand above them
  labels.push_back("instance=" + host);
  return labels;
}

}  // namespace gpukeeper::push
