#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/result.hpp"
#include "device/device.hpp"
#include "device/event.hpp"
#include "device/gpu_process.hpp"
#include "device/metric_table.hpp"
#include "device/reading.hpp"
#include "device/resolution.hpp"
#include "recording/notes.hpp"

// How the things of device/ stand in a recording (docs/recording.md). Included by source files only: the library is
// heavy.
//
// Reading never fails: a recording may come from another version or another hand. What is absent, unknown or of another
// kind than it should be is taken for absent, and the notes say so.
namespace gpukeeper::recording {

using Json = nlohmann::json;  // members in alphabetical order, whatever order they were made in

/// A number as it is recorded: 1800, not 1800.0; an absence in place of what is none.
inline Json number(double value, std::string_view unit = "") {
  if (!std::isfinite(value)) return {{"missing", "failed"}};
  const double kept = as_recorded(unit, value);
  const bool whole = std::abs(kept) < 0x1p53 && kept == std::trunc(kept);
  return whole ? Json(static_cast<std::int64_t>(kept)) : Json(kept);
}

Json to_json(const Error& error);
Json to_json(const Device& device);
Json to_json(const Reading& reading);
Json to_json(const GpuProcess& process);  ///< without its pid
Json to_json(const DeviceEvent& event);

Error error_from(const Json& json);
Device device_from(const Json& json, Notes& notes);
Reading reading_from(const Json& json, Notes& notes);
GpuProcess process_from(std::int64_t pid, const Json& json, Notes& notes);
DeviceEvent event_from(const Json& json);

/// A member of an object, or null when it is not there or this is no object.
const Json* member(const Json& json, std::string_view name);

/// A member that is a text; nothing otherwise. The others alike.
std::optional<std::string> text_member(const Json& json, std::string_view name);
std::optional<double> number_member(const Json& json, std::string_view name);
std::optional<std::uint64_t> whole_member(const Json& json, std::string_view name);
bool flag_member(const Json& json, std::string_view name);

/// "missing": the reason that stands in such an object; nothing when this is none.
std::optional<Missing> missing_from_json(const Json& json);

}  // namespace gpukeeper::recording
