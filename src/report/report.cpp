#include "report/report.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "report/findings.hpp"

namespace gpukeeper::report {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

// Lengths that people read well, each of which divides a day.
constexpr std::array<seconds, 15> kLengths = {1s,    10s,   30s, 60s, 2min, 5min, 10min, 15min,
                                              20min, 30min, 1h,  2h,  6h,   12h,  24h};

// Of memory that is held without use: a shorter time is a pause.
constexpr double kHoarded = 3600;
constexpr std::size_t kMostHoarders = 100;

WallTime floored(WallTime at, seconds length) {
  const auto since = std::chrono::floor<seconds>(at.time_since_epoch());
  return WallTime(since - since % length);
}

// Of columns: so many that they can be told apart, and none shorter than a slot.
seconds column_for(std::chrono::nanoseconds length, seconds slot) {
  for (const seconds each : kLengths) {
    if (each % slot == 0s && length <= each * static_cast<std::int64_t>(kMostColumns)) return each;
  }
  return std::max(slot, kLengths.back());
}

using Names = std::map<std::string, PartyRow>;

void add(Names& rows, const std::string& name, const account::Usage& usage, std::size_t column, std::size_t columns) {
  PartyRow& row = rows[name];
  row.name = name;
  row.usage += usage;
  if (columns == 0) return;
  row.columns.resize(columns);
  row.columns[column] += usage;
}

std::vector<PartyRow> sorted(Names rows, bool with_nameless) {
  std::vector<PartyRow> result;
  for (auto& [name, row] : rows) {
    if (with_nameless || !name.empty()) result.push_back(std::move(row));
  }
  std::ranges::stable_sort(result, [](const PartyRow& a, const PartyRow& b) {
    if (a.name.empty() != b.name.empty()) return b.name.empty();
    return std::pair(-a.usage.joules, -a.usage.gpu_seconds) < std::pair(-b.usage.joules, -b.usage.gpu_seconds);
  });
  return result;
}

// The slots of the account that lie in a stretch, summed up.
class Gathering {
 public:
  Gathering(const account::Account& account, const Stretch& stretch, Report& report)
      : account_(account), report_(report) {
    seconds longest{1};
    for (const auto& slot : account.slots) {
      if (slot->begin + slot->length <= stretch.since || slot->begin >= stretch.until) continue;
      slots_.push_back(slot.get());
      longest = std::max(longest, slot->length);
    }
    if (slots_.empty()) return;
    report.from = std::max(slots_.front()->begin, *account.since);
    report.to = std::min(slots_.back()->begin + slots_.back()->length, account.until);
    report.column = column_for(report.to - report.from, longest);
    report.origin = floored(slots_.front()->begin, report.column);
    report.columns = column_of(slots_.back()->begin) + 1;
  }

  bool empty() const { return slots_.empty(); }

  void sum_up() {
    for (const account::AccountedDevice& device : account_.devices) {
      report_.devices.push_back({device, {}, std::vector<std::optional<account::DeviceUse>>(report_.columns)});
    }
    for (const account::Slot* slot : slots_) add_slot(*slot);
    std::erase_if(report_.devices, [](const DeviceRow& row) {
      return row.use.watched_seconds + row.use.away_seconds + row.use.asleep_seconds <= 0;
    });
    std::ranges::stable_sort(report_.devices, {}, [](const DeviceRow& row) { return row.device.index; });
    for (const DeviceRow& row : report_.devices) {
      report_.total += row.use;
      report_.simulated |= row.device.simulated;
      report_.recorded |= row.device.recorded;
    }
    report_.users = sorted(std::move(users_), true);
    report_.services = sorted(std::move(services_), true);
    report_.containers = sorted(std::move(containers_), false);
    report_.pods = sorted(std::move(pods_), false);
    report_.jobs = sorted(std::move(jobs_), false);
    report_.by_lease = sorted(std::move(leases_), false);
    add_hoarders();
  }

 private:
  void add_hoarders() {
    for (auto& [places, usage] : hoarded_) {
      if (usage.hoarded_seconds < kHoarded) continue;
      report_.hoarders.push_back({account_.devices[places.first].index, *account_.parties[places.second], usage});
    }
    std::ranges::stable_sort(report_.hoarders, std::ranges::greater(),
                             [](const HoarderRow& row) { return row.usage.hoarded_byte_seconds; });
    if (report_.hoarders.size() > kMostHoarders) report_.hoarders.resize(kMostHoarders);
  }

  std::size_t column_of(WallTime at) const {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, (at - report_.origin) / report_.column));
  }

  void add_slot(const account::Slot& slot) {
    const std::size_t column = column_of(slot.begin);
    if (column >= report_.columns) return;  // a date that was set back
    for (const auto& [place, use] : slot.devices) {
      DeviceRow& row = report_.devices[place];
      row.use += use;
      auto& in_column = row.columns[column];
      if (!in_column) in_column.emplace();
      *in_column += use;
    }
    for (const auto& [places, usage] : slot.parties) {
      add_party(*account_.parties[places.second], usage, column);
      if (usage.hoarded_seconds > 0) hoarded_[places] += usage;
    }
    report_.division += slot.division;
  }

  void add_party(const account::Party& party, const account::Usage& usage, std::size_t column) {
    add(users_, party.user, usage, column, report_.columns);
    add(services_, account::service_name(account_, party), usage, column, report_.columns);
    add(containers_, party.container, usage, column, 0);
    add(pods_, account::pod_name(account_, party.pod), usage, column, 0);
    add(jobs_, party.job, usage, column, 0);
    add(leases_, party.lease == 0 ? "" : std::to_string(party.lease), usage, column, 0);
  }

  const account::Account& account_;
  Report& report_;
  std::vector<const account::Slot*> slots_;
  Names users_, services_, containers_, pods_, jobs_, leases_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, account::Usage> hoarded_;  // by device and party
};

std::vector<Alert> alerts_of(const account::Account& account, const Report& report) {
  std::vector<Alert> result;
  for (const Alert& alert : account.alerts) {
    if (*alert.fired_at < report.to && alert.resolved_at.value_or(report.to) >= report.from) result.push_back(alert);
  }
  std::ranges::reverse(result);
  return result;
}

// One that began before is counted once: how often it happened since then is not kept.
std::vector<FaultRow> faults_of(const FaultList& faults, const Report& report) {
  std::vector<FaultRow> result;
  for (const auto& record : faults.records) {
    if (record->first >= report.to || record->last < report.from) continue;
    const auto device =
        std::ranges::find_if(report.devices, [&](const DeviceRow& row) { return row.device.id == record->device; });
    FaultRow fault{.title = record->title, .severity = record->severity};
    if (device != report.devices.end()) fault.index = device->device.index;
    const auto same = std::ranges::find_if(result, [&](const FaultRow& each) {
      return each.index == fault.index && each.title == fault.title && each.severity == fault.severity;
    });
    FaultRow& row = same == result.end() ? result.emplace_back(std::move(fault)) : *same;
    row.count += record->first >= report.from ? record->count : 1;
  }
  std::ranges::stable_sort(result, std::ranges::greater(), &FaultRow::severity);
  return result;
}

std::vector<LeaseFacts> leases_of(const Sources& sources, const Report& report) {
  std::vector<LeaseFacts> result;
  for (LeaseFacts& lease : lease_facts(sources.leases)) {
    if (held_seconds(lease, report.from, report.to) > 0) result.push_back(std::move(lease));
  }
  std::ranges::stable_sort(result, [&](const LeaseFacts& a, const LeaseFacts& b) {
    return is_underused(a, report.from, report.to) > is_underused(b, report.from, report.to);
  });
  return result;
}

void add_known_since(const account::Account& account, const Range& range, Report& report) {
  if (report.basis == Basis::watched) {
    report.unknowns.push_back(fmt::format(
        "This command has watched for {} s and knows no more. gpukeeper serve keeps an account all the time.",
        std::chrono::round<seconds>(report.to - report.from).count()));
  } else if (range.since && *range.since + report.column < *account.since) {
    report.unknowns.push_back(fmt::format("Nothing is known of the time before {}.", rfc3339(*account.since)));
  }
}

}  // namespace

Result<Stretch> stretch_of(const account::Account& account, const Range& range) {
  if (!account.since || *account.since >= account.until) {
    return fail(Errc::unavailable, "no GPU has been looked at twice yet: there is nothing to report");
  }
  const WallTime until = std::min(range.until.value_or(account.until), account.until);
  WallTime since = *account.since;
  if (range.since) {
    since = *range.since;
  } else if (range.usual) {
    since = std::max(since, until - *range.usual);
  }
  if (since < until && until > *account.since) return Stretch{since, until};
  return fail(
      Errc::invalid_argument,
      fmt::format("there is nothing to report from {} to {}: what is known goes from {} to {}", rfc3339(since),
                  rfc3339(range.until.value_or(account.until)), rfc3339(*account.since), rfc3339(account.until)));
}

std::string_view to_string(Basis basis) {
  switch (basis) {
    case Basis::daemon: return "daemon";
    case Basis::recording: return "recording";
    case Basis::simulation: return "simulation";
    case Basis::watched: return "watched";
    case Basis::file: return "file";
  }
  return "watched";
}

Result<Report> gather(const account::Account& account, const Range& range, const Sources& sources) {
  const auto stretch = stretch_of(account, range);
  if (!stretch) return tl::make_unexpected(stretch.error());
  Report report{.host = sources.host, .basis = sources.basis, .tariff = sources.tariff};
  Gathering gathering(account, *stretch, report);
  if (account.devices.empty()) {
    report.from = *account.since;
    report.to = account.until;
    report.unknowns.emplace_back("There is no GPU: gpukeeper doctor says why.");
    return report;
  }
  if (gathering.empty()) {
    return fail(Errc::unavailable, "no GPU has been looked at twice in that time: there is nothing to report");
  }
  gathering.sum_up();
  report.alerts = alerts_of(account, report);
  report.faults = faults_of(*sources.faults, report);
  report.leases = leases_of(sources, report);
  report.requests = sources.requests;
  report.advice = advice_on_use(report);
  add_known_since(account, range, report);
  for (std::string& sentence : unknowns_of(report)) report.unknowns.push_back(std::move(sentence));
  return report;
}

seconds slot_for(std::chrono::nanoseconds length, std::chrono::nanoseconds apart) {
  const seconds column = column_for(length, 1s);
  const auto fits = std::ranges::find_if(kLengths, [&](seconds each) { return each >= column && each >= apart; });
  return fits == kLengths.end() ? 1h : std::min<seconds>(*fits, 1h);
}

double kwh(double joules) {
  return joules / account::kJoulesPerKwh;
}

std::optional<double> cost(double joules, const account::Tariff& tariff) {
  return tariff.price_per_kwh ? std::optional(kwh(joules) * *tariff.price_per_kwh) : std::nullopt;
}

std::optional<double> carbon_kg(double joules, const account::Tariff& tariff) {
  return tariff.carbon_g_per_kwh ? std::optional(kwh(joules) * *tariff.carbon_g_per_kwh / 1000) : std::nullopt;
}

}  // namespace gpukeeper::report
