#include "cli/config.hpp"

#include <optional>

#include <fmt/format.h>

#include "classify/classifier.hpp"
#include "client/daemon.hpp"
#include "config/example.hpp"
#include "config/report.hpp"
#include "config/schema.hpp"
#include "core/display_text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {

using config::Assignment;
using config::Difference;
using config::Key;
using config::LiveConfig;

namespace {

constexpr std::string_view kRoute = "/api/v1/config";

// The daemon to ask; nothing when none runs and none was named.
Result<std::optional<client::Daemon>> daemon_of(const ConfigOptions& options, const Context& context) {
  if (options.local) return std::nullopt;
  auto daemon = client::Daemon::find(options.daemon, context.environment);
  if (daemon) return std::optional(std::move(*daemon));
  const bool named = client::Daemon::is_named(options.daemon, context.environment);
  if (daemon.error().code == Errc::not_found && !named) return std::nullopt;
  return tl::make_unexpected(daemon.error());
}

// As GET /api/v1/config has it: the daemon's, or what this command would go by.
Result<Json> present(const ConfigOptions& options, const Context& context) {
  const auto daemon = daemon_of(options, context);
  if (!daemon) return tl::make_unexpected(daemon.error());
  Result<std::string> text = "";
  if (*daemon) {
    text = (*daemon)->ask("GET", kRoute);
  } else {
    const auto live = LiveConfig::open(options.sources);
    text = live ? Result<std::string>(config::report(live->now(), live->path()))
                : Result<std::string>(tl::make_unexpected(live.error()));
  }
  if (!text) return tl::make_unexpected(text.error());
  Json document = Json::parse(*text, nullptr, false);
  if (document.is_object() && document.contains("keys") && document["keys"].is_array()) return document;
  return fail(Errc::internal, "the daemon's answer is no configuration: is it of another version?");
}

// A member that is a text; empty otherwise.
std::string text(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? harmless(found->get<std::string>()) : std::string();
}

Json value(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? Json() : *found;
}

std::string bare(const Json& value) {
  return harmless(value.is_string() ? value.get<std::string>() : dump(value, false));
}

std::string line(const Json& key, bool origin) {
  std::string result = text(key, "key") + ": " + harmless(dump(value(key, "value"), false));
  std::string comment = text(key, "unit");
  if (origin) {
    const std::string place = text(key, "place");
    comment += (comment.empty() ? "" : ", ") + text(key, "origin") + (place.empty() ? "" : " " + place);
  }
  return result + (comment.empty() ? "" : "  # " + comment) + "\n";
}

Exit show(const ConfigOptions& options, Context& context) {
  const auto document = present(options, context);
  if (!document) return tl::make_unexpected(document.error());
  if (options.json) return print(context, dump(*document, true) + "\n");
  std::string page;
  if (const auto file = text(*document, "file"); !file.empty()) page = "# " + file + "\n";
  for (const Json& key : (*document)["keys"]) page += line(key, options.origin);
  return print(context, page);
}

Exit get(const ConfigOptions& options, Context& context) {
  if (options.words.size() != 1) return fail(Errc::invalid_argument, "config get takes one KEY, such as temp_throttle");
  const std::string& name = options.words.front();
  if (!config::find_key(name)) return fail(Errc::invalid_argument, harmless(config::no_such_key(name)));
  const auto document = present(options, context);
  if (!document) return tl::make_unexpected(document.error());
  for (const Json& key : (*document)["keys"]) {
    if (text(key, "key") != name) continue;
    return print(context, options.json ? dump(key, true) + "\n" : bare(value(key, "value")) + "\n");
  }
  return fail(Errc::not_found, fmt::format("the daemon knows no key '{}': is it of another version?", name));
}

std::string sentences(const std::vector<std::string>& changes) {
  std::string page;
  for (const std::string& each : changes) page += each + "\n";
  return page.empty() ? "nothing changes\n" : page;
}

std::string sentences(const std::vector<Difference>& differences) {
  std::vector<std::string> lines;
  for (const Difference& each : differences) lines.push_back(harmless(to_string(each)));
  return sentences(lines);
}

// {"log": {"level": "debug"}} of log.level=debug. What is no value of its key is said here.
Result<Json> patch_of(const std::vector<Assignment>& assignments) {
  Json patch = Json::object();
  std::vector<std::string> wrong;
  for (const Assignment& each : assignments) {
    const Key* key = config::find_key(each.key);
    config::Settings settings;
    config::Mistakes mistakes;
    key->take(settings, each.value, mistakes);
    for (const auto& mistake : mistakes.take()) wrong.push_back(mistake.text);
    std::string pointer = "/" + each.key;
    std::ranges::replace(pointer, '.', '/');
    patch[Json::json_pointer(pointer)] = Json::parse(key->show(settings));
  }
  if (!wrong.empty()) return tl::make_unexpected(config::refusal(wrong));
  return patch;
}

Exit set_in_daemon(const client::Daemon& daemon, const std::vector<Assignment>& assignments,
                   const ConfigOptions& options, Context& context) {
  const auto patch = patch_of(assignments);
  if (!patch) return tl::make_unexpected(patch.error());
  const auto answer =
      daemon.ask("PATCH", fmt::format("{}{}", kRoute, options.save ? "?save=true" : ""), dump(*patch, false));
  if (!answer) return tl::make_unexpected(answer.error());
  if (options.json) return print(context, *answer);
  const Json document = Json::parse(*answer, nullptr, false);
  std::vector<std::string> lines;
  for (const Json& each : document.is_object() ? value(document, "changed") : Json()) {
    const std::string unit = text(each, "unit");
    lines.push_back(fmt::format("{}: {} to {}{}{}", text(each, "key"), harmless(dump(value(each, "from"), false)),
                                harmless(dump(value(each, "to"), false)), unit.empty() ? "" : " " + unit,
                                text(each, "change") == "restart" ? ", with a restart" : ""));
  }
  return print(context, sentences(lines));
}

// Without a daemon there is nothing but the file to change.
Exit set_in_file(const std::vector<Assignment>& assignments, const ConfigOptions& options, Context& context) {
  config::Sources sources = options.sources;
  sources.must_be_there = false;
  sources.command_line.clear();
  auto live = LiveConfig::open(std::move(sources));
  if (!live) return tl::make_unexpected(live.error());
  const auto changed = live->set(assignments, true);
  if (!changed) return tl::make_unexpected(changed.error());
  if (options.json) return print(context, config::report(changed->differences, true));
  return print(context, sentences(changed->differences) +
                            fmt::format("written to {}; no daemon runs that could take it\n", harmless(live->path())));
}

Exit set(const ConfigOptions& options, Context& context) {
  if (options.words.empty()) {
    return fail(Errc::invalid_argument, "config set takes KEY=VALUE, such as temp_throttle=85");
  }
  std::vector<Assignment> assignments;
  for (const std::string& word : options.words) {
    auto each = config::parse_assignment(word, "");
    if (!each) return tl::make_unexpected(each.error());
    assignments.push_back(std::move(*each));
  }
  const auto daemon = daemon_of(options, context);
  if (!daemon) return tl::make_unexpected(daemon.error());
  return *daemon ? set_in_daemon(**daemon, assignments, options, context) : set_in_file(assignments, options, context);
}

// The file by itself: neither the environment nor the command line makes it whole.
Result<LiveConfig> open_alone(const std::string& path) {
  auto live = LiveConfig::open({.path = path});
  if (!live || !live->now().settings.rules) return live;
  const auto rules = Classifier::load(*live->now().settings.rules);
  if (!rules) return tl::make_unexpected(rules.error());
  return live;
}

Exit check(const ConfigOptions& options, Context& context) {
  if (options.words.size() != 1) return fail(Errc::invalid_argument, "config check takes one FILE");
  const auto live = open_alone(options.words.front());
  if (!live) return tl::make_unexpected(live.error());
  return print(context, harmless(options.words.front()) + " is well\n");
}

// What would change if the file were the configuration; without one, what is not as it is by itself.
Exit diff(const ConfigOptions& options, Context& context) {
  if (options.words.size() > 1) return fail(Errc::invalid_argument, "config diff takes one FILE, or none");
  const auto document = present(options, context);
  if (!document) return tl::make_unexpected(document.error());
  config::Settings other;
  const bool to_file = !options.words.empty();
  if (to_file) {
    const auto live = open_alone(options.words.front());
    if (!live) return tl::make_unexpected(live.error());
    other = live->now().settings;
  }
  std::vector<Difference> differences;
  for (const Json& each : (*document)["keys"]) {
    const Key* key = config::find_key(text(each, "key"));
    if (!key || Json::parse(key->published(other)) == value(each, "value")) continue;
    Difference difference{key, dump(value(each, "value"), false), key->published(other)};
    if (!to_file) std::swap(difference.from, difference.to);
    differences.push_back(std::move(difference));
  }
  return print(context, options.json ? config::report(differences, false) : sentences(differences));
}

}  // namespace

Exit config(const ConfigOptions& options, Context& context) {
  if (options.action == "get") return get(options, context);
  if (options.action == "set") return set(options, context);
  if (options.action == "check") return check(options, context);
  if (options.action == "diff") return diff(options, context);
  if (!options.words.empty()) {
    return fail(Errc::invalid_argument,
                fmt::format("config {} takes no argument '{}'", options.action, harmless(options.words.front())));
  }
  if (options.action == "schema") return print(context, options.markdown ? config::page() : config::schema());
  if (options.action == "example") return print(context, config::example());
  return show(options, context);
}

}  // namespace gpukeeper::cli
