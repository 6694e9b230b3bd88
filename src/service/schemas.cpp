#include <algorithm>
#include <array>
#include <utility>

#include "service/openapi.hpp"

// The files themselves, put into the binary by the assembler, as classify/built_in_rules.cpp does: what a reader finds
// in docs/schema is what is served. GPUKEEPER_SCHEMAS is that folder; CMake makes this source depend on the files.
#define GPUKEEPER_SCHEMA(name)                         \
  __asm__(                                             \
      ".pushsection .rodata\n"                         \
      "gpukeeper_schema_" #name                        \
      "_begin:\n"                                      \
      ".incbin \"" GPUKEEPER_SCHEMAS "/" #name         \
      ".json\"\n"                                      \
      "gpukeeper_schema_" #name                        \
      "_end:\n"                                        \
      ".byte 0\n"                                      \
      ".popsection\n");                                \
  extern "C" {                                         \
  extern const char gpukeeper_schema_##name##_begin[]; \
  extern const char gpukeeper_schema_##name##_end[];   \
  }

GPUKEEPER_SCHEMA(accounting)
GPUKEEPER_SCHEMA(alerts)
GPUKEEPER_SCHEMA(api)
GPUKEEPER_SCHEMA(devices)
GPUKEEPER_SCHEMA(documented)
GPUKEEPER_SCHEMA(faults)
GPUKEEPER_SCHEMA(forecast)
GPUKEEPER_SCHEMA(history)
GPUKEEPER_SCHEMA(leases)
GPUKEEPER_SCHEMA(processes)
GPUKEEPER_SCHEMA(reclaim)
GPUKEEPER_SCHEMA(report)
GPUKEEPER_SCHEMA(services)
GPUKEEPER_SCHEMA(states)
GPUKEEPER_SCHEMA(status)
GPUKEEPER_SCHEMA(throttle)
GPUKEEPER_SCHEMA(trend)
GPUKEEPER_SCHEMA(why)

#undef GPUKEEPER_SCHEMA
#define GPUKEEPER_SCHEMA(name)                                     \
  std::string_view {                                               \
    gpukeeper_schema_##name##_begin, gpukeeper_schema_##name##_end \
  }

namespace gpukeeper::service {
namespace {

constexpr std::array<std::string_view, 18> kNames = {
    "accounting", "alerts",  "api",    "devices",  "documented", "faults", "forecast", "history", "leases",
    "processes",  "reclaim", "report", "services", "states",     "status", "throttle", "trend",   "why"};

}  // namespace

std::string_view schema_text(std::string_view name) {
  const std::array<std::string_view, kNames.size()> texts = {
      GPUKEEPER_SCHEMA(accounting), GPUKEEPER_SCHEMA(alerts),    GPUKEEPER_SCHEMA(api),      GPUKEEPER_SCHEMA(devices),
      GPUKEEPER_SCHEMA(documented), GPUKEEPER_SCHEMA(faults),    GPUKEEPER_SCHEMA(forecast), GPUKEEPER_SCHEMA(history),
      GPUKEEPER_SCHEMA(leases),     GPUKEEPER_SCHEMA(processes), GPUKEEPER_SCHEMA(reclaim),  GPUKEEPER_SCHEMA(report),
      GPUKEEPER_SCHEMA(services),   GPUKEEPER_SCHEMA(states),    GPUKEEPER_SCHEMA(status),   GPUKEEPER_SCHEMA(throttle),
      GPUKEEPER_SCHEMA(trend),      GPUKEEPER_SCHEMA(why)};
  const auto found = std::ranges::find(kNames, name);
  return found == kNames.end() ? std::string_view() : texts.at(static_cast<std::size_t>(found - kNames.begin()));
}

std::span<const std::string_view> schema_names() {
  return kNames;
}

}  // namespace gpukeeper::service
