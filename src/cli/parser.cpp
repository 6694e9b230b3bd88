// With declaration and lease_options the only source files that know the command-line library.
#include "cli/parser.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/alerts.hpp"
#include "cli/declaration.hpp"
#include "cli/faults.hpp"
#include "cli/help.hpp"
#include "cli/lease_options.hpp"
#include "cli/ps.hpp"
#include "cli/why.hpp"
#include "config/key_table.hpp"
#include "core/display_text.hpp"
#include "core/nearest.hpp"
#include "core/text.hpp"
#include "format/columns.hpp"
#include "report/accounting.hpp"
#include "top/theme.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::cli {
namespace {

std::string check_limit(const std::string& text) {
  if (parse_u64(text).value_or(0) > 0) return {};
  return fmt::format("takes a number from 1, not '{}'", text);
}

constexpr std::uint64_t kMostMinutes = 1440;

std::string check_minutes(const std::string& text) {
  const auto minutes = parse_u64(text);
  if (minutes && *minutes >= 1 && *minutes <= kMostMinutes) return {};
  return fmt::format("takes a number from 1 to {}, not '{}'", kMostMinutes, text);
}

std::string check_size(const std::string& text) {
  if (yaml::parse_size(text).value_or(0) > 0) return {};
  return fmt::format("takes a size such as 100MiB, not '{}'", text);
}

constexpr std::uint64_t kMostKept = 10'000;

std::string check_keep(const std::string& text) {
  const auto number = parse_u64(text);
  if (number && *number >= 1 && *number <= kMostKept) return {};
  return fmt::format("takes a number from 1 to {}, not '{}'", kMostKept, text);
}

std::string check_speed(const std::string& text) {
  constexpr std::string_view kOption = "--speed ";  // the parser says that itself
  const auto speed = parse_speed(text);
  return speed ? std::string() : speed.error().message.substr(kOption.size());
}

}  // namespace

std::optional<std::chrono::nanoseconds> duration(const std::string& text) {
  auto seconds = parse_double(text);
  if (!seconds) seconds = yaml::parse_duration(text);
  if (!seconds || !(*seconds > 0 && *seconds <= 1e9)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(*seconds));
}

class Parser::Declared : private Declaration {
 public:
  explicit Declared(Arguments& arguments)
      : Declaration("gpukeeper",
                    "watches every GPU of this machine, whoever made it: NVIDIA, AMD, Intel and the rest.") {
    app().set_help_flag("-h,--help", "Say what there is and end.");
    app().require_subcommand(0, 1);
    app().fallthrough();  // inherited: options of every command may stand after it too

    Extras source{.value = "SOURCE",
                  .choices = {"auto", "nvml", "nvidia-smi", "rocm-smi", "sysfs", "simulated:", "replay:"},
                  .file = true};
    // Only completed, not checked: open_sources knows them.
    add(app()
            .add_option("--source", arguments.sources,
                        "Read from: auto, nvml[:LIBRARY], nvidia-smi[:FILE], rocm-smi[:FILE], sysfs[:ROOT], "
                        "simulated:FILE or replay:FILE. May be given several times. Else GPUKEEPER_SOURCE decides, "
                        "where commas "
                        "separate several; else auto.")
            ->allow_extra_args(false),
        std::move(source));
    add(app().add_option("--root", arguments.root,
                         "Where the machine's /sys, /proc and /etc are, for containers that have the host's elsewhere "
                         "(/host). Else GPUKEEPER_ROOT decides."),
        {.value = "FOLDER", .file = true});
    add_choice(app(), "--color", arguments.colour, "WHEN", {"auto", "always", "never"},
               "Colours: auto (on a terminal, unless NO_COLOR is set), always or never.");
    add_checked(app(), "--speed", arguments.speed, "N", check_speed,
                "Play recordings and simulated machines N times as fast as real time; max: as fast as it goes.");
    add(app().add_option(
            "--at", arguments.at,
            "Of a recording: the moment to show or to play from. 90 or 1h30m is counted from its begin, -30s "
            "from its end; or a date such as 2026-05-28T20:26:40Z."),
        {.value = "TIME"});
    add_file(app(), "--config", arguments.config, "FILE",
             "Read settings from a YAML file (docs/configuration.md). Else GPUKEEPER_CONFIG names one, else the usual "
             "ones are looked for.");
    add(app()
            .add_option("--set", arguments.set,
                        "Set a key of the configuration, above file and environment. May be given several times.")
            ->allow_extra_args(false),
        {.value = "KEY=VALUE", .choices = config_keys("=")});
    add(app().add_option("--host,--daemon", arguments.daemon,
                         "Ask the 'gpukeeper serve' there: unix:PATH, HOST[:PORT] or https://HOST[:PORT]. Else "
                         "GPUKEEPER_HOST says it, else the usual sockets are tried. What is changed on another machine "
                         "needs a token, in GPUKEEPER_TOKEN. Behind https:// GPUKEEPER_CA names who is "
                         "believed."),
        {.value = "HOST", .choices = {"localhost", "unix:"}});
    add_flag(app(), "--version", arguments.version, "Say which gpukeeper this is and end.");

    add_status("status", "What every GPU is doing: temperature, use, memory, power, processes.", arguments);
    add_status("monitor", "The same again and again: status --watch 5.", arguments);

    add_top(arguments);
    add_ps(arguments);
    add_why(arguments);

    auto* devices =
        app().add_subcommand("devices", "What every GPU is: all that does not change, and how they are connected.");
    add_flag(*devices, "--json", arguments.json, "As JSON.");
    add_device(*devices, arguments);
    add_wake(*devices, arguments);

    auto* metrics = app().add_subcommand("metrics", "All metrics and what they mean.");
    auto* metrics_json = add_flag(*metrics, "--json", arguments.json, "As JSON.");
    add_flag(*metrics, "--markdown", arguments.markdown, "As Markdown (docs/metrics.md).")->excludes(metrics_json);

    auto* classes = app().add_subcommand(
        "classes", "The rules that tell what kind of work a process does, in the order in which they are tried.");
    auto* classes_json = add_flag(*classes, "--json", arguments.json, "As JSON.");
    auto* check = classes->add_option("--check", arguments.check, "Only say whether this rule file is right.");
    add(check->excludes(classes_json), {.value = "FILE", .file = true});
    add_rules(*classes, arguments);

    auto* doctor = app().add_subcommand(
        "doctor", "Why a GPU is not seen, or not in full: drivers, libraries, permissions, and what to do.");
    add_flag(*doctor, "--json", arguments.json, "As JSON.");

    add_trend(arguments);
    add_forecast(arguments);
    add_history(arguments);
    add_report(arguments);
    add_account(arguments);
    add_alerts(arguments);
    add_faults(arguments);
    add_throttle(arguments);
    add_serve(arguments);
    add_config(arguments);
    add_monitoring(arguments);
    add_token(arguments);
    add_backup(arguments);
    add_record(arguments);
    declare_lease_commands(*this, arguments);

    auto* man = app().add_subcommand("man", "These texts as pages for man(1); without a PAGE, which there are.");
    add(man->add_option("page", arguments.page, "Such as gpukeeper-status, or gpukeeper.yaml for the configuration."),
        {.value = "PAGE"});
    auto* completion =
        app().add_subcommand("completion", "A script that completes gpukeeper's commands in your shell.");
    add_choice(*completion, "shell", arguments.shell, "SHELL", {"bash", "zsh", "fish"}, "bash, zsh or fish.")
        ->required();

    auto* version = app().add_subcommand("version", "Which gpukeeper this is.");
    add_flag(*version, "--json", arguments.json, "As JSON.");
  }

  std::optional<Answer> parse(int argc, const char* const* argv, std::size_t width) {
    try {
      app().parse(argc, argv);
      return std::nullopt;
    } catch (const CLI::CallForHelp&) {
      return Answer{full_help(tree(), command(), width), 0};
    } catch (const CLI::ExtrasError&) {
      return Answer{unexpected(), 2};
    } catch (const CLI::ParseError& error) {
      return Answer{sentence(error.what()), 2};
    }
  }

  std::string command() const {
    const auto given = app().get_subcommands();
    return given.empty() ? "" : given.front()->get_name();
  }

  CommandTree tree() const {
    CommandTree result{.help = app().get_description(), .options = {}, .commands = {}};
    result.options = options_of(app(), false);
    for (const CLI::App* sub : app().get_subcommands([](const CLI::App*) { return true; })) {
      result.commands.push_back({sub->get_name(), sub->get_description(), {}, options_of(*sub, true)});
      for (OptionFacts& option : options_of(*sub, false)) {
        if (option.names.back() != "--help")
          result.commands.back().options.push_back(std::move(option));  // it is every command's
      }
    }
    return result;
  }

 private:
  void add_status(const std::string& name, const std::string& help, Arguments& arguments) {
    auto* status = app().add_subcommand(name, help);
    auto* json = add_flag(*status, "--json", arguments.json,
                          "As JSON (docs/schema/status.json); with --watch an object a line.");
    auto* csv = add_flag(*status, "--csv", arguments.csv, "As CSV, a row a device; with --watch rows are appended.");
    auto* query = status
                      ->add_option("-q,--query", arguments.query,
                                   "Only the values of these metrics, separated by tabs, a line a device; '-' for one "
                                   "that is absent. gpukeeper metrics lists them.")
                      ->delimiter(',')
                      ->allow_extra_args(false);
    add(query, {.value = "METRIC[,METRIC...]", .choices = key_names(), .choices_separated = true});
    auto* schema = add_flag(*status, "--schema", arguments.schema, "The JSON Schema of --json.");
    for (auto* form : {json, csv, query, schema}) {
      for (auto* other : {json, csv, query, schema}) {
        if (form != other) form->excludes(other);
      }
    }
    add_watch(*status, arguments);
    add_device(*status, arguments);
    add_wake(*status, arguments);
  }

  void add_alerts(Arguments& arguments) {
    auto* alerts =
        app().add_subcommand("alerts", "What needs attention: what is wrong, where, since when, what to do.");
    auto* words = alerts->add_option(
        "action", arguments.words,
        "ack ID says that somebody takes care of an alert, unack ID takes that back; silence MATCHER... (rule=thermal, "
        "device=0, level=warning) keeps alerts quiet, unsilence ID ends that; silences and rules list them; test SINK "
        "sends a "
        "marked test to that sink of the configuration and says what its receiver answered.");
    add(words, {.value = "ACTION", .choices = alert_actions()});
    add_flag(*alerts, "--all", arguments.all,
             "Those that have not lasted long enough yet and those that are over, too.");
    auto* json = add_flag(*alerts, "--json", arguments.json, "As JSON (docs/schema/alerts.json).");
    add_flag(*alerts, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes(json);
    add_flag(*alerts, "--check", arguments.check_lamp,
             "For scripts: the exit status is 0 when the lamp is green, 3 yellow, 4 red, 5 off (nothing is known).");
    add_device(*alerts, arguments, "--gpu,--device");
    add_checked(*alerts, "--for", arguments.length, "TIME", check_duration,
                "Of ack and silence: for so long, such as 2h. Without a daemon: watch for so long; else 10 s, or 10 "
                "minutes of a simulated machine's time, or a whole recording.");
    add(alerts->add_option("--comment", arguments.comment, "Of ack and silence: why."), {.value = "TEXT"});
    add_wake(*alerts, arguments);
  }

  void add_faults(Arguments& arguments) {
    auto* faults = app().add_subcommand(
        "faults", "What went wrong with the GPUs: when, who was there, what it means, what to do.");
    auto* json = add_flag(*faults, "--json", arguments.json, "As JSON (docs/schema/faults.json).");
    add_flag(*faults, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes(json);
    auto* all = add_flag(*faults, "--all", arguments.all, "Every fault, and every sort of them explained.");
    all->excludes(json);
    add_flag(*faults, "-f,--follow", arguments.follow,
             "The newest ten (--limit), then each as it happens; with --json a document a line.")
        ->excludes(all);
    add_device(*faults, arguments);
    add_choice(*faults, "--severity", arguments.severity, "SEVERITY", {"info", "warning", "error", "critical"},
               "Only faults of this severity and worse.");
    auto* kinds = faults->add_option("--kind", arguments.kinds, "Only faults of these kinds.")
                      ->delimiter(',')
                      ->allow_extra_args(false);
    kinds->check(one_of(fault_kind_names()));
    add(kinds, {.value = "KIND[,KIND...]", .choices = fault_kind_names(), .choices_separated = true});
    add(faults->add_option("--since", arguments.since,
                           "Only faults since then: a time ago such as 30m, 24h or 7d, or a date."),
        {.value = "TIME"});
    auto* limit = faults->add_option("--limit", arguments.limit, "Only the newest so many.");
    limit->check(CLI::Validator(check_limit, ""));
    add(limit, {.value = "NUMBER"});
    auto* length = faults->add_option(
        "--for", arguments.length,
        "Of a simulated machine: play so much of its time, as fast as it goes; else 60. Of --follow: end "
        "after so long.");
    length->check(CLI::Validator(check_duration, ""));
    add(length, {.value = "SECONDS"});
    add(faults->add_option("--state-dir", arguments.state_dir, "Where gpukeeper serve keeps the journal to be read."),
        {.value = "FOLDER", .file = true});
  }

  void add_throttle(Arguments& arguments) {
    auto* throttle = app().add_subcommand(
        "throttle", "How fast work may go on every GPU, why, and how long still (docs/governor.md).");
    add_choice(*throttle, "action", arguments.action, "ACTION", {"set", "clear"},
               "set SPEED asks a running daemon for less, clear takes that back; else it is only said.");
    add_choice(*throttle, "multiplier", arguments.multiplier, "SPEED", {"0.8", "0.5", "0"},
               "Of set: what work shall multiply its pace by: 0.8, 0.5 or 0.");
    auto* json = add_flag(*throttle, "--json", arguments.json, "As JSON (docs/schema/throttle.json).");
    add_flag(*throttle, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes(json);
    add_flag(*throttle, "--wait", arguments.wait, "Only end once work may go on, at 0.8 of its speed or more.");
    add_checked(*throttle, "--for", arguments.length, "SECONDS", check_duration,
                "Of set: for so long; else until clear. Of a simulated machine: play so much of its time; else 60.");
    add_device(*throttle, arguments);
    add_wake(*throttle, arguments);
  }

  void add_top(Arguments& arguments) {
    auto* top = app().add_subcommand(
        "top",
        "All of it on the whole terminal, as it happens: GPUs, processes, leases, alerts, charts. ? says the keys.");
    std::vector<std::string> names;
    for (const top::Theme& theme : top::themes()) names.emplace_back(theme.name);
    add_choice(*top, "--theme", arguments.theme, "NAME", names,
               "Colours: standard, light, colour-blind, contrast or mono; else as it was left.");
    add_flag(*top, "--ascii", arguments.ascii, "Only ASCII; so it is by itself where the locale is not UTF-8.");
    add_device(*top, arguments);
    add_wake(*top, arguments);
    add_rules(*top, arguments);
  }

  void add_ps(Arguments& arguments) {
    auto* ps = app().add_subcommand("ps", "Who uses which GPU: a line for each process on each GPU.");
    auto* json = add_flag(*ps, "--json", arguments.json, "As JSON; with --watch an object a line.");
    add_flag(*ps, "--csv", arguments.csv, "As CSV; with --watch rows are appended.")->excludes(json);
    std::vector<std::string> orders;
    for (const auto& [word, order] : kProcessOrders) orders.emplace_back(word);
    auto* sort =
        add_choice(*ps, "--sort", arguments.sort, "BY", orders,
                   "Over all GPUs: the largest, busiest, longest running first; pids and users rising. Else by "
                   "GPU.");
    add_flag(*ps, "-r,--reverse", arguments.reversed, "Turns --sort round.")->needs(sort);
    const auto filter = [&](const std::string& name, std::string& target, const std::string& value,
                            const std::string& help) { add(ps->add_option(name, target, help), {.value = value}); };
    filter("--user", arguments.user, "NAME", "Only processes of this user, by name or number.");
    filter("--container", arguments.container, "ID", "Only in this container: its id or the beginning of it.");
    filter("--pod", arguments.pod, "POD",
           "Only in this Kubernetes pod: NAME, NAMESPACE/NAME, or the beginning of its uid.");
    filter("--job", arguments.job, "NUMBER", "Only of this Slurm job.");
    std::vector<std::string> classes;
    for (const auto name : process_class_names()) classes.emplace_back(name);
    add_choice(*ps, "--class", arguments.process_class, "CLASS", classes, "Only what does this kind of work.");
    add_flag(*ps, "--wide", arguments.wide, "Command lines in full, however wide the page becomes.");
    add_watch(*ps, arguments);
    add_device(*ps, arguments);
    add_wake(*ps, arguments);
    add_rules(*ps, arguments);
  }

  void add_why(Arguments& arguments) {
    auto* why = app().add_subcommand("why", "Why the fan runs, why a GPU is slow, and who is to blame, in sentences.");
    std::vector<std::string> topics;
    for (const auto name : topic_names()) topics.emplace_back(name);
    add_choice(*why, "topic", arguments.topic, "TOPIC", topics,
               "What to explain: fan, slow, hot, busy or memory; else fan and slow, and what else is remarkable.");
    auto* json = add_flag(*why, "--json", arguments.json, "As JSON.");
    auto* html = why->add_option("--html", arguments.html,
                                 "Write a page with pictures that needs nothing else; '-' is standard output.");
    add(html->excludes(json), {.value = "FILE", .file = true});
    add_device(*why, arguments);
    add_wake(*why, arguments);
    add_rules(*why, arguments);
  }

  void add_trend(Arguments& arguments) {
    auto* trend = app().add_subcommand(
        "trend", "Where every GPU's temperature is going, when it will throttle, and which processes only grow.");
    add_checked(*trend, "--minutes", arguments.minutes, "N", check_minutes, "Look back so far; else 5.");
    auto* json = add_flag(*trend, "--json", arguments.json, "As JSON (docs/schema/trend.json).");
    add_flag(*trend, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes(json);
    add_device(*trend, arguments, "--gpu,--device");
    add_stretch(*trend, arguments);
  }

  void add_forecast(Arguments& arguments) {
    auto* forecast = app().add_subcommand(
        "forecast",
        "What every GPU's temperature and memory will be, how far off that usually is, and when limits are reached.");
    auto* json = add_flag(*forecast, "--json", arguments.json, "As JSON (docs/schema/forecast.json).");
    add_flag(*forecast, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes(json);
    add_device(*forecast, arguments, "--gpu,--device");
    add_checked(
        *forecast, "--for", arguments.length, "SECONDS", check_duration,
        "Without a daemon: watch for so long; else 10 s, or 90 minutes of a simulated machine's time, or a whole "
        "recording.");
    add_wake(*forecast, arguments);
  }

  void add_history(Arguments& arguments) {
    auto* history = app().add_subcommand("history", "What the GPUs did until now: curves, CSV or JSON.");
    auto* metrics = history->add_option("metric", arguments.metrics,
                                        "What to show (gpukeeper metrics lists them); else temperature, use, memory "
                                        "and power.");
    std::vector<std::string> names;
    for (const MetricRow& row : metric_table()) names.emplace_back(row.name);
    add(metrics, {.value = "METRIC", .choices = names});
    add(history->add_option("--since", arguments.since, "From then on: a time ago (30m, 24h) or a date (RFC 3339)."),
        {.value = "WHEN"});
    add_checked(*history, "--step", arguments.step, "SECONDS", check_duration,
                "Sum up so long pieces of time; else what fits the page, or about 300 of them.");
    auto* json = add_flag(*history, "--json", arguments.json, "As JSON (docs/schema/history.json).");
    auto* csv = add_flag(*history, "--csv", arguments.csv, "As CSV, a row a piece of time that has values.");
    csv->excludes(json);
    add_flag(*history, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes(json)->excludes(csv);
    add_device(*history, arguments, "--gpu,--device");
    add_stretch(*history, arguments);
    add_database(*history, arguments);
  }

  // Each of them says that a database is meant.
  void add_database(CLI::App& history, Arguments& arguments) {
    auto* url = history
                    .add_option("--database", arguments.database_url,
                                "Read it from a PostgreSQL database (docs/postgresql.md), postgresql://USER@HOST/NAME; "
                                "without an address the one that is configured.")
                    ->expected(0, 1);
    add(url, {.value = "[URL]"});
    auto* host = add_text(history, "--database-host", arguments.database_host, "NAME",
                          "Of that machine there; else of this one.");
    auto* hosts = add_flag(history, "--database-hosts", arguments.database_hosts, "Which machines are there.");
    hosts->excludes(host);
    history.parse_complete_callback(
        [&arguments, url, host, hosts] { arguments.database = url->count() + host->count() + hosts->count() > 0; });
  }

  void add_report(Arguments& arguments) {
    auto* report = app().add_subcommand(
        "report", "What the GPUs did and who used them: GPU-hours, energy, cost, waste; by GPU, user and service.");
    add(report->add_option("--since", arguments.since,
                           "From then on: a time ago (30m, 24h, 7d) or a date (RFC 3339); else the last day, or a "
                           "whole recording."),
        {.value = "WHEN"});
    add(report->add_option("--until", arguments.until, "Up to then; else until now, or the end of a recording."),
        {.value = "WHEN"});
    auto* json = add_flag(*report, "--json", arguments.json, "As JSON (docs/schema/report.json).");
    auto* csv = add_flag(*report, "--csv", arguments.csv, "As CSV, a row a GPU, user, service and so on.");
    csv->excludes(json);
    auto* schema = add_flag(*report, "--schema", arguments.schema, "The JSON Schema of --json.");
    schema->excludes(json)->excludes(csv);
    auto* html = report->add_option("--html", arguments.html,
                                    "Write a page with charts that needs nothing else; '-' is standard output.");
    add(html, {.value = "FILE", .file = true});
    auto* pdf = report->add_option("--pdf", arguments.pdf, "Write that page as PDF, by the Chromium of this machine.");
    add(pdf, {.value = "FILE", .file = true});
    for (auto* page : {html, pdf}) page->excludes(json)->excludes(csv)->excludes(schema);
    add_state_dir(*report, arguments);
    add_stretch(*report, arguments);
  }

  void add_account(Arguments& arguments) {
    auto* account = app().add_subcommand(
        "account", "Who used how much of the GPUs: GPU-hours, memory, energy, cost; by user, service, job and so on.");
    std::vector<std::string> keys;
    for (const std::string_view word : report::account_key_words()) keys.emplace_back(word);
    keys.emplace_back("process-class");  // as people call it, too
    add_choice(*account, "--by", arguments.by, "KEY", std::move(keys), "By what it is added up; else by user.");
    add(account->add_option("--since", arguments.since,
                            "From then on: a time ago (30m, 24h, 7d) or a date (RFC 3339); else the last day."),
        {.value = "WHEN"});
    add(account->add_option("--until", arguments.until, "Up to then; else until now."), {.value = "WHEN"});
    auto* json = add_flag(*account, "--json", arguments.json, "As JSON (docs/schema/accounting.json).");
    auto* csv = add_flag(*account, "--csv", arguments.csv, "As CSV, a row a user, or what else it is added up by.");
    csv->excludes(json);
    add_flag(*account, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes(json)->excludes(csv);
    add_file(*account, "--state-dir", arguments.state_dir, "FOLDER",
             "Read what a daemon keeps there, without asking one. Else a daemon is asked, or the usual place is read.");
  }

  // Of commands that judge a stretch of time (cli/stretch.hpp).
  void add_stretch(CLI::App& app, Arguments& arguments) {
    add_checked(
        app, "--for", arguments.length, "SECONDS", check_duration,
        "Without a daemon: watch for so long; else 10 s, or 10 minutes of a simulated machine's time, or a whole "
        "recording.");
    add_wake(app, arguments);
  }

  void add_record(Arguments& arguments) {
    auto* record = app().add_subcommand(
        "record", "Keep what every GPU does in a file, to be looked at later with --source replay:FILE.");
    auto* file =
        record->add_option("file", arguments.record.file,
                           "The file to make: a recording (.gkr), or what other tools read (.jsonl, .csv); '-' is "
                           "standard output.");
    file->required();
    add(file, {.value = "FILE", .file = true});
    add_checked(
        *record, "--for", arguments.record_for, "SECONDS", check_duration,
        "For so long by the source's time; else until interrupted, or until the recording that is played ends.");
    add_checked(*record, "--period", arguments.record_period, "SECONDS", check_duration,
                "From reading to reading; else 1, or as the recording that is played was made.");
    add_flag(*record, "--force", arguments.record.force, "Overwrite the file if it is there.");
    add_choice(*record, "--format", arguments.record_format, "FORMAT", {"gkr", "jsonl", "csv"},
               "What to write, where the file's name does not say it: gkr, jsonl or csv.");
    add_checked(*record, "--rotate-size", arguments.rotate_size, "SIZE", check_size,
                "Begin a new .jsonl or .csv file before this one grows larger than, say, 100MiB.");
    add_checked(*record, "--rotate-every", arguments.rotate_every, "TIME", check_duration,
                "Begin a new .jsonl or .csv file every so often, such as 1h.");
    add_checked(*record, "--keep", arguments.keep, "N", check_keep, "Keep so many rotated files; else 10.");
    add_flag(*record, "--gzip", arguments.record.pack, "Pack rotated files.");
    add_wake(*record, arguments);
  }

  void add_serve(Arguments& arguments) {
    auto* serve = app().add_subcommand("serve", "Watch all the time, and answer over HTTP (docs/api.md).");
    auto* listen =
        serve
            ->add_option("--listen", arguments.listen,
                         "Where to answer: ADDRESS:PORT, [v6]:PORT or unix:PATH. May be given several times. "
                         "Else 127.0.0.1:8737 and a unix socket under /run/gpukeeper or $XDG_RUNTIME_DIR.")
            ->allow_extra_args(false);
    add(listen, {.value = "ADDRESS", .choices = {"127.0.0.1:", "unix:"}});
    add_flag(*serve, "--insecure-listen", arguments.insecure_listen,
             "Let other machines look without a token, at addresses that they reach.");
    auto* metrics =
        serve
            ->add_option(
                "--metrics-listen", arguments.metrics_listen,
                "Where to answer /metrics, /health and /ready alone, to whoever comes: ADDRESS:PORT, [v6]:PORT "
                "or unix:PATH. May be given several times. Else nowhere but where all is answered.")
            ->allow_extra_args(false);
    add(metrics, {.value = "ADDRESS", .choices = {"127.0.0.1:", "unix:"}});
    add_text(*serve, "--metrics-prefix", arguments.metrics_prefix, "WORD",
             "What the names of the metrics begin with that are documented with a prefix; else entrenar.");
    add_flag(
        *serve, "--check,--check-config", arguments.check_serve,
        "Look at all that it would start with (settings, rules, scenarios, tokens, certificates), say whether it is "
        "well, and end.");
    add_flag(*serve, "--restore", arguments.restore,
             "Give back what one that crashed left changed of the GPUs, and end.");
    add_flag(*serve, "--sign-in-link", arguments.sign_in_link,
             "Print a link that signs a browser in as an operator, once, within 10 minutes.");
    add_file(*serve, "--state-dir", arguments.state_dir, "FOLDER", "Keep what must outlive a restart there.");
    add_rules(*serve, arguments);
    add_file(*serve, "--log-file", arguments.log_file, "FILE",
             "Log to a file that turns over at 10 MiB; else to standard error.");
    add_choice(*serve, "--log-level", arguments.log_level, "LEVEL", {"error", "warning", "info", "debug"},
               "Log this and what is more important: error, warning, info (the default) or debug.");
    add_choice(*serve, "--log-format", arguments.log_format, "FORMAT", {"text", "json"}, "Log as text or as JSON.");
  }

  void add_config(Arguments& arguments) {
    auto* config = app().add_subcommand("config", "What is set and where that comes from; set it, check it.");
    const std::vector<std::string> actions = {"show", "get", "set", "check", "schema", "example", "diff"};
    add_choice(
        *config, "action", arguments.action, "ACTION", actions,
        "show all keys, get KEY, set KEY=VALUE (of a running daemon, else in the file), check FILE, diff (what is "
        "not as it is by itself) or diff FILE (what it would change), schema (of the file), example (a file of all "
        "keys, explained).")
        ->required();
    add(config->add_option("what", arguments.words, "KEY, KEY=VALUE or FILE."),
        {.value = "WHAT", .choices = config_keys(""), .file = true});
    add_flag(*config, "--json", arguments.json, "As JSON.");
    add_flag(*config, "--origin", arguments.origin, "Of show: where each value comes from.");
    add_flag(*config, "--save", arguments.save, "Of set: the daemon writes its configuration file, too.");
    add_flag(*config, "--markdown", arguments.markdown, "Of schema: the page of keys (docs/configuration.md).");
  }

  void add_monitoring(Arguments& arguments) {
    auto* monitoring = app().add_subcommand(
        "monitoring", "Whether 'gpukeeper serve' looks at the GPUs all the time: start it, stop it, ask.");
    add_choice(*monitoring, "action", arguments.action, "ACTION", {"start", "stop", "status", "health"},
               "start, stop (then it looks when somebody asks), status, or health: fails when it looks no more.")
        ->required();
    add_flag(*monitoring, "--json", arguments.json, "As JSON.");
  }

  void add_backup(Arguments& arguments) {
    auto* backup = app().add_subcommand("backup",
                                        "Settings, leases, faults, alerts, history and account in one file, while a "
                                        "daemon runs or none does.");
    auto* restore = app().add_subcommand(
        "restore", "The same back out of that file, all or nothing; not while a daemon runs there.");
    for (auto* each : {backup, restore}) {
      add_file(*each, "file", arguments.page, "FILE", "The archive.")->required();
      add_file(*each, "--state-dir", arguments.state_dir, "FOLDER", "That of gpukeeper serve.");
      add_flag(*each, "--without-config", arguments.without_config, "Leave the file of settings out.");
    }
  }

  void add_token(Arguments& arguments) {
    auto* token = app().add_subcommand(
        "token",
        "Tokens by which gpukeeper serve knows who asks over TCP (docs/security.md): make, list, revoke them.");
    add_choice(*token, "action", arguments.action, "ACTION", {"create", "list", "revoke"},
               "create prints a new one, which is kept nowhere; list shows those there are; revoke ID ends one.")
        ->required();
    add(token->add_option("id", arguments.token.id, "Of revoke: which."), {.value = "ID"});
    add_choice(
        *token, "--role", arguments.token.role, "ROLE", {"viewer", "operator", "admin"},
        "Of create: what it may do: viewer looks, operator (as without this) books and releases, admin does all.");
    add(token->add_option("--service", arguments.token.service, "Of create: only for the leases of this one."),
        {.value = "NAME"});
    add(token->add_option("--name", arguments.token.name, "Of create: to tell it from others."), {.value = "NAME"});
    add_checked(*token, "--expires", arguments.token.expires, "TIME", check_duration,
                "Of create: good for so long, such as 90d; else until it is revoked.");
    add_file(*token, "--state-dir", arguments.state_dir, "FOLDER", "That of gpukeeper serve, where it keeps them.");
    add_flag(*token, "--json", arguments.json, "As JSON.");
  }

  static std::vector<std::string> config_keys(std::string_view end) {
    std::vector<std::string> names;
    for (const config::Key& key : config::key_table()) names.push_back(std::string(key.name) + std::string(end));
    return names;
  }

  static std::vector<std::string> key_names() {
    std::vector<std::string> names;
    for (const IdentityRow& row : identity_table()) names.emplace_back(row.name);
    for (const MetricRow& row : metric_table()) names.emplace_back(row.name);
    return names;
  }

  // What was typed and is nothing that we know, with what was likely meant.
  std::string unexpected() const {
    const auto rest = app().remaining(true);
    const std::string word = rest.empty() ? std::string() : harmless(rest.front());
    const auto all = tree();
    const std::string given = command();
    std::vector<std::string_view> known;
    std::string_view what = "command";
    if (word.starts_with('-')) {
      what = "option";
      for (const OptionFacts& option : all.options) known.insert(known.end(), option.names.begin(), option.names.end());
      for (const CommandFacts& each : all.commands) {
        if (each.name != given) continue;
        for (const OptionFacts& option : each.options)
          known.insert(known.end(), option.names.begin(), option.names.end());
      }
    } else if (!given.empty()) {
      return fmt::format("{} takes no argument '{}'", given, word);
    } else {
      for (const CommandFacts& each : all.commands) known.push_back(each.name);
    }
    const auto meant = nearest(word.substr(0, word.find('=')), known);
    if (!meant.empty()) return fmt::format("there is no {} '{}': did you mean {}?", what, word, meant);
    return fmt::format("there is no {} '{}': gpukeeper{}{} --help lists them", what, word, given.empty() ? "" : " ",
                       given);
  }

  // The parser's own messages, without its shouting.
  std::string sentence(std::string text) const {
    text = harmless(text);
    if (const auto at = text.find(" required TEXT missing"); at != std::string::npos) {
      return text.substr(0, text.find(':')) + " needs a value";
    }
    if (const auto at = text.find(" was given a disallowed flag override"); at != std::string::npos) {
      return "--" + text.substr(0, at) + " takes no value";
    }
    if (text == "file is required") return command() + " needs a file to make";
    if (text == "memory is required" && command() == "plan") return "plan needs a size: gpukeeper plan 40GiB";
    if (text == "lease is required") return command() + " needs a lease's number: gpukeeper leases shows them";
    if (command() == "allocate" && text.ends_with(" is required")) {
      return "allocate needs a service and how much memory: gpukeeper allocate embedding-service 4096";
    }
    if (text == "action is required" && command() == "monitoring") {
      return "monitoring needs an action: start, stop, status or health";
    }
    if (text == "action is required") return "config needs an action: show, get, set, check, schema or diff";
    if (text == "shell is required") return "completion needs a shell: bash, zsh or fish";
    if (const auto at = text.find(": takes "); at != std::string::npos) text.erase(at, 1);
    return text;
  }
};

Parser::Parser(Arguments& arguments) : declared_(std::make_unique<Declared>(arguments)) {}
Parser::~Parser() = default;

std::optional<Parser::Answer> Parser::parse(int argc, const char* const* argv, std::size_t width) {
  return declared_->parse(argc, argv, width);
}

std::string Parser::command() const {
  return declared_->command();
}

CommandTree Parser::tree() const {
  return declared_->tree();
}

}  // namespace gpukeeper::cli
