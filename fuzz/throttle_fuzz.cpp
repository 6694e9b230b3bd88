// What is taken for a wish is one that the governor takes; what is taken for a report is written back the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/throttle_report.hpp"
#include "service/throttle_answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto wish = service::parse_speed_wish(text)) {
    if (wish->length && *wish->length <= std::chrono::nanoseconds(0)) std::abort();
    Governor governor;
    if (!governor.request({.multiplier = wish->speed, .who = "fuzz"})) std::abort();
  }
  if (const auto report = parse_throttle_report(text)) {
    const auto once = throttle_report_json(*report, false);
    const auto again = parse_throttle_report(once);
    if (!again || throttle_report_json(*again, false) != once) std::abort();
  }
  return 0;
}
