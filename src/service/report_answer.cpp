#include "service/report_answer.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "format/fault_query.hpp"
#include "report/page.hpp"
#include "report/report_html.hpp"
#include "report/report_json.hpp"
#include "report/report_text.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::int64_t kMostOffset = 14 * 3600;  // Kiribati is UTC+14

enum class Format { json, html, csv, text };

Result<Format> format_of(const Request& request) {
  const std::string word = parameter(request, "format").value_or("json");
  if (word == "json") return Format::json;
  if (word == "html") return Format::html;
  if (word == "csv") return Format::csv;
  if (word == "text") return Format::text;
  return fail(Errc::invalid_argument, fmt::format("format takes json, html, csv or text, not '{}'", word));
}

Result<std::chrono::seconds> offset_of(const Request& request) {
  const auto text = parameter(request, "utc_offset");
  if (!text) return std::chrono::seconds(0);
  const auto seconds = parse_i64(*text);
  if (seconds && *seconds >= -kMostOffset && *seconds <= kMostOffset) return std::chrono::seconds(*seconds);
  return fail(Errc::invalid_argument,
              fmt::format("utc_offset takes seconds from {} to {}, not '{}'", -kMostOffset, kMostOffset, *text));
}

Result<report::Range> range_of(const Request& request, WallTime now) {
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

// Of this moment, as every answer; a page may use what it has in itself, and nothing else.
Response document(std::string_view type, std::string text) {
  return {.status = 200,
          .content_type = std::string(type),
          .body = std::make_shared<const std::string>(std::move(text)),
          .headers = {{"Cache-Control", "no-store"}}};
}

Response written(const report::Report& report, Format format, std::chrono::seconds utc_offset) {
  switch (format) {
    case Format::json: break;
    case Format::csv: return document("text/csv; charset=utf-8", report::report_csv(report));
    case Format::text: return document("text/plain; charset=utf-8", report::report_text(report, utc_offset));
    case Format::html: {
      auto page = document("text/html; charset=utf-8", report::report_html(report, utc_offset));
      page.headers.emplace_back("Content-Security-Policy",
                                fmt::format("{}; frame-ancestors 'none'", report::page_policy()));
      return page;
    }
  }
  return json_answer(200, report::report_json(report, false) + "\n");
}

}  // namespace

Response report_answer(const Request& request, const ReportDesk& desk, const Snapshot& snapshot) {
  const auto known = check_parameters(request, {"format", "since", "until", "utc_offset"});
  if (!known) return refused_query(known.error());
  const auto format = format_of(request);
  if (!format) return refused_query(format.error());
  const auto utc_offset = offset_of(request);
  if (!utc_offset) return refused_query(utc_offset.error());
  if (snapshot.sequence == 0) return starting();
  const auto range = range_of(request, snapshot.taken_at);
  if (!range) return refused_query(range.error());
  const auto report = report::gather(desk.account(), *range,
                                     {.host = snapshot.host,
                                      .basis = report::Basis::daemon,
                                      .tariff = desk.tariff(),
                                      .leases = desk.leases(request),
                                      .faults = desk.faults()});
  if (!report) return refused_query(report.error());
  return written(*report, *format, *utc_offset);
}

}  // namespace gpukeeper::service
