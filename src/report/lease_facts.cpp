#include "report/lease_facts.hpp"

#include <algorithm>
#include <chrono>

#include "format/json_object.hpp"

namespace gpukeeper::report {
namespace {

constexpr double kLongEnough = 600;  // seconds
constexpr double kLittle = 1 << 30;
constexpr double kHardlyUsed = 0.25;

bool is_over(std::string_view state) {
  return state == "draining" || state == "leaked" || state == "ended";
}

void add(const Json& list, std::vector<LeaseFacts>& result) {
  for (const Json& each : list) {
    const JsonObject lease(each);
    const auto created = lease.time("created");
    const auto index = lease.whole("index");
    const bool granted = !lease.text("device").empty();  // one that waits has none
    if (!created || !granted) continue;
    LeaseFacts facts{.id = lease.text("id"),
                     .service = lease.text("service"),
                     .user = lease.text("user"),
                     .index = index,
                     .state = lease.text("state"),
                     .booked_bytes = lease.number("min_bytes").value_or(0),
                     .peak_bytes = lease.number("peak_bytes").value_or(0),
                     .granted = *created,
                     .ended = std::nullopt};
    facts.observed = facts.peak_bytes > 0 || lease.number("observed_bytes").has_value();
    if (is_over(facts.state)) facts.ended = lease.time("changed").value_or(*created);
    result.push_back(std::move(facts));
  }
}

}  // namespace

std::vector<LeaseFacts> lease_facts(std::string_view leases) {
  const Json document = Json::parse(leases, nullptr, false);
  const JsonObject book(document);
  std::vector<LeaseFacts> result;
  add(book.list("leases"), result);
  add(book.list("ended"), result);
  return result;
}

double held_seconds(const LeaseFacts& lease, WallTime from, WallTime to) {
  const auto begin = std::max(from, lease.granted);
  const auto end = std::min(to, lease.ended.value_or(to));
  return end > begin ? std::chrono::duration<double>(end - begin).count() : 0;
}

bool is_underused(const LeaseFacts& lease, WallTime from, WallTime to) {
  return lease.observed && lease.booked_bytes > kLittle && held_seconds(lease, from, to) >= kLongEnough &&
         lease.peak_bytes < kHardlyUsed * lease.booked_bytes;
}

}  // namespace gpukeeper::report
