#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.hpp"
#include "account/tariff.hpp"
#include "core/result.hpp"
#include "faults/fault_journal.hpp"
#include "report/advice.hpp"
#include "report/lease_facts.hpp"

namespace gpukeeper::report {

/// How it is known what a report tells.
enum class Basis {
  daemon,      ///< a running gpukeeper serve has kept the account
  recording,   ///< a recording was played
  simulation,  ///< a simulated machine's time was played
  watched,     ///< this command has watched for a while
  file,        ///< what a gpukeeper serve has kept, read without it
};
std::string_view to_string(Basis basis);

/// Which stretch is wanted. It is widened to whole slots of the account, and never longer than what that holds.
struct Range {
  std::optional<WallTime> since;              ///< nothing: `usual` before the end
  std::optional<WallTime> until;              ///< nothing: as far as is known
  std::optional<std::chrono::seconds> usual;  ///< nothing: all that is known
};

/// A range, as far as something is known of it.
struct Stretch {
  WallTime since;
  WallTime until;
};

/// Errors: as for gather().
Result<Stretch> stretch_of(const account::Account& account, const Range& range);

/// Requests for memory that were answered for good, since the daemon started.
struct RequestCounts {
  std::uint64_t granted = 0;
  std::uint64_t refused = 0;
};

/// What a report is gathered from, beside the account.
struct Sources {
  std::string host;
  Basis basis = Basis::watched;
  account::Tariff tariff;
  std::string leases;  ///< gpukeeper.leases/1; empty where nobody books
  std::shared_ptr<const FaultList> faults = std::make_shared<const FaultList>();  ///< never null
  RequestCounts requests = {};                                                    ///< none where nobody counts them
};

/// One device. A column without a reading is nothing.
struct DeviceRow {
  account::AccountedDevice device;
  account::DeviceUse use;
  std::vector<std::optional<account::DeviceUse>> columns;
};

/// All that goes under one name. The empty name is what belongs to no user, or to no service.
struct PartyRow {
  std::string name;
  account::Usage usage;
  std::vector<account::Usage> columns;
};

/// A kind of fault on a device.
struct FaultRow {
  std::optional<std::uint32_t> index;
  std::string title;
  Severity severity = Severity::info;
  std::uint64_t count = 0;
};

/// Who held memory of a device for long without using it.
struct HoarderRow {
  std::uint32_t index = 0;  ///< of the device
  account::Party party;
  account::Usage usage;
};

struct Report {
  std::string host;
  Basis basis = Basis::watched;
  bool simulated = false;  ///< any device is made up by a scenario
  bool recorded = false;   ///< any device is out of a recording
  WallTime from{};
  WallTime to{};
  WallTime origin{};               ///< of the first column, which may begin before `from`
  std::chrono::seconds column{0};  ///< length
  std::size_t columns = 0;
  account::Tariff tariff;

  account::DeviceUse total;
  account::Division division;
  std::vector<DeviceRow> devices;  ///< by index
  // Each by energy, then by GPU-hours, the largest first; the empty name last.
  std::vector<PartyRow> users;
  std::vector<PartyRow> services;
  std::vector<PartyRow> containers;  ///< without columns, as all below; without the empty name
  std::vector<PartyRow> pods;
  std::vector<PartyRow> jobs;
  std::vector<PartyRow> by_lease;

  std::vector<HoarderRow> hoarders;  ///< an hour or longer; the most memory, by its time, first

  std::vector<Alert> alerts;  ///< that were raised, or not over, in that time; the latest first
  std::vector<FaultRow> faults;
  RequestCounts requests;
  std::vector<LeaseFacts> leases;     ///< that were held in that time, the underused ones first
  std::vector<Advice> advice;         ///< the gravest first
  std::vector<std::string> unknowns;  ///< what was not measured, a sentence each

  WallTime start_of(std::size_t n) const { return origin + column * static_cast<std::int64_t>(n); }
  double seconds() const { return std::chrono::duration<double>(to - from).count(); }
};

/// Errors: invalid_argument for a range that is empty or lies outside of what is known; unavailable where the account
/// has nothing yet.
Result<Report> gather(const account::Account& account, const Range& range, const Sources& sources);

constexpr std::size_t kMostColumns = 150;

/// The length of slots for a stretch of that length that is to be accounted in one go, with readings so far apart: a
/// second to an hour.
std::chrono::seconds slot_for(std::chrono::nanoseconds length, std::chrono::nanoseconds apart);

/// In kWh, money and kilograms; nothing where the tariff does not say.
double kwh(double joules);
std::optional<double> cost(double joules, const account::Tariff& tariff);
std::optional<double> carbon_kg(double joules, const account::Tariff& tariff);

}  // namespace gpukeeper::report
