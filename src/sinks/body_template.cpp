#include "sinks/body_template.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/nearest.hpp"
#include "core/rfc3339.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

struct Placeholder {
  std::string_view name;
  bool number;    // in JSON it stands without quotes
  bool optional;  // an alert may have none: empty, in JSON null where it is a number
  std::string (*value)(const AlertNotice&);
};

std::string number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return "";
  return fmt::format("{}", std::round(*value * 1000) / 1000);
}

std::string time(const std::optional<WallTime>& value) {
  return value ? rfc3339(*value) : "";
}

constexpr Placeholder kPlaceholders[] = {
    {"event", false, false, [](const AlertNotice& n) { return std::string(to_string(n.kind)); }},
    {"headline", false, false, [](const AlertNotice& n) { return headline(n); }},
    {"id", false, false, [](const AlertNotice& n) { return n.alert.id; }},
    {"rule", false, false, [](const AlertNotice& n) { return n.alert.rule; }},
    {"level", false, false, [](const AlertNotice& n) { return std::string(to_string(n.alert.level)); }},
    {"severity", true, false, [](const AlertNotice& n) { return fmt::format("{}", n.alert.severity); }},
    {"gpu", true, true,
     [](const AlertNotice& n) { return n.alert.device_index ? fmt::format("{}", *n.alert.device_index) : ""; }},
    {"device", false, true, [](const AlertNotice& n) { return n.alert.device ? n.alert.device->text : std::string(); }},
    {"subject", false, true, [](const AlertNotice& n) { return n.alert.subject; }},
    {"message", false, false, [](const AlertNotice& n) { return n.alert.message; }},
    {"remedy", false, true, [](const AlertNotice& n) { return n.alert.remedy; }},
    {"link", false, true, [](const AlertNotice& n) { return n.alert.link; }},
    {"value", true, true, [](const AlertNotice& n) { return number(n.alert.value); }},
    {"threshold", true, true, [](const AlertNotice& n) { return number(n.alert.threshold); }},
    {"host", false, false, [](const AlertNotice& n) { return n.host; }},
    {"origin", false, true, [](const AlertNotice& n) { return n.origin; }},
    {"at", false, false, [](const AlertNotice& n) { return rfc3339(n.at); }},
    {"since", false, false, [](const AlertNotice& n) { return rfc3339(n.alert.since); }},
    {"fired_at", false, true, [](const AlertNotice& n) { return time(n.alert.fired_at); }},
    {"resolved_at", false, true, [](const AlertNotice& n) { return time(n.alert.resolved_at); }},
};

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

Result<int> find_placeholder(std::string_view word) {
  std::vector<std::string_view> names;
  for (const Placeholder& each : kPlaceholders) {
    if (each.name == word) return static_cast<int>(&each - kPlaceholders);
    names.push_back(each.name);
  }
  const std::string_view near = nearest(word, names);
  return fail(Errc::invalid_argument,
              near.empty()
                  ? fmt::format("there is no placeholder {{{}}}; there are {}", fit(word, 40), fmt::join(names, ", "))
                  : fmt::format("there is no placeholder {{{}}}; did you mean {{{}}}?", fit(word, 40), near));
}

// Without the quotes around it.
std::string json_escaped(const std::string& value) {
  const std::string quoted = dump(Json(value), false);
  return quoted.substr(1, quoted.size() - 2);
}

std::string url_encoded(std::string_view value) {
  std::string result;
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace

Result<BodyTemplate> BodyTemplate::parse(std::string_view text, std::string_view content_type) {
  if (text.size() > kLongest) {
    return fail(Errc::invalid_argument, fmt::format("it has {} bytes; at most {} are taken", text.size(), kLongest));
  }
  BodyTemplate result;
  const std::string type(trim(content_type.substr(0, content_type.find(';'))));
  if (type.empty() || type == "application/json" || type.ends_with("+json")) {
    result.form_ = Form::json;
  } else if (type == "application/x-www-form-urlencoded") {
    result.form_ = Form::url_encoded;
  }
  std::string before;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto end = text[i] == '{' ? text.find('}', i) : std::string_view::npos;
    const auto word = end == std::string_view::npos ? std::string_view() : text.substr(i + 1, end - i - 1);
    if (!is_word(word)) {
      before += text[i];
      continue;
    }
    const auto placeholder = find_placeholder(word);
    if (!placeholder) return tl::make_unexpected(placeholder.error());
    result.pieces_.push_back({std::move(before), *placeholder});
    before.clear();
    i = end;
  }
  result.pieces_.push_back({std::move(before), -1});
  if (result.form_ != Form::json) return result;
  // Texts are escaped, so a blank stands for any of them (after a stray backslash it is none, as they may be); numbers
  // change between digits and null.
  for (const std::string_view number : {"0", "null"}) {
    const auto sample = result.fill_with([&](const Placeholder& each) {
      return std::string(!each.number ? " " : each.optional ? number : "0");
    });
    if (!Json::accept(sample)) {
      return fail(Errc::invalid_argument,
                  "it does not make JSON once its placeholders are filled in; texts must stand in quotes: "
                  "{\"text\": \"{message}\"}");
    }
  }
  return result;
}

template <class ValueOf>
std::string BodyTemplate::fill_with(ValueOf value_of) const {
  std::string result;
  for (const Piece& piece : pieces_) {
    result += piece.text;
    if (piece.placeholder >= 0) result += value_of(kPlaceholders[piece.placeholder]);
  }
  return result;
}

std::string BodyTemplate::fill(const AlertNotice& notice) const {
  return fill_with([&](const Placeholder& placeholder) -> std::string {
    const std::string value = placeholder.value(notice);
    switch (form_) {
      case Form::json: return placeholder.number && value.empty() ? "null" : json_escaped(value);
      case Form::url_encoded: return url_encoded(value);
      case Form::text: return harmless(value);
    }
    return value;
  });
}

}  // namespace gpukeeper
