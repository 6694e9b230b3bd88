#include "format/lease_request_json.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

constexpr int kDeepest = 2;             // an object in an object; the parser takes more, but whoever walks it recurses
constexpr std::size_t kMostKeys = 256;  // metadata's too: an object in order is searched from its beginning
constexpr double kLongestWait = 86'400;
constexpr double kLongestTtl = 31 * 86'400.0;
constexpr double kLongestLife = 3'660 * 86'400.0;

/// One member: what it is called, what completes "it takes …", and how its value gets where it belongs.
template <class Into>
struct Member {
  std::string_view name;
  std::string_view takes;
  bool (*take)(const Json& value, Into& into);  // false: not a value that it takes
};

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

std::string shown(const Json& value) {
  return fit(harmless(dump(value, false)), 60);
}

// The document, when it is an object whose members stand once and are not nested without end.
Result<Json> object_of(std::string_view text) {
  std::set<std::string> seen;
  std::optional<std::string> twice;
  bool deep = false;
  std::size_t keys = 0;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest) deep = true;
    if (event == Json::parse_event_t::key) {
      ++keys;
      if (depth == 1 && !seen.insert(parsed.get<std::string>()).second) twice = parsed.get<std::string>();
    }
    return !deep && keys <= kMostKeys;
  };
  Json document = Json::parse(text, watch, false);
  if (deep) return wrong("the body is nested too deeply; members are numbers, texts and flags, metadata holds texts");
  if (keys > kMostKeys) return wrong(fmt::format("the body has more than {} members", kMostKeys));
  if (!document.is_object()) {
    return wrong("the body must be a JSON object such as {\"service\": \"embedding\", \"min_bytes\": 1073741824}");
  }
  if (twice) return wrong(fmt::format("{} stands twice in the body", fit(harmless(*twice), 60)));
  return document;
}

template <class Into, std::size_t Count>
Result<Into> read(std::string_view text, const Member<Into> (&members)[Count]) {
  const auto document = object_of(text);
  if (!document) return tl::make_unexpected(document.error());
  Into into;
  for (const auto& [name, value] : document->items()) {
    const auto* const known = std::ranges::find(members, name, &Member<Into>::name);
    if (known == std::end(members)) {
      std::vector<std::string_view> names;
      for (const auto& member : members) names.push_back(member.name);
      return wrong(
          fmt::format("'{}' is not known here; known are {}", fit(harmless(name), 60), fmt::join(names, ", ")));
    }
    if (value.is_null() || known->take(value, into)) continue;
    return wrong(fmt::format("{} is {}; it takes {}", name, shown(value), known->takes));
  }
  return into;
}

// What values are.

bool take(const Json& value, std::string& into) {
  if (!value.is_string()) return false;
  into = value.get<std::string>();
  return true;
}

bool take(const Json& value, bool& into) {
  if (!value.is_boolean()) return false;
  into = value.get<bool>();
  return true;
}

// A whole number that is written as one: 1.0 and 1e9 are not.
template <class Number>
bool take_whole(const Json& value, std::int64_t least, std::uint64_t most, Number& into) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > most || (least > 0 && number < static_cast<std::uint64_t>(least))) return false;
    into = static_cast<Number>(number);
    return true;
  }
  const auto number = value.get<std::int64_t>();
  if (number < least || (number > 0 && static_cast<std::uint64_t>(number) > most)) return false;
  into = static_cast<Number>(number);
  return true;
}

bool take(const Json& value, Bytes& into) {
  std::uint64_t bytes = 0;
  if (!take_whole(value, 0, kMostLeaseBytes, bytes)) return false;
  into = Bytes(bytes);
  return true;
}

// From `least` seconds on; a comparison with a NaN, if ever one came, is false.
bool take_seconds(const Json& value, double least, double most, std::optional<Nanoseconds>& into) {
  const double seconds = value.is_number() ? value.get<double>() : -1;
  if (!(seconds >= least && seconds <= most)) return false;
  into = std::chrono::round<Nanoseconds>(std::chrono::duration<double>(seconds));
  return true;
}

bool take_wait(const Json& value, std::optional<Nanoseconds>& into) {
  if (!take_seconds(value, 0, kLongestWait, into)) return false;
  if (into->count() == 0) into.reset();  // not to wait is to be refused at once
  return true;
}

bool take(const Json& value, Metadata& into) {
  if (!value.is_object()) return false;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return false;
    into.emplace_back(key, text.get<std::string>());
  }
  return true;
}

bool take(const Json& value, LeaseWish::Owner& into) {
  constexpr std::pair<std::string_view, LeaseWish::Owner> kOwners[] = {{"standing", LeaseWish::Owner::standing},
                                                                       {"process", LeaseWish::Owner::process},
                                                                       {"connection", LeaseWish::Owner::connection},
                                                                       {"heartbeat", LeaseWish::Owner::heartbeat}};
  std::string word;
  if (!take(value, word)) return false;
  for (const auto& [name, owner] : kOwners) {
    if (name != word) continue;
    into = owner;
    return true;
  }
  return false;
}

bool take(const Json& value, std::optional<Strategy>& into) {
  std::string word;
  if (!take(value, word)) return false;
  into = parse_strategy(word);
  return into.has_value();
}

constexpr std::string_view kTakesBytes = "a whole number of bytes from 0 to 9007199254740991";
constexpr std::string_view kTakesText = "a text";
constexpr std::string_view kTakesFlag = "true or false";
static_assert(kMostLeaseBytes == 9'007'199'254'740'991);

constexpr Member<LeaseWish> kWish[] = {
    {"service", kTakesText, [](const Json& v, LeaseWish& w) { return take(v, w.request.service); }},
    {"min_bytes", kTakesBytes, [](const Json& v, LeaseWish& w) { return take(v, w.request.min); }},
    {"max_bytes", kTakesBytes, [](const Json& v, LeaseWish& w) { return take(v, w.request.max.emplace(0)); }},
    {"name", kTakesText, [](const Json& v, LeaseWish& w) { return take(v, w.request.name); }},
    {"request_id", kTakesText, [](const Json& v, LeaseWish& w) { return take(v, w.request.request_id); }},
    {"device", "an index, a UUID or a PCI address, as a text",
     [](const Json& v, LeaseWish& w) { return take(v, w.request.device); }},
    {"require_device", kTakesFlag, [](const Json& v, LeaseWish& w) { return take(v, w.request.require_device); }},
    {"devices", "a whole number from 1 to 1024",
     [](const Json& v, LeaseWish& w) { return take_whole(v, 1, kMostLeaseDevices, w.request.devices); }},
    {"exclusive", kTakesFlag, [](const Json& v, LeaseWish& w) { return take(v, w.request.exclusive); }},
    {"priority", "a whole number from -100 to 100",
     [](const Json& v, LeaseWish& w) {
       return take_whole(v, -kMostPriority, kMostPriority, w.request.priority.emplace(0));
     }},
    {"strategy", "most_free, best_fit, spread, pack or coolest",
     [](const Json& v, LeaseWish& w) { return take(v, w.request.strategy); }},
    {"owner", "standing, process, connection or heartbeat",
     [](const Json& v, LeaseWish& w) { return take(v, w.owner); }},
    {"pid", "a whole number from 1 to 4194304",  // PID_MAX_LIMIT of Linux
     [](const Json& v, LeaseWish& w) { return take_whole(v, 1, 4'194'304, w.pid.emplace(0)); }},
    {"ttl_seconds", "seconds from 0.1 to 2678400",
     [](const Json& v, LeaseWish& w) { return take_seconds(v, 0.1, kLongestTtl, w.ttl); }},
    {"lifetime_seconds", "seconds from 0.1 to 316224000",
     [](const Json& v, LeaseWish& w) { return take_seconds(v, 0.1, kLongestLife, w.request.lifetime); }},
    {"wait_seconds", "seconds from 0 to 86400",
     [](const Json& v, LeaseWish& w) { return take_wait(v, w.request.wait); }},
    {"metadata", "an object of texts", [](const Json& v, LeaseWish& w) { return take(v, w.request.metadata); }},
};
static_assert(kMostPriority == 100 && kMostLeaseDevices == 1024);

// With what is no generation of any lease the answer would be "over", which is true but no help.
constexpr Member<LeaseTerms> kTerms[] = {
    {"min_bytes", kTakesBytes, [](const Json& v, LeaseTerms& t) { return take(v, t.min.emplace(0)); }},
    {"max_bytes", kTakesBytes, [](const Json& v, LeaseTerms& t) { return take(v, t.max.emplace(0)); }},
    {"generation", "a whole number from 1 to 4294967295",
     [](const Json& v, LeaseTerms& t) {
       return take_whole(v, 1, std::numeric_limits<std::uint32_t>::max(), t.generation.emplace(0));
     }},
};

}  // namespace

Result<LeaseWish> parse_lease_wish(std::string_view json) {
  auto wish = read(json, kWish);
  if (!wish) return wish;
  if (wish->pid && wish->owner != LeaseWish::Owner::process) {
    return wrong("pid names the process of an owner \"process\", and of no other");
  }
  if (wish->ttl.has_value() != (wish->owner == LeaseWish::Owner::heartbeat)) {
    return wrong("ttl_seconds says how soon an owner \"heartbeat\" is given up: one comes with the other");
  }
  return wish;
}

Result<LeaseTerms> parse_lease_terms(std::string_view json) {
  auto terms = read(json, kTerms);
  if (terms && !terms->min) return wrong("min_bytes is missing: what the lease is to be guaranteed");
  return terms;
}

}  // namespace gpukeeper
