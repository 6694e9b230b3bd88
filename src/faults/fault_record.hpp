#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "device/event.hpp"
#include "faults/catalogue.hpp"

namespace gpukeeper {

/// The source of what was found by comparing readings (SnapshotWatch).
inline constexpr std::string_view kReadings = "readings";

/// A process that was on a device when a fault happened. Texts are as processes and drivers gave them: make them
/// harmless before a terminal sees them.
struct FaultProcess {
  std::int64_t pid = 0;
  std::string name;                      ///< empty when it is not known
  std::optional<std::string> user;       ///< nothing when it is not known
  std::optional<std::string> container;  ///< its full id; nothing when it is in none, or that is not known
  bool blamed = false;                   ///< the driver named it as the cause

  friend bool operator==(const FaultProcess&, const FaultProcess&) = default;
};

/// Something that happened to a device, once or several times in a row: a line of the journal.
struct FaultRecord {
  std::uint64_t id = 0;  ///< 1 for the first of a journal, then one more each; never used again

  EventKind kind = EventKind::driver;
  std::uint64_t code = 0;            ///< of an xid
  DeviceId device;                   ///< empty when the whole machine is meant
  std::optional<PciAddress> pci;     ///< of the device, where it is known
  std::string device_name;           ///< empty when no such device was listed then
  bool simulated = false;            ///< as Device says; a fault made up by a scenario
  bool recorded = false;             ///< as Device says; a fault in another machine's records
  WallTime first{};                  ///< when it happened for the first time …
  WallTime last{};                   ///< … and for the last
  std::uint64_t count = 0;           ///< how often
  std::string detail;                ///< in the words of the source that said most, on one line
  std::vector<std::string> sources;  ///< who reported it, in the order in which they did
  /// Who was on the device; nothing when that is not known, as it happened before anybody looked.
  std::optional<std::vector<FaultProcess>> processes;

  // What the catalogue makes of the above.
  Severity severity = Severity::info;
  std::string title;
  std::string explanation;
  std::string action;

  friend bool operator==(const FaultRecord&, const FaultRecord&) = default;
};

/// Fills in the catalogue's words. The severity stays the one under which the fault was counted.
void fill_explanation(FaultRecord& record);

/// One source's report of one occurrence of a record's fault.
struct FaultReport {
  std::uint64_t record = 0;
  std::uint64_t occurrence = 0;  ///< 1 for the first of a journal, then one more each; two sources may share one
  WallTime at{};
  std::uint64_t count = 1;  ///< DeviceEvent::count
  std::string source;
  std::string key;  ///< DeviceEvent::key; may be empty

  friend bool operator==(const FaultReport&, const FaultReport&) = default;
};

/// How often a kind of fault happened to a device since the journal was begun; what is no longer in it still counts.
struct FaultTotal {
  DeviceId device;
  EventKind kind = EventKind::driver;
  Severity severity = Severity::info;
  std::uint64_t count = 0;
  WallTime last{};

  friend bool operator==(const FaultTotal&, const FaultTotal&) = default;
};

/// What was last seen of something that is watched for change: a counter, a flag. So what changed while nobody watched
/// is found, and what was reported is not reported again.
struct WatchMark {
  DeviceId device;
  std::string name;
  std::uint64_t value = 0;

  friend bool operator==(const WatchMark&, const WatchMark&) = default;
};

/// A part of a journal, or all of it.
struct FaultEntries {
  std::vector<FaultRecord> records;  ///< by id
  std::vector<FaultReport> reports;  ///< by occurrence; those of one occurrence in the order in which they came
  std::vector<FaultTotal> totals;
  std::vector<WatchMark> marks;

  bool empty() const { return records.empty() && reports.empty() && totals.empty() && marks.empty(); }
  friend bool operator==(const FaultEntries&, const FaultEntries&) = default;
};

}  // namespace gpukeeper
