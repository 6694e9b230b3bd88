#include "service/alerts_answer.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "attribution/users.hpp"
#include "core/display_text.hpp"
#include "format/alerts_json.hpp"
#include "format/json_text.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::size_t kLongestBody = 16 << 10;

Response refused(const Error& error) {
  const std::string detail = harmless(error.message);
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, "bad_request", detail);
    case Errc::not_permitted: return problem(403, "not_permitted", detail);
    case Errc::not_found: return problem(404, "not_found", detail);
    case Errc::resource_exhausted: return problem(409, "too_many", detail);
    case Errc::unavailable: return problem(503, "unavailable", detail);
    default: return problem(500, "internal", detail);
  }
}

Response done_or_refused(const Result<void>& answer) {
  if (!answer) return refused(answer.error());
  Response response;
  response.status = 204;
  return response;
}

// The name of who asks, as the unix socket vouches for it.
std::string name_of(const Request& request) {
  if (!request.peer->credentials) return request.who.name;
  const RealFiles files;
  return Users(files).name(request.peer->credentials->uid, MonotonicTime{});
}

// A body's members, all of them texts; none for an empty body.
using Members = std::map<std::string, std::string>;

Result<Members> members_of(const Request& request, std::initializer_list<std::string_view> known) {
  Members result;
  if (request.body.empty()) return result;
  if (request.body.size() > kLongestBody) return fail(Errc::invalid_argument, "the body is too long");
  const Json document = Json::parse(request.body, nullptr, false);
  if (document.is_discarded() || !document.is_object()) {
    return fail(Errc::invalid_argument, "the body must be a JSON object");
  }
  for (const auto& [name, value] : document.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      return fail(Errc::invalid_argument, fmt::format("there is no member '{}'; there are {}", fit(harmless(name), 40),
                                                      fmt::join(known, ", ")));
    }
    if (value.is_null()) continue;
    if (!value.is_string()) {
      return fail(Errc::invalid_argument, fmt::format("'{}' must be a text", name));
    }
    result[name] = value.get<std::string>();
  }
  return result;
}

std::string member(const Members& members, const std::string& name, const std::string& otherwise = "") {
  const auto found = members.find(name);
  return found == members.end() || found->second.empty() ? otherwise : found->second;
}

// Nothing where there is none.
Result<std::optional<std::chrono::nanoseconds>> length_of(const Members& members) {
  const std::string text = member(members, "for");
  if (text.empty()) return std::optional<std::chrono::nanoseconds>();
  const auto seconds = yaml::parse_duration(text);
  if (!seconds || !(*seconds > 0 && *seconds < 1e9)) {
    return fail(Errc::invalid_argument,
                fmt::format("'for' takes a duration such as 90s or 2h, not '{}'", fit(harmless(text), 40)));
  }
  return std::optional(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(*seconds)));
}

Result<AlertMatcher> matcher_of(const Members& members) {
  AlertMatcher matcher{.rule = member(members, "rule", "*"), .device = member(members, "device", "*")};
  if (const std::string level = member(members, "level"); !level.empty()) {
    matcher.level = parse_alert_level(level);
    if (!matcher.level) {
      return fail(Errc::invalid_argument,
                  fmt::format("'level' is info, warning or critical, not '{}'", fit(harmless(level), 40)));
    }
  }
  return matcher;
}

}  // namespace

Response alerts_answer(const Request& request, const Snapshot& snapshot) {
  if (snapshot.sequence == 0) return starting();
  AlertQuery query;
  for (const auto& [name, value] : request.query) {
    if (name == "device") {
      query.devices.push_back(value);
    } else if (name == "all" && (value == "true" || value == "1" || value == "false" || value == "0")) {
      query.all = value == "true" || value == "1";
    } else {
      return problem(400, "unknown_parameter", "the parameters known here are all=true and device=INDEX or UUID");
    }
  }
  const auto chosen = choose_alerts(snapshot, query);
  if (!chosen) return refused(chosen.error());
  return json_answer(200, alerts_json(*chosen, snapshot, false) + "\n");
}

Response silences_answer(const SilenceList& silences) {
  return json_answer(200, silences_json(silences, false) + "\n");
}

Response acknowledge(const Request& request, const AlertCommands& commands) {
  const auto members = members_of(request, {"for", "comment"});
  if (!members) return refused(members.error());
  const auto length = length_of(*members);
  if (!length) return refused(length.error());
  return ask_engine<void>(
      commands.post,
      [id = request.parameters.at("id"), by = name_of(request), length = *length,
       comment = member(*members, "comment")](Engine& engine) {
        return engine.andon().acknowledge(id, by, length, comment);
      },
      done_or_refused);
}

Response unacknowledge(const Request& request, const AlertCommands& commands) {
  return ask_engine<void>(
      commands.post,
      [id = request.parameters.at("id")](Engine& engine) { return engine.andon().withdraw_acknowledgement(id); },
      done_or_refused);
}

Response begin_silence(const Request& request, const AlertCommands& commands) {
  const auto refuse = [&](Response refusal) {
    if (commands.done) commands.done(nullptr);
    return refusal;
  };
  const auto members = members_of(request, {"rule", "device", "level", "for", "comment"});
  if (!members) return refuse(refused(members.error()));
  const auto length = length_of(*members);
  if (!length) return refuse(refused(length.error()));
  if (!*length) {
    return refuse(problem(400, "bad_request", "'for' says how long it lasts, such as 2h; a silence always has an end"));
  }
  const auto matcher = matcher_of(*members);
  if (!matcher) return refuse(refused(matcher.error()));
  const auto respond = [](const Result<Silence>& silence) {
    return silence ? json_answer(201, silence_json(*silence) + "\n") : refused(silence.error());
  };
  return ask_engine<Silence>(
      commands.post,
      [matcher = *matcher, length = **length, by = name_of(request), comment = member(*members, "comment"), respond,
       done = commands.done](Engine& engine) {
        auto silence = engine.andon().silence(matcher, length, by, comment);
        const Response answer = respond(silence);
        if (done) done(silence ? &answer : nullptr);
        return silence;
      },
      respond);
}

Response end_silence(const Request& request, const AlertCommands& commands) {
  return ask_engine<void>(
      commands.post, [id = request.parameters.at("id")](Engine& engine) { return engine.andon().end_silence(id); },
      done_or_refused);
}

}  // namespace gpukeeper::service
