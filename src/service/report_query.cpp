#include "service/report_query.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "format/fault_query.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::int64_t kMostOffset = 14 * 3600;  // Kiribati is UTC+14

}  // namespace

Result<std::chrono::seconds> utc_offset_of(const Request& request) {
  const auto text = parameter(request, "utc_offset");
  if (!text) return std::chrono::seconds(0);
  const auto seconds = parse_i64(*text);
  if (seconds && *seconds >= -kMostOffset && *seconds <= kMostOffset) return std::chrono::seconds(*seconds);
  return fail(Errc::invalid_argument,
              fmt::format("utc_offset takes seconds from {} to {}, not '{}'", -kMostOffset, kMostOffset, *text));
}

Result<report::Range> report_range(const Request& request, WallTime now) {
  report::Range range{.usual = std::chrono::hours(24)};
  for (const auto& [name, moment] : {std::pair("since", &range.since), std::pair("until", &range.until)}) {
    const auto text = parameter(request, name);
    if (!text) continue;
    const auto parsed = parse_since(*text, now);
    if (!parsed) return tl::make_unexpected(parsed.error());
    *moment = *parsed;
  }
  return range;
}

Response report_document(std::string_view type, std::string text) {
  return {.status = 200,
          .content_type = std::string(type),
          .body = std::make_shared<const std::string>(std::move(text)),
          .headers = {{"Cache-Control", "no-store"}}};
}

}  // namespace gpukeeper::service
