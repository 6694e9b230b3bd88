#include "cli/alerts.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "cli/alerts_page.hpp"
#include "cli/sink_trial.hpp"
#include "cli/stretch.hpp"
#include "client/daemon.hpp"
#include "core/display_text.hpp"
#include "core/nearest.hpp"
#include "core/text.hpp"
#include "engine/playback.hpp"
#include "format/alert_rules.hpp"
#include "format/columns.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

using std::chrono::nanoseconds;

constexpr std::array<std::string_view, 7> kActions = {"ack",      "unack", "silence", "unsilence",
                                                      "silences", "rules", "test"};

Result<client::Daemon> daemon(const AlertsOptions& options, const Context& context) {
  return client::Daemon::find(options.daemon, context.environment);
}

std::size_t pending_of(const AlertList& alerts) {
  return static_cast<std::size_t>(
      std::ranges::count_if(alerts, [](const Alert& a) { return a.phase != AlertPhase::firing; }));
}

std::string gpus(std::size_t count) {
  return fmt::format("{} GPU{}", count, count == 1 ? "" : "s");
}

// What stands in a path: an id is a number.
Result<std::string> id_of(const std::vector<std::string>& words) {
  const auto example = fmt::format("gpukeeper alerts {} 7", words.front());
  if (words.size() != 2) {
    return fail(Errc::invalid_argument,
                fmt::format("{} takes one id, as gpukeeper alerts{} shows it: {}", words.front(),
                            words.front() == "unsilence" ? " silences" : "", example));
  }
  if (parse_u64(words[1]) && std::ranges::all_of(words[1], [](char c) { return c >= '0' && c <= '9'; })) {
    return words[1];
  }
  return fail(Errc::invalid_argument, fmt::format("an id is a number, not '{}': {}", harmless(words[1]), example));
}

std::string seconds_text(nanoseconds time) {
  return fmt::format("{}s", std::chrono::duration<double>(time).count());
}

Exit acknowledge(const AlertsOptions& options, Context& context) {
  const auto id = id_of(options.words);
  if (!id) return tl::make_unexpected(id.error());
  const auto there = daemon(options, context);
  if (!there) return tl::make_unexpected(there.error());
  const std::string target = fmt::format("/api/v1/alerts/{}/ack", *id);
  if (options.words.front() == "unack") {
    if (const auto answer = there->ask("DELETE", target); !answer) return tl::make_unexpected(answer.error());
    return print(context, fmt::format("alert {} is not acknowledged any more\n", *id));
  }
  Json body = Json::object();
  if (options.length) body["for"] = seconds_text(*options.length);
  if (!options.comment.empty()) body["comment"] = options.comment;
  const auto answer = there->ask("POST", target, dump(body, false));
  if (!answer) return tl::make_unexpected(answer.error());
  return print(context, fmt::format("alert {} is acknowledged{}\n", *id,
                                    options.length ? " for " + age_text(*options.length) : ", as long as it lasts"));
}

// "rule=thermal device=0 level=warning"; a word alone is a rule.
Result<Json> matcher_of(const std::vector<std::string>& words) {
  Json body = Json::object();
  for (auto word = words.begin() + 1; word != words.end(); ++word) {
    const auto at = word->find('=');
    const std::string name = at == std::string::npos ? "rule" : word->substr(0, at);
    const std::string value = at == std::string::npos ? *word : word->substr(at + 1);
    if (name != "rule" && name != "device" && name != "level") {
      return fail(Errc::invalid_argument,
                  fmt::format("what to silence is said by rule=…, device=… and level=…, not '{}'", harmless(*word)));
    }
    if (body.contains(name)) return fail(Errc::invalid_argument, fmt::format("{}= stands twice", name));
    body[name] = value;
  }
  if (body.empty()) {
    return fail(Errc::invalid_argument,
                "say what to silence: gpukeeper alerts silence rule=thermal device=0 --for 2h; rule=* is everything");
  }
  return body;
}

Exit silence(const AlertsOptions& options, Context& context) {
  auto body = matcher_of(options.words);
  if (!body) return tl::make_unexpected(body.error());
  if (!options.length) return fail(Errc::invalid_argument, "a silence needs an end: --for 2h");
  const auto there = daemon(options, context);
  if (!there) return tl::make_unexpected(there.error());
  (*body)["for"] = seconds_text(*options.length);
  if (!options.comment.empty()) (*body)["comment"] = options.comment;
  const auto answer = there->ask("POST", "/api/v1/silences", dump(*body, false));
  if (!answer) return tl::make_unexpected(answer.error());
  const auto made = Json::parse(*answer, nullptr, false);
  const std::string id = made.is_object() ? made.value("id", "") : "";
  return print(context, fmt::format("silence {} lasts {}\n", harmless(id), age_text(*options.length)));
}

Exit end_silence(const AlertsOptions& options, Context& context) {
  const auto id = id_of(options.words);
  if (!id) return tl::make_unexpected(id.error());
  const auto there = daemon(options, context);
  if (!there) return tl::make_unexpected(there.error());
  const auto answer = there->ask("DELETE", fmt::format("/api/v1/silences/{}", *id));
  if (!answer) return tl::make_unexpected(answer.error());
  return print(context, fmt::format("silence {} has ended\n", *id));
}

Exit list_silences(const AlertsOptions& options, Context& context) {
  const auto there = daemon(options, context);
  if (!there) return tl::make_unexpected(there.error());
  const auto answer = there->ask("GET", "/api/v1/silences");
  if (!answer) return tl::make_unexpected(answer.error());
  const auto silences = parse_silences(*answer);
  if (!silences) return tl::make_unexpected(silences.error());
  if (options.json) return print(context, silences_json(*silences, true) + "\n");
  return print(context, render_silences(*silences, render_options(context)));
}

Exit rules(const AlertsOptions& options, Context& context) {
  if (options.json) return print(context, rules_json(true) + "\n");
  return print(context, render_alert_rules(render_options(context)));
}

// The indices of these devices in the daemon's document, as they are written there.
// Errors: not_found for a device that it does not watch.
Result<std::set<std::string>> indices_of(const Json& document, const std::vector<std::string>& selectors) {
  std::set<std::string> chosen;
  for (const std::string& selector : selectors) {
    bool found = false;
    for (const Json& d : document.value("devices", Json::array())) {
      if (!d.is_object() || !d.contains("index") || !d.contains("uuid")) continue;
      if (d["index"].dump() != selector && d["uuid"] != selector) continue;
      chosen.insert(d["index"].dump());
      found = true;
    }
    if (!found) {
      return fail(Errc::not_found,
                  fmt::format("there is no GPU '{}': gpukeeper status lists them", harmless(selector)));
    }
  }
  return chosen;
}

// Whether a device is one of these, or an alert is about one of them or a partition of it.
bool is_of(const Json& object, const std::set<std::string>& indices) {
  return object.is_object() && object.contains("index") && indices.contains(object["index"].dump());
}

// Of these devices.
Lamp lamp_of(const Json& document, const std::set<std::string>& indices) {
  Lamp worst = Lamp::off;
  for (const Json& device : document.value("devices", Json::array())) {
    if (!is_of(device, indices)) continue;
    for (const Lamp lamp : {Lamp::green, Lamp::yellow, Lamp::red}) {
      if (device.value("lamp", "") == to_string(lamp)) worst = std::max(worst, lamp);
    }
  }
  return worst;
}

// Leaves in the daemon's document only what is about these devices.
void keep_alerts_of(Json& document, const std::set<std::string>& indices) {
  Json kept = Json::array();
  for (const Json& alert : document.value("alerts", Json::array())) {
    if (is_of(alert, indices)) kept.push_back(alert);
  }
  document["alerts"] = std::move(kept);
}

Exit ask_daemon(const client::Daemon& there, const AlertsOptions& options, Context& context) {
  const auto answer = there.ask("GET", "/api/v1/alerts?all=true");
  if (!answer) return tl::make_unexpected(answer.error());
  Json json = Json::parse(*answer, nullptr, false);
  if (!json.is_object()) json = Json::object();
  const auto indices = indices_of(json, options.devices);
  if (!indices) return tl::make_unexpected(indices.error());
  if (!indices->empty()) keep_alerts_of(json, *indices);
  auto document = parse_alerts(dump(json, false));
  if (!document) return tl::make_unexpected(document.error());
  const Lamp lamp = indices->empty() ? document->lamp : lamp_of(json, *indices);
  const int status = options.check ? status_of(lamp) : 0;
  AlertsView view{.document = std::move(*document), .all = options.all};
  view.document.lamp = lamp;
  view.watched = gpus(indices->empty() ? view.document.devices : indices->size()) + ", by gpukeeper serve";
  if (!options.all) {
    view.others = pending_of(view.document.alerts);
    std::erase_if(view.document.alerts, [](const Alert& a) { return a.phase != AlertPhase::firing; });
    json["alerts"].erase(std::remove_if(json["alerts"].begin(), json["alerts"].end(),
                                        [](const Json& alert) { return alert.value("phase", "") != "firing"; }),
                         json["alerts"].end());
  }
  if (options.json) return print(context, dump(json, true) + "\n", status);
  RenderOptions page = render_options(context);
  page.now = view.document.taken_at;  // by the daemon's time, which may be played
  return print(context, render_alerts(view, page), status);
}

// Of these devices, which there are; of all, and of the machine, where none is named.
Lamp lamp_of(const Snapshot& snapshot, const std::vector<std::string>& devices) {
  if (devices.empty()) return snapshot.lamp;
  const auto chosen = select_devices(snapshot, devices);
  Lamp worst = Lamp::off;
  for (const DeviceSnapshot& device : chosen->devices) worst = std::max(worst, device.lamp);
  return worst;
}

Exit watch_and_tell(const AlertsOptions& options, Context& context) {
  const auto session =
      watch_stretch({.sources = context.settings.source, .length = options.length, .attribute = true}, context);
  if (!session) return tl::make_unexpected(session.error());
  const auto latest = (*session)->engine().snapshot();
  const Snapshot& snapshot = *latest;
  auto everything = choose_alerts(snapshot, {.all = true, .devices = options.devices});
  if (!everything) return tl::make_unexpected(everything.error());
  const auto chosen = choose_alerts(snapshot, {.all = options.all, .devices = options.devices});
  const Lamp lamp = lamp_of(snapshot, options.devices);
  const auto oldest = (*session)->engine().history()->facts().oldest.value_or(snapshot.monotonic);
  const int status = options.check ? status_of(lamp) : 0;
  if (options.json) return print(context, alerts_json(*chosen, snapshot, true) + "\n", status);
  AlertsView view{
      .document = alerts_document(snapshot, *chosen),
      .all = options.all,
      .others = options.all ? 0 : pending_of(*everything),
      .watched = fmt::format("{}, for {}",
                             gpus(options.devices.empty() ? snapshot.devices.size()
                                                          : select_devices(snapshot, options.devices)->devices.size()),
                             age_text(snapshot.monotonic - oldest))};
  view.document.lamp = lamp;
  RenderOptions page = render_options(context);
  page.now = snapshot.taken_at;  // of a machine whose time is played
  return print(context, render_alerts(view, page), status);
}

}  // namespace

int status_of(Lamp lamp) {
  switch (lamp) {
    case Lamp::green: return 0;
    case Lamp::yellow: return 3;
    case Lamp::red: return 4;
    case Lamp::off: return 5;
  }
  return 5;
}

std::vector<std::string> alert_actions() {
  return {kActions.begin(), kActions.end()};
}

Exit alerts(const AlertsOptions& options, Context& context) {
  if (options.schema) return print(context, alerts_schema());
  if (!options.words.empty()) {
    if (options.check) return fail(Errc::invalid_argument, "--check looks at the lamp: it goes with no action");
    const std::string& action = options.words.front();
    if (action == "ack" || action == "unack") return acknowledge(options, context);
    if (action == "silence") return silence(options, context);
    if (action == "unsilence") return end_silence(options, context);
    if (action == "test") {
      if (options.words.size() == 2) return try_sink_of(options.words[1], context);
      return fail(Errc::invalid_argument, "test takes the name of one sink: gpukeeper alerts test ops");
    }
    const bool known = std::ranges::find(kActions, action) != kActions.end();
    if (known && options.words.size() > 1) {
      return fail(Errc::invalid_argument,
                  fmt::format("alerts {} takes no argument '{}'", action, harmless(options.words[1])));
    }
    if (action == "silences") return list_silences(options, context);
    if (action == "rules") return rules(options, context);
    const auto meant = nearest(action, kActions);
    return fail(Errc::invalid_argument,
                fmt::format("alerts has no '{}': {}", harmless(action),
                            meant.empty() ? "there are ack, unack, silence, unsilence, silences, rules and test"
                                          : fmt::format("did you mean {}?", meant)));
  }
  // Who says how long to watch wants no memories.
  if ((options.sources.empty() && !options.length) || !options.daemon.empty()) {
    const auto there = daemon(options, context);
    if (there) return ask_daemon(*there, options, context);
    const bool named = client::Daemon::is_named(options.daemon, context.environment);
    if (there.error().code != Errc::not_found || named) return tl::make_unexpected(there.error());
  }
  return watch_and_tell(options, context);
}

}  // namespace gpukeeper::cli
