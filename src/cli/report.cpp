#include "cli/report.hpp"

#include <utility>

#include <fmt/format.h>

#include "account/accountant.hpp"
#include "cli/document.hpp"
#include "cli/leases.hpp"
#include "cli/optimizer.hpp"
#include "cli/past_of_daemon.hpp"
#include "cli/report_pdf.hpp"
#include "cli/stretch.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/fault_query.hpp"
#include "format/snapshot_json.hpp"
#include "report/report_html.hpp"
#include "report/report_json.hpp"
#include "report/report_text.hpp"

namespace gpukeeper::cli {
namespace {

using Form = ReportOptions::Form;

// What was watched here: the report, and the latest snapshot.
struct Watched {
  report::Report report;
  std::shared_ptr<const Snapshot> snapshot;
};

bool wants_page(const ReportOptions& options) {
  return !options.html.empty() || !options.pdf.empty();
}

// Made at the first snapshot, when it is known how long it goes on and how far apart readings are.
account::AccountantOptions accountant_options(const ReportOptions& options, Session& session, const Context& context) {
  std::chrono::nanoseconds length = options.length.value_or(kUsualPlayed);
  std::chrono::nanoseconds apart = context.settings.engine.sample_interval;
  if (const auto& replay = session.replay()) {
    length = replay->end() - replay->begin();
    if (const auto next = replay->next_frame()) apart = *next - context.clock.now();
  }
  const auto slot = report::slot_for(length, apart);
  return {.fine = slot, .coarse = slot};
}

report::Basis basis_of(const std::vector<std::string>& sources) {
  if (names_recording(sources)) return report::Basis::recording;
  return is_played(sources) ? report::Basis::simulation : report::Basis::watched;
}

// What is booked now. A recording holds no leases; where the ledger cannot be read the report goes without them.
std::string booked(const ReportOptions& options, Context& context) {
  if (names_recording(options.desk.sources)) return "";
  const auto desk = open_desk(options.desk, context);
  auto leases = desk ? ask(**desk, {.method = "GET", .target = "/api/v1/leases?all=true"}, context)
                     : Result<std::string>(tl::make_unexpected(desk.error()));
  if (leases) return std::move(*leases);
  context.remark("the report is without leases: " + leases.error().message);
  return "";
}

Result<report::Range> range_of(const ReportOptions& options, WallTime now) {
  report::Range range;
  for (const auto& [text, moment] : {std::pair(options.since, &range.since), std::pair(options.until, &range.until)}) {
    if (!text) continue;
    const auto parsed = parse_since(*text, now);
    if (!parsed) return tl::make_unexpected(parsed.error());
    *moment = *parsed;
  }
  return range;
}

Result<Watched> watch(const ReportOptions& options, Context& context) {
  std::string leases = booked(options, context);  // before time is played: then nobody would move it for this look
  std::optional<account::Accountant> accountant;
  StretchOptions stretch{.sources = options.desk.sources, .length = options.length, .attribute = true};
  stretch.each = [&](const Snapshot& snapshot, Session& session) {
    if (!accountant) accountant.emplace(accountant_options(options, session, context));
    accountant->add(snapshot);
    return true;
  };
  const auto session = watch_stretch(std::move(stretch), context);
  if (!session) return tl::make_unexpected(session.error());
  Engine& engine = (*session)->engine();
  auto snapshot = engine.snapshot();
  const auto range = range_of(options, snapshot->taken_at);
  if (!range) return tl::make_unexpected(range.error());
  auto gathered = report::gather(accountant->account(), *range,
                                 {.host = snapshot->host,
                                  .basis = basis_of(options.desk.sources),
                                  .tariff = context.settings.tariff,
                                  .leases = std::move(leases),
                                  .faults = engine.faults()});
  if (!gathered) return tl::make_unexpected(gathered.error());
  return Watched{std::move(*gathered), std::move(snapshot)};
}

// What the daemon answers, in that form; nothing where none is to be asked.
Result<std::optional<std::string>> ask_for(std::string_view format, const ReportOptions& options, Context& context) {
  const bool asks = !options.desk.daemon.empty() || (options.desk.sources.empty() && !options.length);
  if (!asks) return std::nullopt;
  const auto offset = render_options(context).utc_offset.count();
  return ask_daemon(target_of("/api/v1/report", {{"format", std::string(format)},
                                                 {"since", options.since.value_or("")},
                                                 {"until", options.until.value_or("")},
                                                 {"utc_offset", std::to_string(offset)}}),
                    options.desk.daemon, context);
}

// Lines of somebody else, for a terminal.
std::string harmless_lines(const std::string& text) {
  std::string result;
  for (const std::string_view line : lines(text)) result += harmless(line) + "\n";
  return result;
}

Result<std::string> documented_text(const ReportOptions& options, Context& context) {
  const auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  return documented_report(**desk, context);
}

// How things are now, and what is known of the time before.
Result<std::string> text_of(const ReportOptions& options, Context& context) {
  const bool watches = names_recording(options.desk.sources) || options.length || options.since || options.until;
  const auto told = ask_for("text", options, context);
  if (!told) return tl::make_unexpected(told.error());
  const auto offset = render_options(context).utc_offset;
  if (names_recording(options.desk.sources)) {
    const auto watched = watch(options, context);
    if (!watched) return tl::make_unexpected(watched.error());
    return optimizer_report(snapshot_json(*watched->snapshot, false), "{}", false) + "\n" +
           report::report_text(watched->report, offset);
  }
  auto text = documented_text(options, context);
  if (!text) return text;
  if (*told) return *text + "\n" + harmless_lines(**told);
  if (!watches) {
    return *text +
           "\nUsage over time: not known, as no gpukeeper serve runs that would have kept an account. "
           "`gpukeeper report --for 60` watches for a minute.\n";
  }
  const auto watched = watch(options, context);
  if (!watched) return tl::make_unexpected(watched.error());
  return *text + "\n" + report::report_text(watched->report, offset);
}

Result<std::string> rendered(std::string_view format, const ReportOptions& options, Context& context) {
  auto told = ask_for(format, options, context);
  if (!told) return tl::make_unexpected(told.error());
  if (*told) return format == "json" ? dump(parse_document(**told), true) + "\n" : std::move(**told);
  const auto watched = watch(options, context);
  if (!watched) return tl::make_unexpected(watched.error());
  if (format == "json") return report::report_json(watched->report, true) + "\n";
  if (format == "csv") return report::report_csv(watched->report);
  return report::report_html(watched->report, render_options(context).utc_offset);
}

Exit write_page(const ReportOptions& options, Context& context) {
  const auto html = rendered("html", options, context);
  if (!html) return tl::make_unexpected(html.error());
  if (!options.html.empty()) {
    if (auto written = write_page_to(options.html, *html, context); !written) return written;
  }
  if (options.pdf.empty()) return 0;
  RealPrograms programs;
  const auto pdf = pdf_of(*html, programs);
  if (!pdf) return tl::make_unexpected(pdf.error());
  return write_page_to(options.pdf, *pdf, context);
}

}  // namespace

Exit report(const ReportOptions& options, Context& context) {
  if (options.form == Form::schema) return print(context, report::report_schema());
  if (wants_page(options)) return write_page(options, context);
  const auto text = options.form == Form::text
                        ? text_of(options, context)
                        : rendered(options.form == Form::json ? "json" : "csv", options, context);
  if (!text) return tl::make_unexpected(text.error());
  return print(context, *text);
}

}  // namespace gpukeeper::cli
