#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "faults/fault_record.hpp"
#include "faults/fault_scene.hpp"

namespace gpukeeper {

/// What all faults of one device come to.
struct DeviceFaults {
  std::uint64_t count = 0;
  std::uint64_t critical = 0;
  WallTime last{};
};

/// Makes records out of reports: the journal's arithmetic, without time, threads or disk.
///
/// Two sources that report the same kind and code for the same device within kPairing tell of one occurrence: they are
/// paired one to one, the earliest without its counterpart first, which loses none as long as each source keeps its own
/// order. A report of several at once (a counter that grew by five) is paired with as many. Occurrences that the
/// catalogue calls the same and that follow each other within kFolding make one record with a count. A report whose key
/// was seen from that source is one told again, and nothing.
class FaultBook {
 public:
  static constexpr std::chrono::seconds kPairing{5};
  static constexpr std::chrono::seconds kSlowPairing{30};  ///< with a source of counters, which sees a change late
  static constexpr std::chrono::seconds kFolding{60};
  static constexpr std::size_t kRecords = 1000;    ///< the newest, which are kept in memory
  static constexpr std::size_t kReports = 20'000;  ///< of late, to be paired or recognised
  static constexpr std::size_t kProcesses = 32;    ///< of a record

  /// Goes on from what a store holds. `keep_made_up`: what kept() hands out are the faults of simulated and recorded
  /// devices, else of real ones.
  explicit FaultBook(FaultEntries stored = {}, bool keep_made_up = false);

  void add(DeviceEvent event, FaultScene scene);

  /// The wall clock was set: what happened before is that much later on the new one. Times in records stay.
  void clock_was_set(WallTime::duration by);

  /// What is to be stored and has changed since the last call, without marks.
  FaultEntries take_changes();
  /// All that is to be stored, as far as it is in memory, without marks.
  FaultEntries everything() const;

  /// The newest records, oldest first.
  std::vector<std::shared_ptr<const FaultRecord>> records() const;
  std::vector<FaultTotal> totals() const;
  DeviceFaults faults_of(const DeviceId& device) const;

 private:
  using Subject = std::tuple<DeviceId, EventKind, std::uint64_t>;  // device, kind, code
  using TotalKey = std::tuple<DeviceId, EventKind, Severity>;

  struct Entry {
    std::shared_ptr<const FaultRecord> record;
    WallTime first;  // as in the record, but moved along when the clock is set
    WallTime last;
    bool kept = true;  // by the store
  };
  struct Tally {
    FaultTotal total;
    bool kept = true;
  };
  struct Occurrence {
    std::uint64_t number;
    std::uint64_t record;
    std::uint64_t count;  // so many at once
    WallTime at;
    std::map<std::string, std::uint64_t> reported;  // by source: how many of them it told of
  };

  bool is_kept(const FaultScene& scene) const { return scene.made_up() == keep_made_up_; }
  bool is_known(const DeviceEvent& event) const;
  void remember_key(const std::string& source, const std::string& key);
  std::uint64_t confirm(const Subject& subject, DeviceEvent& event, const FaultScene& scene);
  void add_occurrence(const Subject& subject, Occurrence occurrence);
  void enrich(Entry& entry, const DeviceEvent& event, const FaultScene& scene);
  Entry& fold_or_begin(const DeviceEvent& event, FaultScene& scene);
  Entry* find(std::uint64_t record);
  void count(const Entry& entry, std::uint64_t more, WallTime at);
  void report(const Entry& entry, std::uint64_t occurrence, std::uint64_t count, DeviceEvent& event);

  bool keep_made_up_;
  std::deque<Entry> entries_;                                              // by id
  std::map<Subject, std::deque<Occurrence>> occurrences_;                  // of late, in the order in which they came
  std::deque<std::map<Subject, std::deque<Occurrence>>::iterator> order_;  // whose the oldest of them is
  std::unordered_set<std::string> keys_;
  std::deque<std::string> keys_order_;
  std::map<TotalKey, Tally> totals_;
  std::map<DeviceId, DeviceFaults> devices_;
  std::deque<FaultReport> reports_;  // as stored
  std::uint64_t last_record_ = 0;
  std::uint64_t last_occurrence_ = 0;

  // What has changed since take_changes().
  std::map<std::uint64_t, std::shared_ptr<const FaultRecord>> changed_records_;
  std::set<TotalKey> changed_totals_;
  std::vector<FaultReport> new_reports_;
};

}  // namespace gpukeeper
