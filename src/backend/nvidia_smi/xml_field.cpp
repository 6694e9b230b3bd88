#include "backend/nvidia_smi/xml_field.hpp"

#include <cmath>
#include <cstdint>

#include "core/text.hpp"

namespace gpukeeper::nvidia_smi {

bool has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

Missing reason_in(std::string_view text) {
  const auto words = to_lower(text);
  if (has(words, "permission") || has(words, "redacted")) return Missing::not_permitted;
  for (const auto* word :
       {"lost", "unknown error", "err!", "requires reset", "requires restart", "insufficient size", "timeout",
        "timed out", "driver not loaded", "mismatch", "corrupted", "insufficient resources", "in use", "internal error",
        "access blocked", "illegal instruction", "uninitialized"}) {
    if (has(words, word)) return Missing::failed;
  }
  return Missing::not_supported;  // N/A, [N/A], None, Not Found, Not Supported, "… has been deprecated", empty
}

std::string_view own_text(const pugi::xml_node& node) {
  return trim(node.child_value());
}

Field field(const pugi::xml_node& block, const char* name) {
  if (const auto child = block.child(name)) return {own_text(child)};
  const auto words = own_text(block);
  return words.empty() || leading_number(words) ? Field{} : Field{words};
}

Field field(const pugi::xml_node& gpu, const char* block, const char* name) {
  return field(gpu.child(block), name);
}

pugi::xml_node first_block(const pugi::xml_node& gpu, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (const auto block = gpu.child(name)) return block;
  }
  return {};
}

Metric<Number> number(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  const auto value = leading_number(*from.text);
  if (!value) return missing(from.reason());
  const auto end = from.text->find_first_not_of("-0123456789.");
  return Number{*value, end == std::string_view::npos ? std::string_view() : trim(from.text->substr(end))};
}

Metric<Watts> watts(const Field& from) {
  return number_in<Watts>(from, 0, 50'000);
}
Metric<Celsius> celsius(const Field& from) {
  return number_in<Celsius>(from, -273, 500);
}
Metric<Megahertz> megahertz(const Field& from) {
  return number_in<Megahertz>(from, 0, 100'000);
}
Metric<Percent> percent(const Field& from) {
  return number_in<Percent>(from, 0, 100);
}

Metric<Percent> fan_percent(const Field& from) {
  const auto speed = number_in<Percent>(from, 0, 300);
  // "This value may exceed 100% in certain cases" (nvml.h, nvmlDeviceGetFanSpeed): faster than its nominal maximum.
  if (speed && speed->value() > 100) return Percent(100);
  return speed;
}

Metric<Count> count(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  if (const auto whole = parse_u64(*from.text)) {
    return *whole <= INT64_MAX ? Metric<Count>(Count(*whole)) : Metric<Count>(missing(Missing::failed));
  }
  return number_in<Count>(from, 0, 9007199254740992.0);  // "16x", "3 page(s)"; whole in a double up to 2^53
}

Metric<Bytes> bytes(const Field& from) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  // What old drivers call MB has always been MiB (NVML counts bytes; nvidia-smi shifts them by 20).
  const auto unit = to_lower(found->unit);
  const int shift = unit == "gib" || unit == "gb"    ? 30
                    : unit == "kib" || unit == "kb"  ? 10
                    : unit == "b" || unit == "bytes" ? 0
                                                     : 20;
  const double scaled = std::ldexp(found->value, shift);
  if (scaled < 0 || scaled > 0x1p50) return missing(Missing::failed);
  return Bytes(static_cast<std::uint64_t>(scaled));
}

Metric<BytesPerSecond> bytes_per_second(const Field& from) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  const auto unit = to_lower(found->unit);
  const double scale = unit.starts_with("g") ? 1e9 : unit.starts_with("m") ? 1e6 : unit.starts_with("b") ? 1 : 1e3;
  const double scaled = found->value * scale;
  if (scaled < 0 || scaled > 1e15) return missing(Missing::failed);
  return BytesPerSecond(scaled);
}

Metric<std::chrono::nanoseconds> microseconds(const Field& from) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  if (found->value < 0 || found->value > 9e15)
    return missing(Missing::failed);  // 285 years; in nanoseconds still 64 bits
  return std::chrono::nanoseconds(static_cast<std::int64_t>(found->value * 1e3));
}

Metric<bool> yes_or_no(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  const auto word = to_lower(*from.text);
  if (word == "yes" || word == "enabled" || word == "on" || word == "active") return true;
  if (word == "no" || word == "disabled" || word == "off" || word == "not active") return false;
  return missing(from.reason());
}

Metric<std::string> words(const Field& from) {
  if (!from.text) return missing(Missing::not_supported);
  auto text = *from.text;
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = trim(text.substr(1, text.size() - 2));
  const auto low = to_lower(text);
  const auto reason = reason_in(text);
  if (reason != Missing::not_supported) return missing(reason);
  for (const auto* none : {"", "n/a", "none", "not found", "not supported", "not available", "unknown", "-"}) {
    if (low == none) return missing(Missing::not_supported);
  }
  if (has(low, "deprecated")) return missing(Missing::not_supported);
  return printable(text.substr(0, 256));
}

std::string opening(std::string_view text) {
  const auto line = trim(text.substr(0, text.find('\n')));
  return printable(line.substr(0, 120));
}

Missing Field::reason() const {
  return text ? reason_in(*text) : Missing::not_supported;
}

}  // namespace gpukeeper::nvidia_smi
