#include "config/codec.hpp"

#include <cmath>

#include "core/text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::config {
namespace {

struct Unit {
  std::string_view word;
  double factor;
};

// The number in its largest unit in which it is whole.
std::string in_units(double value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value >= unit.factor && std::fmod(value, unit.factor) == 0) {
      return number_text(value / unit.factor) + std::string(unit.word);
    }
  }
  return number_text(value) + std::string(units.back().word);
}

std::optional<std::string> read_lines(const YamlNode& node, const std::string& where, Mistakes& mistakes) {
  if (node.kind != YamlNode::Kind::scalar) {
    mistakes.say(node.mark, "{}: {} is no text", where, yaml::shown(node));
    return std::nullopt;
  }
  const bool printable = std::ranges::all_of(
      node.text, [](char c) { return static_cast<unsigned char>(c) >= ' ' ? c != 0x7f : c == '\n' || c == '\t'; });
  if (!trim(node.text).empty() && printable) return node.text;
  mistakes.say(node.mark, "{}: must be text without control characters, and not empty", where);
  return std::nullopt;
}

}  // namespace

std::string json_text(std::string_view text) {
  return dump(Json(text), false);
}

std::string number_text(double value) {
  return fmt::format("{}", value);
}

std::string seconds_text(double seconds) {
  constexpr Unit kUnits[] = {{"h", 3600}, {"m", 60}, {"s", 1}};
  if (seconds > 0 && seconds < 1) return fmt::format("{}ms", seconds * 1000);
  return in_units(seconds, kUnits);
}

std::string size_text(Bytes size) {
  constexpr Unit kUnits[] = {{"GiB", 0x1p30}, {"MiB", 0x1p20}, {"KiB", 0x1p10}, {"B", 1}};
  return in_units(static_cast<double>(size.value()), kUnits);
}

std::string joined_schema(std::string_view key, const std::vector<std::string>& schemas) {
  return fmt::format("{{{}:[{}]}}", json_text(key), fmt::join(schemas, ","));
}

std::string unknown_key(std::string_view key, const std::string& where, std::span<const std::string_view> known) {
  return fmt::format("unknown key '{}' in {}: {}", key, where.empty() ? "the configuration" : where,
                     yaml::suggestion(key, known));
}

std::optional<double> read_number(const YamlNode& node, const std::string& where, double least, double most, bool whole,
                                  Mistakes& mistakes) {
  const auto value = node.kind == YamlNode::Kind::scalar ? parse_double(node.text) : std::nullopt;
  if (!value || (whole && std::floor(*value) != *value)) {
    mistakes.say(node.mark, "{}: {} is no {}", where, yaml::shown(node), whole ? "whole number" : "number");
    return std::nullopt;
  }
  if (*value >= least && *value <= most) return value;
  mistakes.say(node.mark, "{}: {} is not from {} to {}", where, trim(node.text), number_text(least), number_text(most));
  return std::nullopt;
}

std::optional<double> read_seconds(const YamlNode& node, const std::string& where, double least, double most,
                                   Mistakes& mistakes) {
  std::optional<double> value;
  if (node.kind == YamlNode::Kind::scalar) value = parse_double(node.text);
  if (!value && node.kind == YamlNode::Kind::scalar) value = yaml::parse_duration(node.text);
  if (!value) {
    mistakes.say(node.mark, "{}: {} is no number of seconds, and no time such as 90s, 5m or 1h30m", where,
                 yaml::shown(node));
    return std::nullopt;
  }
  if (*value >= least && *value <= most) return value;
  mistakes.say(node.mark, "{}: {} is not from {} to {}", where, trim(node.text), seconds_text(least),
               seconds_text(most));
  return std::nullopt;
}

std::optional<std::string> read_text(const YamlNode& node, const std::string& where, Mistakes& mistakes) {
  if (node.kind != YamlNode::Kind::scalar) {
    mistakes.say(node.mark, "{}: {} is no text", where, yaml::shown(node));
    return std::nullopt;
  }
  const auto value = trim(node.text);
  const bool printable =
      std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
  if (value.empty() || !printable) {
    mistakes.say(node.mark, "{}: must be one line of text without control characters, and not empty", where);
    return std::nullopt;
  }
  return std::string(value);
}

std::optional<std::size_t> read_word(const YamlNode& node, const std::string& where,
                                     std::span<const std::string_view> words, Mistakes& mistakes) {
  const auto found = std::ranges::find(words, std::string_view(node.text));
  if (node.kind == YamlNode::Kind::scalar && found != words.end()) {
    return static_cast<std::size_t>(found - words.begin());
  }
  mistakes.say(node.mark, "{}: {} is none of {}", where, yaml::shown(node), fmt::join(words, ", "));
  return std::nullopt;
}

Codec<Bytes> mebibytes(double least, double most) {
  auto inner = number<std::uint64_t>(least, most);
  return {.type = inner.type,
          .range = inner.range,
          .schema = inner.schema,
          .read =
              [=](Bytes& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                const auto value = read_number(node, where, least, most, true, mistakes);
                if (value) target = from_mib(static_cast<std::uint64_t>(*value));
              },
          .show = [](const Bytes& value) { return fmt::format("{}", value.value() >> 20); }};
}

Codec<Bytes> size(Bytes least) {
  return {.type = "size such as 10MiB",
          .range = size_text(least) + " or more",
          .schema = R"({"type":["string","integer"]})",
          .read =
              [=](Bytes& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                const auto value = node.kind == YamlNode::Kind::scalar ? yaml::parse_size(node.text) : std::nullopt;
                if (value && Bytes(*value) >= least) {
                  target = Bytes(*value);
                } else {
                  mistakes.say(node.mark, "{}: {} is no size of {} or more, such as 10MiB", where, yaml::shown(node),
                               size_text(least));
                }
              },
          .show = [](const Bytes& value) { return json_text(size_text(value)); }};
}

Codec<std::chrono::nanoseconds> seconds(double least, double most) {
  using std::chrono::nanoseconds;
  return {
      .type = "time",
      .range = fmt::format("{} to {}", seconds_text(least), seconds_text(most)),
      .schema = fmt::format(R"({{"anyOf":[{{"type":"number","minimum":{},"maximum":{}}},{{"type":"string","pattern":)"
                            R"("^([0-9.]+(ms|s|m|h|d))+$"}}]}})",
                            number_text(least), number_text(most)),
      .read =
          [=](nanoseconds& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
            const auto value = read_seconds(node, where, least, most, mistakes);
            if (value) target = std::chrono::round<nanoseconds>(std::chrono::duration<double>(*value));
          },
      .show = [](const nanoseconds& value) { return number_text(std::chrono::duration<double>(value).count()); }};
}

Codec<bool> flag() {
  static constexpr std::string_view kWords[] = {"true", "false"};
  return {.type = "true or false",
          .range = "",
          .schema = R"({"type":"boolean"})",
          .read =
              [](bool& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                if (const auto at = read_word(node, where, kWords, mistakes)) target = *at == 0;
              },
          .show = [](const bool& value) { return value ? "true" : "false"; }};
}

Codec<std::string> text() {
  return {.type = "text",
          .range = "",
          .schema = R"({"type":"string","minLength":1})",
          .read =
              [](std::string& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                if (auto value = read_text(node, where, mistakes)) target = std::move(*value);
              },
          .show = [](const std::string& value) { return json_text(value); }};
}

namespace {

// With nothing for an empty text.
Codec<std::string> or_none(Codec<std::string> codec) {
  codec.schema = R"({"type":["string","null"]})";
  codec.read = [read = codec.read](std::string& target, const YamlNode& node, const std::string& where,
                                   Mistakes& mistakes) {
    if (node.kind == YamlNode::Kind::null) {
      target.clear();
    } else {
      read(target, node, where, mistakes);
    }
  };
  codec.show = [](const std::string& value) { return value.empty() ? "null" : json_text(value); };
  return codec;
}

}  // namespace

Codec<std::string> text_or_none() {
  return or_none(text());
}

Codec<std::string> lines_or_none() {
  auto codec = text();
  codec.read = [](std::string& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
    if (auto value = read_lines(node, where, mistakes)) target = std::move(*value);
  };
  return or_none(std::move(codec));
}

Codec<ListenAddress> listen_address() {
  return {.type = "address",
          .range = "",
          .schema = R"({"type":"string","minLength":1})",
          .read =
              [](ListenAddress& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                const auto value = read_text(node, where, mistakes);
                if (!value) return;
                auto address = parse_listen_address(*value);
                if (address) {
                  target = std::move(*address);
                } else {
                  mistakes.say(node.mark, "{}", address.error().message);
                }
              },
          .show = [](const ListenAddress& value) { return json_text(value.to_string()); }};
}

Codec<auth::Network> network() {
  return {.type = "address or network",
          .range = "",
          .schema = R"({"type":"string","minLength":1})",
          .read =
              [](auth::Network& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                const auto value = read_text(node, where, mistakes);
                if (!value) return;
                auto parsed = auth::Network::parse(*value);
                if (parsed) {
                  target = std::move(*parsed);
                } else {
                  mistakes.say(node.mark, "{}", parsed.error().message);
                }
              },
          .show = [](const auth::Network& value) { return json_text(value.to_string()); }};
}

}  // namespace gpukeeper::config
