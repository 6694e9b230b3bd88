#include "prometheus/labels.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper::prometheus {

namespace {

// Most texts are short and plain: these need no second look, which costs more than all else that is done with them.
bool is_plain(std::string_view text) {
  return text.size() <= kLongestValue && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::string label_value(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  return fit(harmless(text.substr(0, 4 * kLongestValue)), kLongestValue);  // UTF-8 takes 4 bytes at most
}

void add_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels += name;
  labels += "=\"";
  const bool plain = is_plain(value);
  const std::string cleaned = plain ? std::string() : label_value(value);
  for (const char c : plain ? value : cleaned) {  // line ends are gone by then
    if (c == '\\' || c == '"') labels += '\\';
    labels += c;
  }
  labels += '"';
}

std::string label(std::string_view name, std::string_view value) {
  std::string labels;
  add_label(labels, name, value);
  return labels;
}

std::string plain_label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, value);
}

std::vector<LabelledDevice> labelled(const Snapshot& snapshot) {
  std::vector<LabelledDevice> result;
  for (const Place& place : places(snapshot)) {
    std::string labels = plain_label("gpu", index_text(place));
    add_label(labels, "uuid", place.device->device->id.text);
    result.push_back({place, std::move(labels)});
  }
  return result;
}

}  // namespace gpukeeper::prometheus
