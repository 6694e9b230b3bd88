#include "cli/cli.hpp"

#include <csignal>
#include <exception>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/account.hpp"
#include "cli/alerts.hpp"
#include "cli/allocate.hpp"
#include "cli/backup.hpp"
#include "cli/classes.hpp"
#include "cli/completion.hpp"
#include "cli/config.hpp"
#include "cli/config_sources.hpp"
#include "cli/daemon_feed.hpp"
#include "cli/devices.hpp"
#include "cli/doctor.hpp"
#include "cli/faults.hpp"
#include "cli/forecast.hpp"
#include "cli/help.hpp"
#include "cli/history.hpp"
#include "cli/leases.hpp"
#include "cli/manual.hpp"
#include "cli/metrics.hpp"
#include "cli/monitoring.hpp"
#include "cli/optimize.hpp"
#include "cli/optimizer.hpp"
#include "cli/parser.hpp"
#include "cli/playback_interrupts.hpp"
#include "cli/ps.hpp"
#include "cli/record.hpp"
#include "cli/report.hpp"
#include "cli/run.hpp"
#include "cli/serve.hpp"
#include "cli/status.hpp"
#include "cli/stretch.hpp"
#include "cli/throttle.hpp"
#include "cli/token.hpp"
#include "cli/top.hpp"
#include "cli/trend.hpp"
#include "cli/version.hpp"
#include "cli/why.hpp"
#include "client/daemon.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "engine/state_dir.hpp"
#include "format/columns.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::cli {
namespace {

// A machine that is slow to say who the processes are shows what is known by then.
constexpr auto kWhoPatience = std::chrono::milliseconds(100);

std::vector<std::string> if_any(const std::string& value) {
  return value.empty() ? std::vector<std::string>() : std::vector{value};
}

// What the command line says of the configuration: options that are keys, too.
ConfigArguments config_arguments(const Arguments& arguments) {
  return {.file = arguments.config,
          .set = arguments.set,
          .options = {{"source", "--source", arguments.sources},
                      {"rules", "--rules", if_any(arguments.rules)},
                      {"state_dir", "--state-dir", if_any(arguments.state_dir)},
                      {"listen", "--listen", arguments.listen},
                      {"insecure_listen", "--insecure-listen", if_any(arguments.insecure_listen ? "true" : "")},
                      {"metrics.listen", "--metrics-listen", arguments.metrics_listen},
                      {"metrics.prefix", "--metrics-prefix", if_any(arguments.metrics_prefix)},
                      {"log.file", "--log-file", if_any(arguments.log_file)},
                      {"log.level", "--log-level", if_any(arguments.log_level)},
                      {"log.format", "--log-format", if_any(arguments.log_format)}}};
}

// Commands that are about the program or the configuration itself go on when that is wrong.
bool goes_by_settings(std::string_view command) {
  constexpr std::string_view kOthers[] = {"", "config", "monitoring", "completion", "man", "version", "metrics"};
  return std::ranges::find(kOthers, command) == std::end(kOthers);
}

// Commands about leases: a running daemon keeps the ledger, else they open it themselves.
bool is_about_leases(std::string_view command) {
  constexpr std::string_view kLeaseCommands[] = {"allocate", "deallocate", "export", "leases", "loop",
                                                 "optimize", "optimizer",  "plan",   "quota",  "release",
                                                 "report",   "revoke",     "run"};
  return std::ranges::find(kLeaseCommands, command) != std::end(kLeaseCommands);
}

// Commands that show a snapshot, a running daemon's if there is one.
bool shows_snapshot(std::string_view command) {
  constexpr std::string_view kShowing[] = {"monitor", "ps", "status", "top", "why"};
  return std::ranges::find(kShowing, command) != std::end(kShowing);
}

// Commands that ask a running daemon; the others are about this program, or this machine.
bool asks_daemon(std::string_view command) {
  constexpr std::string_view kAsking[] = {"account",  "alerts",  "config",     "devices",  "faults",
                                          "forecast", "history", "monitoring", "throttle", "trend"};
  return is_about_leases(command) || shows_snapshot(command) ||
         std::ranges::find(kAsking, command) != std::end(kAsking);
}

// The option by which the command is to look at the GPUs itself; empty when a daemon may be asked. What it says holds
// for this command, and the daemon goes by its own.
std::string_view own_look(const Arguments& arguments) {
  if (!arguments.sources.empty()) return "--source";
  if (!arguments.root.empty()) return "--root";
  if (!arguments.config.empty()) return "--config";
  if (!arguments.set.empty()) return "--set";
  if (!arguments.rules.empty()) return "--rules";
  if (!arguments.state_dir.empty()) return "--state-dir";
  if (arguments.follow) return "--follow";
  if (arguments.wake) return "--wake";
  if (!arguments.at.empty()) return "--at";
  return arguments.speed.empty() ? "" : "--speed";
}

// Where the machine is seen: /host, when the documented PROC_PATH and SYS_PATH are /host/proc and /host/sys.
std::string root_said(const Environment& environment) {
  if (const auto own = environment("GPUKEEPER_ROOT").value_or(""); !own.empty()) return own;
  const std::string processes = environment("PROC_PATH").value_or("");
  const std::string system = environment("SYS_PATH").value_or("");
  constexpr std::string_view kProc = "/proc";
  if (!processes.ends_with(kProc)) return {};
  const std::string folder = processes.substr(0, processes.size() - kProc.size());
  return system == folder + "/sys" ? folder : std::string();
}

bool names_source(const Environment& environment) {
  return !environment("GPUKEEPER_SOURCE").value_or("").empty() || !root_said(environment).empty();
}

// Whether a command that shows a snapshot may show a daemon's.
bool may_ask_daemon(const Arguments& arguments, const Environment& environment) {
  return !arguments.daemon.empty() || (own_look(arguments).empty() && !names_source(environment));
}

// Without a slash at its end, as paths follow; empty for this machine's own.

Result<std::string> root(const Arguments& arguments, const Environment& environment) {
  std::string folder = arguments.root.empty() ? root_said(environment) : arguments.root;
  while (folder.ends_with('/')) folder.pop_back();
  if (folder.empty() || RealFiles(folder).list("/proc") || RealFiles(folder).list("/sys")) return folder;
  return fail(Errc::invalid_argument,
              fmt::format("{} takes a folder that holds a machine's proc/ or sys/, not '{}'",
                          arguments.root.empty() ? "GPUKEEPER_ROOT" : "--root", harmless(folder)));
}

ColourChoice colour(const Arguments& arguments) {
  if (arguments.colour == "always") return ColourChoice::always;
  return arguments.colour == "never" ? ColourChoice::never : ColourChoice::automatic;
}

std::optional<std::chrono::nanoseconds> watch_pause(const Arguments& arguments) {
  const auto seconds = parse_double(arguments.watch);
  if (!seconds) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(*seconds));
}

StatusOptions status_options(const Arguments& arguments) {
  using enum StatusOptions::Form;
  StatusOptions options;
  options.form = arguments.json             ? json
                 : arguments.csv            ? csv
                 : arguments.schema         ? schema
                 : !arguments.query.empty() ? query
                                            : table;
  options.query = arguments.query;
  options.devices = arguments.devices;
  options.watch = watch_pause(arguments);
  return options;
}

std::optional<std::string> if_given(const std::string& value) {
  return value.empty() ? std::nullopt : std::optional(value);
}

PsOptions ps_options(const Arguments& arguments) {
  using enum PsOptions::Form;
  PsOptions options;
  options.form = arguments.json ? json : arguments.csv ? csv : table;
  options.devices = arguments.devices;
  options.filter = {.user = if_given(arguments.user),
                    .container = if_given(arguments.container),
                    .pod = if_given(arguments.pod),
                    .job = if_given(arguments.job)};
  if (const auto kind = parse_process_class(arguments.process_class)) options.filter.kind = *kind;
  for (const auto& [word, order] : kProcessOrders) {
    if (word == arguments.sort) options.order = order;
  }
  options.reversed = arguments.reversed;
  options.wide = arguments.wide;
  options.watch = watch_pause(arguments);
  return options;
}

// How much of their sources' time commands judge that judge a stretch of it. Of a moment that was named: what came
// before it.
std::optional<std::chrono::nanoseconds> stretch_length(const Arguments& arguments) {
  if (arguments.length.empty() && !arguments.at.empty()) return std::chrono::nanoseconds::zero();
  return duration(arguments.length);
}

FaultsOptions faults_options(const Arguments& arguments, const Context& context) {
  using enum FaultsOptions::Form;
  FaultsOptions options;
  options.form = arguments.json ? json : arguments.schema ? schema : table;
  options.all = arguments.all;
  options.follow = arguments.follow;
  FaultQuery& query = options.query;
  query.devices = arguments.devices;
  if (!arguments.severity.empty()) query.severity = *parse_severity(arguments.severity);  // the parser knows the words
  for (const std::string& kind : arguments.kinds) query.kinds.push_back(*parse_fault_kind(kind));
  if (!arguments.since.empty()) query.since = arguments.since;
  if (const auto limit = parse_u64(arguments.limit)) query.limit = static_cast<std::size_t>(*limit);
  options.length = arguments.follow ? duration(arguments.length) : stretch_length(arguments);
  options.daemon = arguments.daemon;
  const bool looks = !own_look(arguments).empty() || names_source(context.environment) || !arguments.length.empty();
  options.asks = !arguments.daemon.empty() || !looks;
  options.sources = context.settings.source;
  options.state_dir = context.settings.state_dir.value_or("");
  return options;
}

// What this command is to read itself; empty: a daemon may be asked. A source that only the file names is the daemon's,
// too.
std::vector<std::string> named_sources(const Arguments& arguments, const Context& context) {
  // Whoever names a moment or a pace does not mean the daemon, which tells of now.
  const bool named = !arguments.sources.empty() || !arguments.at.empty() || !arguments.speed.empty() ||
                     !context.environment("GPUKEEPER_SOURCE").value_or("").empty();
  return named ? context.settings.source : std::vector<std::string>();
}

Result<ThrottleOptions> throttle_options(const Arguments& arguments, const Context& context) {
  using enum ThrottleOptions::Form;
  using enum ThrottleOptions::Action;
  ThrottleOptions options;
  options.form = arguments.json ? json : arguments.schema ? ThrottleOptions::Form::schema : page;
  options.action = arguments.action == "set" ? set : arguments.action == "clear" ? clear : show;
  if (options.action == set && arguments.multiplier.empty()) {
    return fail(Errc::invalid_argument, "throttle set needs a speed: 0.8, 0.5 or 0");
  }
  if (options.action != set && !arguments.multiplier.empty()) {
    return fail(Errc::invalid_argument, fmt::format("throttle {} takes no speed", arguments.action));
  }
  options.speed_multiplier = parse_double(arguments.multiplier).value_or(1);
  options.length = duration(arguments.length);
  options.devices = arguments.devices;
  options.wait = arguments.wait;
  options.sources = context.settings.source;
  options.here = !named_sources(arguments, context).empty() && arguments.daemon.empty();
  options.daemon_named = client::Daemon::is_named(arguments.daemon, context.environment);
  return options;
}

FindDaemon daemon_finder(const std::string& named, const Environment& environment) {
  return [named, environment]() -> Result<AskDaemon> {
    auto daemon = client::Daemon::find(named, environment);
    if (!daemon) return tl::make_unexpected(daemon.error());
    return AskDaemon([daemon = std::move(*daemon)](std::string_view method, std::string_view target,
                                                   std::string_view json) { return daemon.ask(method, target, json); });
  };
}

AlertsOptions alerts_options(const Arguments& arguments, const Context& context) {
  return {.words = arguments.words,
          .all = arguments.all,
          .json = arguments.json,
          .schema = arguments.schema,
          .check = arguments.check_lamp,
          .devices = arguments.devices,
          .length = arguments.words.empty() ? stretch_length(arguments) : duration(arguments.length),
          .comment = arguments.comment,
          .daemon = arguments.daemon,
          .sources = named_sources(arguments, context)};
}

DeskOptions desk_options(const Arguments& arguments, const Context& context) {
  return {.daemon = arguments.daemon, .sources = named_sources(arguments, context)};
}

// Longer than anybody waits: the queue's own bound is a day.
constexpr auto kAsLongAsItTakes = std::chrono::hours(24);

BookingOptions booking_options(const Arguments& arguments, std::chrono::nanoseconds usual_wait) {
  const LeaseArguments& said = arguments.lease;
  BookingOptions options{.service = said.service,
                         .memory = said.memory,
                         .most = said.most,
                         .device = said.device,
                         .require_device = said.require,
                         .name = said.name,
                         .request_id = said.request_id,
                         .strategy = said.strategy};
  options.priority = parse_i64(said.priority);
  options.gpus = parse_u64(said.gpus);
  options.lifetime = duration(said.lifetime);
  options.exclusive = said.exclusive;
  options.wait = duration(said.timeout);
  if (arguments.wait && !options.wait) options.wait = usual_wait;
  return options;
}

Exit deallocate_as_said(const Arguments& arguments, DeskOptions desk, Context& context) {
  const LeaseArguments& said = arguments.lease;
  if (said.name.empty() && (said.service.empty() || said.device.empty())) {
    return fail(Errc::invalid_argument,
                "deallocate needs a service and a GPU, or the lease's name: gpukeeper deallocate embedding-service 0, "
                "gpukeeper deallocate --id NAME");
  }
  return deallocate({.service = said.service,
                     .device = said.device,
                     .name = said.name,
                     .json = arguments.json,
                     .desk = std::move(desk)},
                    context);
}

AccountOptions account_options(const Arguments& arguments, const Context& context) {
  using enum AccountOptions::Form;
  return {.form = arguments.json     ? json
                  : arguments.csv    ? csv
                  : arguments.schema ? schema
                                     : text,
          .by = arguments.by,
          .since = if_given(arguments.since),
          .until = if_given(arguments.until),
          .asks = may_ask_daemon(arguments, context.environment),
          .daemon = arguments.daemon};
}

ReportOptions report_options(const Arguments& arguments, DeskOptions desk) {
  using enum ReportOptions::Form;
  return {.form = arguments.json     ? json
                  : arguments.csv    ? csv
                  : arguments.schema ? schema
                                     : text,
          .html = arguments.html,
          .pdf = arguments.pdf,
          .since = if_given(arguments.since),
          .until = if_given(arguments.until),
          .length = stretch_length(arguments),
          .desk = std::move(desk)};
}

Exit about_leases(const std::string& command, const Arguments& arguments, Context& context) {
  const LeaseArguments& said = arguments.lease;
  const bool json = arguments.json;
  DeskOptions desk = desk_options(arguments, context);
  if (said.require && said.device.empty()) {
    return fail(Errc::invalid_argument, "--require goes with a --device that is required");
  }
  if (command == "run") {
    return run_under_lease({.booking = booking_options(arguments, kAsLongAsItTakes),
                            .command = said.command,
                            .governed = said.governed,
                            .summary = said.summary,
                            .json = json,
                            .desk = std::move(desk)},
                           context);
  }
  if (command == "allocate") {
    return allocate(
        {booking_options(arguments, context.settings.book.ledger.allocation_timeout), json, std::move(desk)}, context);
  }
  if (command == "deallocate") return deallocate_as_said(arguments, std::move(desk), context);
  if (command == "release" || command == "revoke") {
    return release({said.id, command == "revoke", json, std::move(desk)}, context);
  }
  if (command == "leases") {
    return leases({arguments.devices, said.service, arguments.all, json, arguments.schema, std::move(desk)}, context);
  }
  if (command == "quota") return quota({said.service, json, std::move(desk)}, context);
  if (command == "report") return report(report_options(arguments, std::move(desk)), context);
  if (command == "optimize") {
    return optimize({.service = said.service,
                     .devices = arguments.devices,
                     .memory = said.memory,
                     .gpus = parse_u64(said.gpus).value_or(1),
                     .scrub = said.scrub,
                     .json = json,
                     .desk = std::move(desk)},
                    context);
  }
  if (command == "plan") {
    return plan({said.memory, parse_u64(said.gpus).value_or(1), arguments.devices, json, std::move(desk)}, context);
  }
  if (command == "loop") {
    return loop({duration(said.interval).value_or(std::chrono::seconds(300)), json, std::move(desk)}, context);
  }
  if (command == "export") return export_all({said.file, std::move(desk)}, context);
  OptimizerOptions options{.action = arguments.action, .words = arguments.words, .device = said.device};
  if (const auto interval = duration(said.interval)) options.interval = *interval;
  options.verbose = said.verbose;
  options.desk = std::move(desk);
  return optimizer(options, context);
}

RecordOptions record_options(const Arguments& arguments, const config::Settings& settings) {
  RecordOptions options = arguments.record;
  options.length = duration(arguments.record_for);
  options.period = duration(arguments.record_period);
  using enum RecordOptions::Form;
  if (!arguments.record_format.empty()) {
    options.form = arguments.record_format == "gkr" ? recording : arguments.record_format == "csv" ? csv : jsonl;
  }
  if (!arguments.rotate_size.empty()) options.rotate_size = yaml::parse_size(arguments.rotate_size);
  options.rotate_every = duration(arguments.rotate_every);
  if (const auto keep = parse_u64(arguments.keep)) options.keep = static_cast<std::size_t>(*keep);
  options.sources = settings.source;
  return options;
}

TrendOptions trend_options(const Arguments& arguments, const Context& context) {
  using enum TrendOptions::Form;
  TrendOptions options{.devices = arguments.devices,
                       .form = arguments.json     ? json
                               : arguments.schema ? TrendOptions::Form::schema
                                                  : page};
  options.daemon = arguments.daemon;
  if (const auto minutes = parse_u64(arguments.minutes)) options.window = std::chrono::minutes(*minutes);
  options.sources = named_sources(arguments, context);
  options.length = stretch_length(arguments);
  return options;
}

ForecastOptions forecast_options(const Arguments& arguments, const Context& context) {
  using enum ForecastOptions::Form;
  return {.devices = arguments.devices,
          .form = arguments.json     ? json
                  : arguments.schema ? ForecastOptions::Form::schema
                                     : page,
          .sources = named_sources(arguments, context),
          .length = stretch_length(arguments),
          .daemon = arguments.daemon};
}

HistoryOptions history_options(const Arguments& arguments, const Context& context) {
  using enum HistoryOptions::Form;
  HistoryOptions options;
  options.form = arguments.json ? json : arguments.csv ? csv : arguments.schema ? HistoryOptions::Form::schema : plot;
  options.daemon = arguments.daemon;
  options.metrics = arguments.metrics;
  options.devices = arguments.devices;
  options.since = if_given(arguments.since);
  options.step = duration(arguments.step);
  options.sources = named_sources(arguments, context);
  options.length = stretch_length(arguments);
  if (arguments.database) {
    options.database = PastDatabase{.url = arguments.database_url, .host = arguments.database_host};
    // "--database power_watts": no metric has a "://" in its name, and every address.
    if (const std::string& word = arguments.database_url; !word.empty() && word.find("://") == std::string::npos) {
      options.metrics.insert(options.metrics.begin(), word);
      options.database->url.clear();
    }
  }
  options.hosts = arguments.database_hosts;
  return options;
}

// Of help: longer lines are hard to read.
std::size_t page_width(const Screen& screen) {
  return std::min<std::size_t>(screen.width, 100);
}

Exit completion(const std::string& shell, const CommandTree& tree, Context& context) {
  if (shell == "bash") return print(context, bash_completion(tree));
  if (shell == "zsh") return print(context, zsh_completion(tree));
  return print(context, fish_completion(tree));
}

Exit manual(const std::string& page, const CommandTree& tree, Context& context) {
  if (page.empty()) return print(context, fmt::format("{}\n", fmt::join(manual_pages(tree), "\n")));
  const auto text = manual_page(tree, page);
  if (text) return print(context, *text);
  return fail(Errc::invalid_argument,
              fmt::format("there is no page '{}': gpukeeper man lists those there are", harmless(page)));
}

ConfigOptions config_options(const Arguments& arguments, config::Sources sources) {
  return {.action = arguments.action,
          .words = arguments.words,
          .json = arguments.json,
          .origin = arguments.origin,
          .save = arguments.save,
          .markdown = arguments.markdown,
          .daemon = arguments.daemon,
          .local = !arguments.config.empty() || !arguments.set.empty(),
          .sources = std::move(sources)};
}

TokenOptions token_options(const Arguments& arguments, const Context& context) {
  const TokenArguments& said = arguments.token;
  return {.action = arguments.action,
          .id = said.id,
          .role = said.role,
          .service = said.service,
          .name = said.name,
          .lifetime = duration(said.expires),
          .folder = context.settings.state_dir.value_or(
              StateDirectory::usual_path(context.environment, ::geteuid() == 0).value_or("")),
          .json = arguments.json};
}

Result<BackupOptions> backup_options(const Arguments& arguments, const Context& context) {
  const auto from = config_sources(config_arguments(arguments), context.environment);
  if (!from) return tl::make_unexpected(from.error());
  return BackupOptions{.file = arguments.page,
                       .folder = context.settings.state_dir.value_or(
                           StateDirectory::usual_path(context.environment, ::geteuid() == 0).value_or("")),
                       .configuration = arguments.without_config ? std::string() : from->path};
}

Exit dispatch(const std::string& command, const Arguments& arguments, const Parser& parser, Context& context) {
  using enum MetricsOptions::Form;
  if (arguments.version || command == "version") return version(arguments.json, context);
  if (command == "status" || command == "monitor") return status(status_options(arguments), context);
  if (command == "ps") return ps(ps_options(arguments), context);
  if (command == "top") {
    return top({.daemon = arguments.daemon,
                .asks = may_ask_daemon(arguments, context.environment),
                .devices = arguments.devices,
                .ascii = arguments.ascii,
                .theme = arguments.theme},
               context);
  }
  if (command == "why") {
    const auto topic = parse_topic(arguments.topic);
    return why({.topic = topic ? std::optional(*topic) : std::nullopt,
                .devices = arguments.devices,
                .json = arguments.json,
                .html = arguments.html},
               context);
  }
  if (command == "devices") {
    return devices({.json = arguments.json,
                    .devices = arguments.devices,
                    .asks = client::Daemon::is_named(arguments.daemon, context.environment),
                    .daemon = arguments.daemon},
                   context);
  }
  if (command == "metrics") {
    return metrics({arguments.json ? json : arguments.markdown ? markdown : table}, context);
  }
  if (command == "classes") {
    return classes({arguments.json, context.settings.rules.value_or(""), arguments.check}, context);
  }
  if (command == "alerts") return alerts(alerts_options(arguments, context), context);
  if (command == "trend") return trend(trend_options(arguments, context), context);
  if (command == "forecast") return forecast(forecast_options(arguments, context), context);
  if (command == "account") return account(account_options(arguments, context), context);
  if (command == "history") return history(history_options(arguments, context), context);
  if (command == "faults") return faults(faults_options(arguments, context), context);
  if (command == "throttle") {
    const auto options = throttle_options(arguments, context);
    if (!options) return tl::make_unexpected(options.error());
    return throttle(*options, daemon_finder(arguments.daemon, context.environment), context);
  }
  if (command == "optimizer" && arguments.action.empty()) {
    return print(context, full_help(parser.tree(), command, page_width(context.screen())));
  }
  if (is_about_leases(command)) return about_leases(command, arguments, context);
  if (command == "token") return token(token_options(arguments, context), context);
  if (command == "backup" || command == "restore") {
    const auto options = backup_options(arguments, context);
    if (!options) return tl::make_unexpected(options.error());
    return command == "backup" ? backup(*options, context) : restore(*options, context);
  }
  if (command == "record") return record(record_options(arguments, context.settings), context);
  if (command == "doctor") return doctor(arguments.json, context);
  if (command == "completion") return completion(arguments.shell, parser.tree(), context);
  if (command == "man") return manual(arguments.page, parser.tree(), context);
  return print(context, short_help(parser.tree(), page_width(context.screen())));
}

// What would be left aside without a word is refused: the sentence, or nothing.
std::optional<std::string> refuse_ignored(const std::string& command, const Arguments& arguments,
                                          const std::vector<std::string>& sources) {
  if (!arguments.daemon.empty() && command != "serve") {
    for (const auto& [option, value] : {std::pair("--at", arguments.at), std::pair("--speed", arguments.speed)}) {
      if (!value.empty()) return fmt::format("{} plays a source and --host asks a daemon: take one of them", option);
    }
    if (const auto option = own_look(arguments); (shows_snapshot(command) || command == "faults") && !option.empty()) {
      return fmt::format("{} is for looking without a daemon: take --host or {}, not both", option, option);
    }
    const bool of_the_wish = arguments.action == "set" || !arguments.words.empty();
    if (!arguments.length.empty() && !of_the_wish) {
      return "--for is for looking without a daemon: take --host or --for, not both";
    }
  }
  if (command == "history" && arguments.database) {
    for (const auto& [option, given] :
         {std::pair("--host", !arguments.daemon.empty()), std::pair("--source", !arguments.sources.empty()),
          std::pair("--for", !arguments.length.empty()), std::pair("--at", !arguments.at.empty()),
          std::pair("--speed", !arguments.speed.empty())}) {
      if (given)
        return fmt::format("--database reads what was written there, and {} what is measured: take one", option);
    }
  }
  if (command != "throttle" || arguments.schema) return std::nullopt;
  if (arguments.wait && !arguments.action.empty()) {
    return fmt::format("throttle {} does not wait: gpukeeper throttle --wait does", arguments.action);
  }
  const auto is_simulated = [](const std::string& source) { return source.starts_with("simulated:"); };
  const bool plays = !sources.empty() && std::ranges::all_of(sources, is_simulated);
  if (!arguments.length.empty() && arguments.action != "set" && !plays) {
    return "--for is of throttle set, or says how much of a simulated machine's time to play (--source simulated:FILE)";
  }
  return std::nullopt;
}

// A file that we open must not become standard output: then our text would end up in it. Read-only, so that writing to
// an output that was closed fails as it should.
void hold_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

int report(Output& errors, std::string_view message, int status) {
  static_cast<void>(errors.write(fmt::format("gpukeeper: {}\n", message)));  // there is nowhere left to complain
  return status;
}

int status_of(const Error& error) {
  return error.code == Errc::invalid_argument ? 2 : 1;
}

int run_checked(int argc, char** argv, Output& out, Output& errors) {
  Arguments arguments;
  Parser parser(arguments);
  const Environment environment = system_environment();
  const auto screen = [&] { return look_at_screen(STDOUT_FILENO, environment); };
  if (const auto answer = parser.parse(argc, argv, page_width(screen()))) {
    if (answer->status != 0) return report(errors, answer->text, answer->status);
    const auto written = out.write(answer->text);
    return written ? 0 : report(errors, written.error().message, 1);
  }

  if (parser.command() == "monitor" && arguments.watch.empty()) arguments.watch = "5";
  if (!arguments.daemon.empty() && !asks_daemon(parser.command())) {
    return report(errors,
                  fmt::format("--host asks a running daemon; {} is about this machine and asks none", parser.command()),
                  2);
  }
  const auto machine_root = root(arguments, environment);
  if (!machine_root) return report(errors, machine_root.error().message, 2);
  const RealFiles files(*machine_root);
  auto config_from = config_sources(config_arguments(arguments), environment);
  if (!config_from) return report(errors, config_from.error().message, 2);
  std::shared_ptr<config::LiveConfig> config;
  if (goes_by_settings(parser.command())) {
    auto opened = config::LiveConfig::open(*config_from);
    if (!opened) return report(errors, opened.error().message, status_of(opened.error()));
    config = std::make_shared<config::LiveConfig>(std::move(*opened));
  }
  const config::Settings settings = config ? config->now().settings : config::Settings();
  const std::vector<std::string>& source_names = settings.source;
  if (const auto refusal = refuse_ignored(parser.command(), arguments, source_names)) {
    return report(errors, *refusal, 2);
  }
  const bool goes_on = !arguments.watch.empty() || arguments.wait || arguments.follow || parser.command() == "record" ||
                       parser.command() == "top";
  std::optional<Speed> speed;
  if (!arguments.speed.empty()) speed.emplace(*parse_speed(arguments.speed));  // as its check has found it well
  const bool plays = !goes_on && watches_stretch(parser.command()) && is_played(source_names);
  if (!speed && plays) speed.emplace();  // as fast as it goes
  const auto real_clock = std::make_shared<SystemClock>();
  const bool serves = parser.command() == "serve";
  const auto chosen_clock =
      clock_for(source_names, serves ? std::nullopt : speed, goes_on ? Speed(1) : Speed(), real_clock);
  if (!chosen_clock) return report(errors, chosen_clock.error().message, 2);
  const std::shared_ptr<Clock> clock = *chosen_clock;
  const auto at = arguments.at.empty() ? std::nullopt : std::optional(arguments.at);
  std::shared_ptr<Replay> replay;  // for what is to be said of it
  const auto say = [&](std::string_view sentence) { report(errors, sentence, 0); };
  const auto feed = [&]() -> Result<std::unique_ptr<Feed>> {
    if (shows_snapshot(parser.command()) && may_ask_daemon(arguments, environment)) {
      auto daemon =
          open_daemon_feed({.follows = goes_on, .host = arguments.daemon, .environment = environment, .remark = say});
      if (!daemon || *daemon) return daemon;
    }
    // A watch needs no new process list every second: they are what costs a driver most.
    const auto pause = std::chrono::seconds(arguments.watch.empty() && !arguments.follow ? 0 : 3);
    const std::string command = parser.command();
    const bool shows = command == "status" || command == "monitor";
    const bool about_processes = command == "ps" || command == "why";
    const bool asks_who = about_processes || command == "faults" || command == "throttle" || (shows && arguments.json);
    return open_feed({.sources = source_names,
                      .wake = arguments.wake,
                      .machine_root = *machine_root,
                      .at = at,
                      .goes_on = goes_on,
                      .prepare = [&](Sources& opened) { replay = opened.replay; },
                      .process_period = pause,
                      .attribute = asks_who,
                      .settings = settings,
                      .who_patience = kWhoPatience,
                      .wait_for_cpu_shares = about_processes},  // status --json is asked for every second
                     clock);
  };
  const auto session = [&](SessionOptions options) {
    options.detect.wake = arguments.wake;
    options.detect.machine_root = *machine_root;
    if (!options.at) options.at = at;
    options.prepare = [&replay, prepare = std::move(options.prepare)](Sources& opened, EngineOptions& engine) {
      replay = opened.replay;
      return prepare(opened, engine);
    };
    return Session::open(source_names, clock, std::move(options));
  };
  const auto interrupts = [&]() -> std::unique_ptr<Interrupts> {
    auto real = std::make_unique<SignalInterrupts>(*real_clock);
    auto playback = std::dynamic_pointer_cast<PlaybackClock>(clock);
    if (!playback) return real;
    return std::make_unique<PlaybackInterrupts>(std::move(real), std::move(playback));
  };
  Context context{.clock = *clock,
                  .files = files,
                  .out = out,
                  .environment = environment,
                  .settings = settings,
                  .screen = screen,
                  .colour = colour(arguments),
                  .open_feed = feed,
                  .open_session = session,
                  .interrupts = interrupts,
                  .remark = say,
                  .aside = [&](std::string_view text) { static_cast<void>(errors.write(text)); }};
  const auto act = [&]() -> Exit {
    if (arguments.version) return version(arguments.json, context);
    if (parser.command() == "config") return cli::config(config_options(arguments, std::move(*config_from)), context);
    if (parser.command() == "monitoring") {
      return monitoring({arguments.action, arguments.daemon, arguments.json}, context);
    }
    if (parser.command() == "serve")
      return serve({config, *machine_root, speed, at, arguments.check_serve, arguments.restore, arguments.sign_in_link},
                   context);
    return dispatch(parser.command(), arguments, parser, context);
  };
  const auto exit = act();
  if (replay) {
    for (const std::string& note : replay->notes()) report(errors, "the recording: " + harmless(note), 0);
  }
  if (exit) return *exit;
  return report(errors, exit.error().message, status_of(exit.error()));
}

}  // namespace

int run(int argc, char** argv) {
  hold_standard_descriptors();
  ::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is seen where we write, and ends us without noise
  FileOutput out(STDOUT_FILENO, "standard output");
  FileOutput errors(STDERR_FILENO, "standard error");
  try {
    return run_checked(argc, argv, out, errors);
  } catch (const std::exception& error) {  // out of memory, or a mistake of ours: said, not a core file
    return report(errors, error.what(), 1);
  }
}

CommandTree command_tree() {
  Arguments arguments;
  return Parser(arguments).tree();
}

}  // namespace gpukeeper::cli
