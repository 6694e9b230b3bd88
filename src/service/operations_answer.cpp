#include "service/operations_answer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/columns.hpp"
#include "format/json_text.hpp"
#include "ledger/lease_request.hpp"

namespace gpukeeper::service {
namespace {

constexpr double kMostTimes = 1e9;      // in one go
constexpr double kLongest = 86'400;     // s, of one operation
constexpr int kDeepest = 3;             // of nesting: a list of objects in an object
constexpr std::size_t kMostItems = 10;  // members of an object, and to spare

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

std::string shown(const Json& value) {
  return fit(harmless(dump(value, false)), 60);
}

bool take_text(const Json& value, std::string& into) {
  if (!value.is_string()) return false;
  into = value.get<std::string>();
  return !into.empty() && into.size() <= kLongestName;
}

bool take_device(const Json& value, ToldOperation& into) {
  if (value.is_null()) return true;
  return take_text(value, into.device);
}

bool take_count(const Json& value, ToldOperation& into) {
  if (!value.is_number_integer()) return false;
  const double count = value.get<double>();
  into.operation.count = count >= 1 && count <= kMostTimes ? static_cast<std::uint64_t>(count) : 0;
  return into.operation.count > 0;
}

bool take_seconds(const Json& value, ToldOperation& into) {
  if (value.is_null()) return true;
  const double seconds = value.is_number() ? value.get<double>() : -1;
  if (!(seconds >= 0 && seconds <= kLongest)) return false;
  into.operation.took = std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  return true;
}

struct Member {
  std::string_view name;
  std::string_view takes;
  bool (*take)(const Json& value, ToldOperation& into);
};

constexpr Member kMembers[] = {
    {"service", "a text of 1 to 256 bytes",
     [](const Json& v, ToldOperation& o) { return take_text(v, o.operation.service); }},
    {"operation", "a text of 1 to 256 bytes such as \"inference\"",
     [](const Json& v, ToldOperation& o) { return take_text(v, o.operation.operation); }},
    {"device", "an index, a UUID or a PCI address, as a text, or null", take_device},
    {"count", "a whole number from 1 to 1000000000", take_count},
    {"seconds", "how long each took: a number from 0 to 86400, or null", take_seconds},
};

Result<ToldOperation> operation_of(const Json& object) {
  if (!object.is_object()) {
    return wrong(fmt::format("{} is no operation: that is {{\"service\": \"embedding\", \"operation\": \"inference\"}}",
                             shown(object)));
  }
  ToldOperation told;
  for (const auto& [name, value] : object.items()) {
    const auto* const known = std::ranges::find(kMembers, name, &Member::name);
    if (known == std::end(kMembers)) {
      return wrong(fmt::format("'{}' is not known here; known are service, operation, device, count, seconds",
                               fit(harmless(name), 60)));
    }
    if (!known->take(value, told)) return wrong(fmt::format("{} is {}; it takes {}", name, shown(value), known->takes));
  }
  if (told.operation.service.empty()) return wrong("service is missing: whose operation it was");
  if (told.operation.operation.empty()) return wrong("operation is missing: what was done, such as \"inference\"");
  return told;
}

// Not nested without end, and no more than can be meant.
Json parsed(std::string_view text) {
  std::size_t members = 0;
  bool too_much = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json&) {
    if (event == Json::parse_event_t::key) ++members;
    if (depth > kDeepest || members > kMostItems * kMostOperations) too_much = true;
    return !too_much;
  };
  Json document = Json::parse(text, watch, false);
  return too_much ? Json() : document;
}

Response refusal(const Error& error) {
  const std::string detail = harmless(error.message);
  switch (error.code) {
    case Errc::not_found: return problem(404, "not_found", detail);
    case Errc::resource_exhausted: return problem(409, "too_many_kinds", detail);
    default: return problem(400, "invalid", detail);
  }
}

// The whole GPU's index, also of a partition.
Result<std::string> index_of(const std::string& selector, const Snapshot& snapshot) {
  if (selector.empty()) return std::string("none");
  const auto chosen = select_devices(snapshot, {&selector, 1});
  if (!chosen) return tl::make_unexpected(chosen.error());
  const DeviceSnapshot& device = chosen->devices.front();
  return fmt::format("{}", device.parent_index.value_or(device.index));
}

}  // namespace

Result<std::vector<ToldOperation>> parse_operations(std::string_view json) {
  const Json document = parsed(json);
  if (!document.is_object()) {
    return wrong("the body must be a JSON object such as {\"service\": \"embedding\", \"operation\": \"inference\"}");
  }
  const bool several = document.size() == 1 && document.contains("operations");
  if (!several) {
    auto one = operation_of(document);
    if (!one) return tl::make_unexpected(one.error());
    return std::vector{std::move(*one)};
  }
  const Json& list = document["operations"];
  if (!list.is_array() || list.empty() || list.size() > kMostOperations) {
    return wrong(fmt::format("operations takes a list of 1 to {} of them", kMostOperations));
  }
  std::vector<ToldOperation> all;
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto one = operation_of(list[i]);
    if (!one) return wrong(fmt::format("operations[{}]: {}", i, one.error().message));
    all.push_back(std::move(*one));
  }
  return all;
}

Response operations_answer(const Request& request, prometheus::OperationBook& book, const Snapshot& snapshot) {
  if (!request.query.empty()) return problem(400, "unknown_parameter", "no parameter is known here");
  auto told = parse_operations(request.body);
  if (!told) return refusal(told.error());
  std::vector<prometheus::Operation> operations;
  for (ToldOperation& each : *told) {
    auto index = index_of(each.device, snapshot);
    if (!index) return refusal(index.error());
    each.operation.device = std::move(*index);
    operations.push_back(std::move(each.operation));
  }
  if (const auto noted = book.note(operations); !noted) return refusal(noted.error());
  return json_answer(202, dump({{"schema", "gpukeeper.operations/1"}, {"taken", operations.size()}}, false) + "\n");
}

}  // namespace gpukeeper::service
