#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <pugixml.hpp>

#include "core/units.hpp"
#include "device/metric.hpp"

/// nvidia-smi's XML grew for fifteen years. Names moved (memory_usage, fb_memory_usage; power_readings,
/// gpu_power_readings; clocks_throttle_reasons, clocks_event_reasons), and names repeat in places that mean something
/// else (power_draw of the whole module). So a value is always looked for by its full path under <gpu>, with every path
/// it ever had, newest first; the schema's version is never asked for, as recordings exist without one.
namespace gpukeeper::nvidia_smi {

/// The text of an element at some place, or nothing when there is none.
struct Field {
  std::optional<std::string_view> text;

  /// Why it is no value.
  Missing reason() const;
};

/// A child's text. A block that could not be read holds its reason in place of its children:
/// <remapped_rows>GPU is lost</remapped_rows>.
Field field(const pugi::xml_node& block, const char* name);
Field field(const pugi::xml_node& gpu, const char* block, const char* name);

/// The first block of these names.
pugi::xml_node first_block(const pugi::xml_node& gpu, std::initializer_list<const char*> names);

/// What an element says itself, without its children.
std::string_view own_text(const pugi::xml_node& node);

bool has(std::string_view text, std::string_view word);

/// The reason that a text without a number gives. NVML's error strings stand here as nvidia-smi prints them.
Missing reason_in(std::string_view text);

/// The first words of a text, for a message.
std::string opening(std::string_view text);

struct Number {
  double value = 0;
  std::string_view unit;
};
Metric<Number> number(const Field& from);

/// A number in [low, high], and failed outside of it: a driver at a loss prints 4294967295 or 2147483647.
template <class T>
Metric<T> number_in(const Field& from, double low, double high) {
  const auto found = number(from);
  if (!found) return missing(found.error());
  if (found->value < low || found->value > high) return missing(Missing::failed);
  return T(static_cast<typename T::rep>(found->value));
}

// Their bounds lie above every board and every rack module, and below every garbage value.
Metric<Watts> watts(const Field& from);
Metric<Celsius> celsius(const Field& from);
Metric<Megahertz> megahertz(const Field& from);
Metric<Percent> percent(const Field& from);
Metric<Percent> fan_percent(const Field& from);
Metric<Count> count(const Field& from);
Metric<Bytes> bytes(const Field& from);
Metric<BytesPerSecond> bytes_per_second(const Field& from);
Metric<std::chrono::nanoseconds> microseconds(const Field& from);
Metric<bool> yes_or_no(const Field& from);

/// A text for people: a version, a serial number. A text that stands for "no value" is none.
Metric<std::string> words(const Field& from);

}  // namespace gpukeeper::nvidia_smi
