#include "cli/account.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/document.hpp"
#include "cli/past_of_daemon.hpp"
#include "core/display_text.hpp"
#include "core/machine_name.hpp"
#include "core/text.hpp"
#include "engine/state_dir.hpp"
#include "format/fault_query.hpp"
#include "report/accounting_forms.hpp"
#include "storage/sqlite_account_store.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using Form = AccountOptions::Form;

constexpr auto kUsualStretch = 24h;
// Hours of years fill the memory: of a longer time days are read.
constexpr auto kInDetail = 62 * 24h;

std::string_view word_of(Form form) {
  return form == Form::json ? "json" : form == Form::csv ? "csv" : "text";
}

// What a daemon answers; nothing where none does.
Result<std::optional<std::string>> told(const AccountOptions& options, Context& context) {
  if (!options.asks) return std::nullopt;
  const auto offset = render_options(context).utc_offset.count();
  return ask_daemon(target_of("/api/v1/accounting", {{"format", std::string(word_of(options.form))},
                                                     {"by", options.by},
                                                     {"since", options.since.value_or("")},
                                                     {"until", options.until.value_or("")},
                                                     {"utc_offset", std::to_string(offset)}}),
                    options.daemon, context);
}

// Where a daemon keeps the account of these sources.
Result<std::string> folder_of(const Context& context) {
  auto folder = context.settings.state_dir ? Result<std::string>(*context.settings.state_dir)
                                           : StateDirectory::usual_path(context.environment, ::geteuid() == 0);
  const auto& sources = context.settings.source;
  const bool made_up =
      std::ranges::any_of(sources, [](const std::string& source) { return source.starts_with("simulated:"); });
  if (folder && made_up) *folder += "/simulated";
  return folder;
}

Result<account::Account> kept(const report::Range& range, WallTime now, const Context& context) {
  const auto folder = folder_of(context);
  if (!folder) return tl::make_unexpected(folder.error());
  const auto since = range.since.value_or(now - kUsualStretch);
  auto account = SqliteAccountStore(*folder).read(
      {.since = since, .until = range.until, .column = now - since > kInDetail ? 24h : 0h});
  if (account) return account;
  if (account.error().code == Errc::not_found) {
    return fail(Errc::not_found,
                fmt::format("no account is kept in {}, and no gpukeeper serve answers that would keep one", *folder));
  }
  std::string message = account.error().message;
  if (account.error().code == Errc::not_permitted || account.error().code == Errc::unavailable) {
    message += "; run as the user that `gpukeeper serve` runs as, or as root";
  }
  return fail(account.error().code, std::move(message));
}

Result<report::Range> range_of(const AccountOptions& options, WallTime now) {
  report::Range range{.usual = kUsualStretch};
  for (const auto& [text, moment] : {std::pair(options.since, &range.since), std::pair(options.until, &range.until)}) {
    if (!text) continue;
    const auto parsed = parse_since(*text, now);
    if (!parsed) return tl::make_unexpected(parsed.error());
    *moment = *parsed;
  }
  return range;
}

Result<std::string> read(const AccountOptions& options, report::AccountKey by, const Context& context) {
  const WallTime now = context.clock.wall();
  const auto range = range_of(options, now);
  if (!range) return tl::make_unexpected(range.error());
  const auto account = kept(*range, now, context);
  if (!account) return tl::make_unexpected(account.error());
  const auto accounting = report::account_for(
      *account, *range, by, {.host = machine_name(), .basis = report::Basis::file, .tariff = context.settings.tariff});
  if (!accounting) return tl::make_unexpected(accounting.error());
  if (options.form == Form::json) return report::accounting_json(*accounting, true) + "\n";
  if (options.form == Form::csv) return report::accounting_csv(*accounting);
  return report::accounting_text(*accounting, render_options(context).utc_offset);
}

// Lines of somebody else, for a terminal.
std::string harmless_lines(const std::string& text) {
  std::string result;
  for (const std::string_view line : lines(text)) result += harmless(line) + "\n";
  return result;
}

}  // namespace

Exit account(const AccountOptions& options, Context& context) {
  if (options.form == Form::schema) return print(context, report::accounting_schema());
  const auto by = report::parse_account_key(options.by);
  if (!by) return tl::make_unexpected(by.error());
  const auto answer = told(options, context);
  if (!answer) return tl::make_unexpected(answer.error());
  if (!*answer) {
    const auto text = read(options, *by, context);
    return text ? print(context, *text) : Exit(tl::make_unexpected(text.error()));
  }
  if (options.form == Form::json) return print(context, dump(parse_document(**answer), true) + "\n");
  return print(context, options.form == Form::csv ? **answer : harmless_lines(**answer));
}

}  // namespace gpukeeper::cli
