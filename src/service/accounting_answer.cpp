#include "service/accounting_answer.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "report/accounting_forms.hpp"
#include "service/query.hpp"
#include "service/report_query.hpp"

namespace gpukeeper::service {

Response accounting_answer(const Request& request, const AccountingDesk& desk, const Snapshot& snapshot) {
  const auto known = check_parameters(request, {"by", "format", "since", "until", "utc_offset"});
  if (!known) return refused_query(known.error());
  const auto by = report::parse_account_key(parameter(request, "by").value_or("user"));
  if (!by) return refused_query(by.error());
  const std::string format = parameter(request, "format").value_or("json");
  if (format != "json" && format != "csv" && format != "text") {
    return refused_query({Errc::invalid_argument, fmt::format("format takes json, csv or text, not '{}'", format)});
  }
  const auto utc_offset = utc_offset_of(request);
  if (!utc_offset) return refused_query(utc_offset.error());
  if (snapshot.sequence == 0) return starting();
  const auto range = report_range(request, snapshot.taken_at);
  if (!range) return refused_query(range.error());
  const auto accounting =
      report::account_for(desk.account(range->since, range->until), *range, *by,
                          {.host = snapshot.host, .basis = report::Basis::daemon, .tariff = desk.tariff()});
  if (!accounting) return refused_query(accounting.error());
  if (format == "csv") return report_document("text/csv; charset=utf-8", report::accounting_csv(*accounting));
  if (format == "text") {
    return report_document("text/plain; charset=utf-8", report::accounting_text(*accounting, *utc_offset));
  }
  return json_answer(200, report::accounting_json(*accounting, false) + "\n");
}

}  // namespace gpukeeper::service
