#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "auth/network.hpp"
#include "config/bounds.hpp"
#include "config/mistakes.hpp"
#include "core/listen_address.hpp"
#include "core/units.hpp"
#include "yaml/values.hpp"

// How values are read out of YAML (and JSON, which is YAML), shown as JSON, and described. Small codecs make larger
// ones: a list of texts, a record of members. Included by source files only.
namespace gpukeeper::config {

using yaml::YamlNode;

/// One kind of value. What show() gives can be read again, and gives the same.
template <class T>
struct Codec {
  std::string type;    ///< for people: "number", "list of texts"
  std::string range;   ///< for people: "1 to 150"; empty where every value of the type will do
  std::string schema;  ///< as JSON Schema
  std::optional<Bounds> bounds = std::nullopt;
  /// Sets the target, or says what is wrong with `where` and leaves it.
  std::function<void(T& target, const YamlNode& node, const std::string& where, Mistakes& mistakes)> read;
  std::function<std::string(const T&)> show;  ///< as JSON
};

std::string json_text(std::string_view text);  ///< with its quotes
std::string number_text(double value);         ///< the shortest that says it: 65, 0.8
std::string seconds_text(double seconds);      ///< as people say it: 90s, 24h, 100ms
std::string size_text(Bytes size);             ///< 10MiB, where it is a whole number of them
std::string joined_schema(std::string_view key, const std::vector<std::string>& schemas);  ///< {"anyOf":[...]}
std::string unknown_key(std::string_view key, const std::string& where, std::span<const std::string_view> known);

/// The number in a node; nothing, and a mistake said, when there is none or it is not from `least` to `most`.
std::optional<double> read_number(const YamlNode& node, const std::string& where, double least, double most, bool whole,
                                  Mistakes& mistakes);
std::optional<double> read_seconds(const YamlNode& node, const std::string& where, double least, double most,
                                   Mistakes& mistakes);
std::optional<std::string> read_text(const YamlNode& node, const std::string& where, Mistakes& mistakes);
/// The word's place among those that will do.
std::optional<std::size_t> read_word(const YamlNode& node, const std::string& where,
                                     std::span<const std::string_view> words, Mistakes& mistakes);

/// A value to read into, where a type has none by itself: units are made of a number.
template <class T>
T initial() {
  if constexpr (std::default_initializable<T>) {
    return T();
  } else {
    return T(typename T::rep{});
  }
}

/// Numbers: plain ones, and quantities that have a value of that unit.
template <class T>
double to_number(const T& value) {
  if constexpr (requires { value.value(); }) {
    return static_cast<double>(value.value());
  } else {
    return static_cast<double>(value);
  }
}

template <class T>
Codec<T> number(double least, double most) {
  constexpr bool kWhole = std::integral<T>;
  return {.type = kWhole ? "whole number" : "number",
          .range = fmt::format("{} to {}", number_text(least), number_text(most)),
          .schema = fmt::format(R"({{"type":"{}","minimum":{},"maximum":{}}})", kWhole ? "integer" : "number",
                                number_text(least), number_text(most)),
          .bounds = Bounds{least, most},
          .read =
              [=](T& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                const auto value = read_number(node, where, least, most, kWhole, mistakes);
                if (value) target = static_cast<T>(*value);
              },
          .show = [](const T& value) { return number_text(to_number(value)); }};
}

Codec<Bytes> mebibytes(double least, double most);  ///< a bare number of MiB
Codec<Bytes> size(Bytes least);                     ///< "10MiB"
Codec<std::chrono::nanoseconds> seconds(double least, double most);
Codec<bool> flag();
Codec<std::string> text();
Codec<std::string> text_or_none();   ///< nothing is an empty text
Codec<std::string> lines_or_none();  ///< as above; of several lines, too
Codec<ListenAddress> listen_address();
Codec<auth::Network> network();

template <class T, std::size_t N>
Codec<T> word(const std::pair<std::string_view, T> (&words)[N]) {
  std::vector<std::string_view> names;
  std::vector<T> values;
  std::vector<std::string> quoted;
  for (const auto& [name, value] : words) {
    names.push_back(name);
    values.push_back(value);
    quoted.push_back(json_text(name));
  }
  return {.type = fmt::format("{}", fmt::join(names, ", ")),
          .range = "",
          .schema = fmt::format(R"({{"enum":[{}]}})", fmt::join(quoted, ",")),
          .read =
              [names, values](T& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                if (const auto at = read_word(node, where, names, mistakes)) target = values[*at];
              },
          .show =
              [quoted, values](const T& value) {
                return quoted[static_cast<std::size_t>(std::ranges::find(values, value) - values.begin())];
              }};
}

/// Nothing is null.
template <class T>
Codec<std::optional<T>> maybe(Codec<T> inner) {
  return {.type = inner.type,
          .range = inner.range,
          .schema = joined_schema("anyOf", {inner.schema, R"({"type":"null"})"}),
          .read =
              [read = inner.read](std::optional<T>& target, const YamlNode& node, const std::string& where,
                                  Mistakes& mistakes) {
                if (node.kind == YamlNode::Kind::null) {
                  target.reset();
                  return;
                }
                T value = target ? *target : initial<T>();
                Mistakes found;
                read(value, node, where, found);
                if (found.empty()) target = std::move(value);
                mistakes.take_over(found);
              },
          .show = [show = inner.show](const std::optional<T>& value) { return value ? show(*value) : "null"; }};
}

/// Nothing is that word; `nothing` says what it means.
template <class T>
Codec<std::optional<T>> or_word(std::string_view word, std::string_view nothing, Codec<T> inner) {
  auto codec = maybe(inner);
  codec.range += fmt::format("{}or {}", codec.range.empty() ? "" : ", ", word);
  codec.schema = joined_schema("anyOf", {inner.schema, fmt::format(R"({{"const":"{}"}})", word)});
  codec.read = [read = codec.read, word, nothing](std::optional<T>& target, const YamlNode& node,
                                                  const std::string& where, Mistakes& mistakes) {
    if (node.kind == YamlNode::Kind::scalar && node.text == word) {
      target.reset();
    } else if (node.kind == YamlNode::Kind::null) {
      mistakes.say(node.mark, "{}: nothing is no number; {} is the word for {}", where, word, nothing);
    } else {
      read(target, node, where, mistakes);
    }
  };
  codec.show = [show = inner.show, word](const std::optional<T>& value) {
    return value ? show(*value) : json_text(word);
  };
  return codec;
}

template <class T>
Codec<std::optional<T>> or_off(Codec<T> inner) {
  return or_word("off", "none", std::move(inner));
}

/// One value alone will do as well.
template <class T>
Codec<std::vector<T>> list(Codec<T> inner) {
  return {
      .type = "list of " + inner.type,
      .range = inner.range,
      .schema = joined_schema("anyOf", {inner.schema, fmt::format(R"({{"type":"array","items":{}}})", inner.schema)}),
      .read =
          [read = inner.read](std::vector<T>& target, const YamlNode& node, const std::string& where,
                              Mistakes& mistakes) {
            const bool several = node.kind == YamlNode::Kind::sequence;
            const std::span<const YamlNode> items = several ? std::span(node.items) : std::span(&node, 1);
            Mistakes found;
            std::vector<T> values;
            for (std::size_t i = 0; i < items.size(); ++i) {
              T value = initial<T>();
              read(value, items[i], several ? fmt::format("{}[{}]", where, i) : where, found);
              values.push_back(std::move(value));
            }
            if (found.empty()) target = std::move(values);
            mistakes.take_over(found);
          },
      .show =
          [show = inner.show](const std::vector<T>& values) {
            std::string text = "[";
            for (const T& value : values) text += (text.size() > 1 ? "," : "") + show(value);
            return text + "]";
          }};
}

/// A named part of an Owner.
template <class Owner>
struct Member {
  std::string_view name;
  std::string schema;
  std::function<void(Owner&, const YamlNode&, const std::string& where, Mistakes&)> read;
  std::function<std::string(const Owner&)> show;
  bool required = false;
};

template <class Owner, class T, class Class>
Member<Owner> member(std::string_view name, Codec<T> codec, T Class::*field, bool required = false) {
  return {.name = name,
          .schema = codec.schema,
          .read = [read = codec.read, field](Owner& owner, const YamlNode& node, const std::string& where,
                                             Mistakes& mistakes) { read(owner.*field, node, where, mistakes); },
          .show = [show = codec.show, field](const Owner& owner) { return show(owner.*field); },
          .required = required};
}

/// A mapping with these members; those that are absent keep their defaults and are not shown when they are null.
template <class Owner>
Codec<Owner> record(std::vector<Member<Owner>> members) {
  std::string properties;
  std::string required;
  for (const Member<Owner>& each : members) {
    properties += fmt::format("{}{}:{}", properties.empty() ? "" : ",", json_text(each.name), each.schema);
    if (each.required) required += fmt::format("{}{}", required.empty() ? "" : ",", json_text(each.name));
  }
  return {
      .type = "mapping",
      .range = "",
      .schema = fmt::format(R"({{"type":"object","additionalProperties":false,"properties":{{{}}},"required":[{}]}})",
                            properties, required),
      .read =
          [members](Owner& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
            if (node.kind != YamlNode::Kind::map) {
              return mistakes.say(node.mark, "{}: {} is no mapping", where, yaml::shown(node));
            }
            std::vector<std::string_view> known;
            for (const Member<Owner>& each : members) {
              known.push_back(each.name);
              const YamlNode* value = node.find(each.name);
              if (value) each.read(target, *value, fmt::format("{}.{}", where, each.name), mistakes);
              if (!value && each.required) mistakes.say(node.mark, "{}: needs {}", where, each.name);
            }
            for (const YamlNode::Entry& entry : node.entries) {
              if (std::ranges::find(known, entry.key) != known.end()) continue;
              mistakes.say(entry.key_mark, "{}", unknown_key(entry.key, where, known));
            }
          },
      .show =
          [members](const Owner& owner) {
            std::string text = "{";
            for (const Member<Owner>& each : members) {
              const std::string value = each.show(owner);
              if (value == "null") continue;
              text += fmt::format("{}{}:{}", text.size() > 1 ? "," : "", json_text(each.name), value);
            }
            return text + "}";
          }};
}

}  // namespace gpukeeper::config
