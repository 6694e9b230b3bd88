#include "report/advice.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "format/human.hpp"
#include "format/json_object.hpp"

namespace gpukeeper::report {
namespace {

using Weight = Advice::Weight;

constexpr double kFull = 0.85;       // of a device: the documented memory_threshold
constexpr double kStrangers = 0.10;  // of a device, without a lease: worth a word

std::string index_of(const JsonObject& object) {
  const auto index = object.whole("index");
  return index ? std::to_string(*index) : "?";
}

void judge_device(const JsonObject& device, std::vector<Advice>& result) {
  const auto total = device.number("total_bytes").value_or(0);
  if (!(total > 0)) return;
  const auto used = device.number("used_bytes").value_or(0);
  if (used > kFull * total) {
    result.push_back(
        {Weight::bad, fmt::format("GPU {} is {:.0f} % full: gpukeeper optimize says what can be given back.",
                                  index_of(device), 100 * used / total)});
  }
  for (const Json& each : device.list("foreign")) {
    const JsonObject process(each);
    const auto memory = process.whole("memory_bytes").value_or(0);
    if (static_cast<double>(memory) < kStrangers * total) continue;
    const std::string name = process.text("name");
    result.push_back(
        {Weight::notice, fmt::format("GPU {}: {} ({}) uses {} without a lease. Started with gpukeeper run --memory, it "
                                     "would be counted for what it is.",
                                     index_of(device), name.empty() ? "a process" : name,
                                     process.number("pid").value_or(0), size_text(memory))});
  }
}

void judge_lease(const JsonObject& lease, std::vector<Advice>& result) {
  const std::string name = fmt::format("Lease {} of {}", lease.text("id"), lease.text("service"));
  const auto observed = lease.whole("observed_bytes").value_or(0);
  if (lease.text("state") == "leaked") {
    result.push_back({Weight::bad, fmt::format("{} is over, and {} of it are still in use on GPU {}: whoever holds "
                                               "them must end (gpukeeper ps).",
                                               name, size_text(observed), index_of(lease))});
  }
  if (lease.flag("overused")) {
    result.push_back(
        {Weight::bad, fmt::format("{} uses {} and may use {}: book more for it, or have it use less.", name,
                                  size_text(observed), size_text(lease.whole("max_bytes").value_or(0)))});
  }
}

}  // namespace

std::string_view to_string(Weight weight) {
  switch (weight) {
    case Weight::bad: return "bad";
    case Weight::notice: return "notice";
    case Weight::good: return "good";
  }
  return "notice";
}

std::vector<Advice> advice_on_memory(std::string_view leases) {
  const Json document = Json::parse(leases, nullptr, false);
  const JsonObject book(document);
  std::vector<Advice> result;
  if (const std::string why = book.text("closed"); !why.empty()) {
    result.push_back({Weight::bad, "Nothing is granted now: " + why});
  }
  for (const Json& device : book.list("devices")) judge_device(JsonObject(device), result);
  for (const Json& lease : book.list("leases")) judge_lease(JsonObject(lease), result);
  if (const auto waiting = book.list("waiting").size(); waiting > 0) {
    result.push_back(
        {Weight::notice, fmt::format("{} for room: gpukeeper plan SIZE says what would have to go.",
                                     waiting == 1 ? "A request waits" : fmt::format("{} requests wait", waiting))});
  }
  std::ranges::stable_sort(result, {}, &Advice::weight);
  return result;
}

}  // namespace gpukeeper::report
