#include "service/report_answer.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "report/page.hpp"
#include "report/report_html.hpp"
#include "report/report_json.hpp"
#include "report/report_text.hpp"
#include "service/query.hpp"
#include "service/report_query.hpp"

namespace gpukeeper::service {
namespace {

enum class Format { json, html, csv, text };

Result<Format> format_of(const Request& request) {
  const std::string word = parameter(request, "format").value_or("json");
  if (word == "json") return Format::json;
  if (word == "html") return Format::html;
  if (word == "csv") return Format::csv;
  if (word == "text") return Format::text;
  return fail(Errc::invalid_argument, fmt::format("format takes json, html, csv or text, not '{}'", word));
}

Response written(const report::Report& report, Format format, std::chrono::seconds utc_offset) {
  switch (format) {
    case Format::json: break;
    case Format::csv: return report_document("text/csv; charset=utf-8", report::report_csv(report));
    case Format::text: return report_document("text/plain; charset=utf-8", report::report_text(report, utc_offset));
    case Format::html: {
      // It may use what it has in itself, and nothing else.
      auto page = report_document("text/html; charset=utf-8", report::report_html(report, utc_offset));
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
  const auto utc_offset = utc_offset_of(request);
  if (!utc_offset) return refused_query(utc_offset.error());
  if (snapshot.sequence == 0) return starting();
  const auto range = report_range(request, snapshot.taken_at);
  if (!range) return refused_query(range.error());
  const auto report = report::gather(desk.account(range->since, range->until), *range,
                                     {.host = snapshot.host,
                                      .basis = report::Basis::daemon,
                                      .tariff = desk.tariff(),
                                      .leases = desk.leases(request),
                                      .faults = desk.faults(),
                                      .requests = desk.requests()});
  if (!report) return refused_query(report.error());
  return written(*report, *format, *utc_offset);
}

}  // namespace gpukeeper::service
