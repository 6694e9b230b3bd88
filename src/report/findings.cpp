#include "report/findings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "format/human.hpp"
#include "report/words.hpp"

namespace gpukeeper::report {
namespace {

using Weight = Advice::Weight;

constexpr double kHour = 3600;
constexpr double kMuch = 0.25;          // of somebody's GPU-hours, or of the time: worth a sentence
constexpr double kSlowedWorthy = 0.01;  // of the time
constexpr double kHardlyUsed = 0.2;     // on average, while somebody is on it
constexpr double kNoticed = 0.01;       // of all GPU-hours without a measurement: worth a sentence
constexpr double kGrantedWell = 0.9;    // of the requests for memory
constexpr std::size_t kMostLeases = 5;  // in sentences; all stand in the table

std::string name_of(const PartyRow& user) {
  return user.name.empty() ? "Somebody whose name is not known" : user.name;
}

std::string gpu(const DeviceRow& row) {
  return fmt::format("GPU {}", row.device.index);
}

void add_idle_holders(const Report& report, std::vector<Advice>& result) {
  for (const PartyRow& user : report.users) {
    const account::Usage& usage = user.usage;
    if (usage.idle_seconds < kHour || usage.idle_seconds < kMuch * usage.gpu_seconds) continue;
    result.push_back(
        {Weight::notice,
         fmt::format("{} held GPUs for {} while they did nothing, {} of {} GPU-hours; they drew {} meanwhile. "
                     "What is not needed overnight could be ended, or suspended.",
                     name_of(user), hours_text(usage.idle_seconds), share_text(usage.idle_seconds, usage.gpu_seconds),
                     amount(usage.gpu_seconds / kHour), energy_with_cost(usage.idle_joules, report.tariff))});
  }
}

void add_underused_leases(const Report& report, std::vector<Advice>& result) {
  std::size_t count = 0;
  for (const LeaseFacts& lease : report.leases) {
    if (!is_underused(lease, report.from, report.to)) continue;
    if (++count > kMostLeases) continue;
    result.push_back(
        {Weight::notice,
         fmt::format("Lease {} of {} booked {} for {} and never used more than {}: others could have the rest.",
                     lease.id, lease.service, size_text(static_cast<std::uint64_t>(lease.booked_bytes)),
                     hours_text(held_seconds(lease, report.from, report.to)),
                     size_text(static_cast<std::uint64_t>(lease.peak_bytes)))});
  }
  if (count > kMostLeases) {
    result.push_back({Weight::notice, fmt::format("{} more leases are used as little.", count - kMostLeases)});
  }
}

void add_free_devices(const Report& report, std::vector<Advice>& result) {
  for (const DeviceRow& row : report.devices) {
    const account::DeviceUse& use = row.use;
    const double free = use.watched_seconds - use.held_seconds - use.held_unknown_seconds;
    if (use.watched_seconds < kHour || free < 0.9 * use.watched_seconds) continue;
    result.push_back({Weight::notice,
                      fmt::format("{} was free for {} of {}, and drew {} meanwhile.", gpu(row), hours_text(free),
                                  hours_text(use.watched_seconds), energy_with_cost(use.free.joules, report.tariff))});
  }
}

// Those that would fit together, one after the other into the first that has room: by the most that each ever held.
void add_consolidation(const Report& report, std::vector<Advice>& result) {
  std::vector<const DeviceRow*> little;
  for (const DeviceRow& row : report.devices) {
    const account::DeviceUse& use = row.use;
    const double measured = use.watched_seconds - use.busy_unknown_seconds;
    const bool used = use.held_seconds > kMuch * use.watched_seconds && measured > kHour;
    if (used && use.busy_seconds < kHardlyUsed * measured && use.bytes && row.device.memory_bytes)
      little.push_back(&row);
  }
  if (little.size() < 2) return;
  double room = *little.front()->device.memory_bytes * 0.9;  // some is always lost between allocations
  std::string names;
  std::size_t count = 0;
  double most = 0;
  for (const DeviceRow* row : little) {
    if (row->use.bytes->value > room) continue;
    room -= row->use.bytes->value;
    most += row->use.bytes->value;
    names += fmt::format("{}{}", count++ == 0 ? "" : ", ", row->device.index);
  }
  if (count < 2) return;
  result.push_back({Weight::notice,
                    fmt::format("GPUs {} were used less than {:.0f} % on average, and held {} together at the most: by "
                                "memory that fits on one of them.",
                                names, kHardlyUsed * 100, size_text(static_cast<std::uint64_t>(most)))});
}

void add_slowed(const Report& report, std::vector<Advice>& result) {
  for (const DeviceRow& row : report.devices) {
    const account::DeviceUse& use = row.use;
    if (use.slowed_seconds < kSlowedWorthy * use.watched_seconds || use.slowed_seconds < 60) continue;
    const bool heat = use.slowed_by_heat_seconds >= kSlowedWorthy * use.watched_seconds;
    result.push_back({heat ? Weight::bad : Weight::notice,
                      fmt::format("{} was held back for {} ({} of its time){}.", gpu(row),
                                  hours_text(use.slowed_seconds), share_text(use.slowed_seconds, use.watched_seconds),
                                  heat ? fmt::format(", for {} by heat: look at fans, dust and the air in front of it",
                                                     hours_text(use.slowed_by_heat_seconds))
                                  : use.slowed_by_power_seconds > 0.5 * use.slowed_seconds
                                      ? ", by its power limit: that is usual under full load"
                                      : "")});
  }
}

void add_away(const Report& report, std::vector<Advice>& result) {
  for (const DeviceRow& row : report.devices) {
    if (row.use.away_seconds < 60) continue;
    result.push_back({Weight::bad, fmt::format("{} could not be read for {}: gpukeeper faults says what happened.",
                                               gpu(row), hours_text(row.use.away_seconds))});
  }
}

// How many requests were granted: where many are refused, services are asked for more than there is.
void add_requests(const Report& report, std::vector<Advice>& result) {
  const auto& [granted, refused] = report.requests;
  const std::uint64_t all = granted + refused;
  if (all == 0) return;
  const bool well = static_cast<double>(granted) >= kGrantedWell * static_cast<double>(all);
  result.push_back({well ? Weight::good : Weight::notice,
                    fmt::format("{} of {} requests for memory were granted since gpukeeper started, {:.1f} %{}",
                                granted, all, 100 * static_cast<double>(granted) / static_cast<double>(all),
                                well ? "." : ": gpukeeper plan SIZE says what stands in the way of another.")});
}

}  // namespace

std::vector<Advice> advice_on_use(const Report& report) {
  std::vector<Advice> result;
  add_away(report, result);
  add_slowed(report, result);
  add_underused_leases(report, result);
  add_idle_holders(report, result);
  add_free_devices(report, result);
  add_consolidation(report, result);
  add_requests(report, result);
  std::ranges::stable_sort(result, {}, &Advice::weight);
  return result;
}

std::vector<std::string> unknowns_of(const Report& report) {
  const account::DeviceUse& total = report.total;
  const double all =
      std::chrono::duration<double>(report.to - report.from).count() * static_cast<double>(report.devices.size());
  std::vector<std::string> result;
  const auto add = [&](double seconds, std::string_view sentence) {
    if (seconds <= 0 || seconds < kNoticed * all) return;
    result.push_back(fmt::format("For {} of {} GPU-hours {}", amount(seconds / kHour), amount(all / kHour), sentence));
  };
  add(all - total.watched_seconds - total.away_seconds - total.asleep_seconds,
      "there are no readings: nobody looked. They are in no sum.");
  add(total.away_seconds, "a GPU could not be read. They are in no sum.");
  add(total.asleep_seconds, "a GPU slept. Nothing is measured then, as measuring would wake it.");
  add(total.joules_unknown_seconds, "the power was not measured. Their energy is in no sum.");
  add(total.busy_unknown_seconds, "the use was not measured. Hours of use are without them.");
  add(total.held_unknown_seconds, "the processes could not be listed. They are nobody's in the sums of users.");
  add(total.slowed_unknown_seconds, "the driver did not say whether it held clocks back.");
  return result;
}

}  // namespace gpukeeper::report
