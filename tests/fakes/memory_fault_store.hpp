#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "faults/fault_store.hpp"

namespace gpukeeper {

/// What a MemoryFaultStore is made of. Copies of the pointer outlive the store: a journal that is begun again over the
/// same disk goes on from it.
struct MemoryDisk {
  std::mutex mutex;
  std::map<std::uint64_t, FaultRecord> records;                          // this and all below guarded by mutex
  std::map<std::pair<std::uint64_t, std::size_t>, FaultReport> reports;  // by occurrence and order
  std::map<std::tuple<DeviceId, EventKind, Severity>, FaultTotal> totals;
  std::map<std::pair<DeviceId, std::string>, WatchMark> marks;
  std::optional<Error> load_error;
  std::optional<Error> write_error;
  std::size_t writes = 0;       // that were tried
  std::size_t last_report = 0;  // that was written
  std::string notice;
};

/// A FaultStore that keeps the contract in memory, and fails when told to.
class MemoryFaultStore final : public FaultStore {
 public:
  explicit MemoryFaultStore(std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>(), bool made_up = false)
      : disk_(std::move(disk)), made_up_(made_up) {}

  std::string place() const override { return "memory"; }
  bool keeps_made_up() const override { return made_up_; }
  std::string notice() const override {
    std::scoped_lock lock(disk_->mutex);
    return disk_->notice;
  }

  Result<FaultEntries> load(std::size_t most) override {
    std::scoped_lock lock(disk_->mutex);
    if (disk_->load_error) return tl::make_unexpected(*disk_->load_error);
    FaultEntries entries;
    for (const auto& [id, record] : disk_->records) {
      entries.records.push_back(record);
      fill_explanation(entries.records.back());
    }
    if (entries.records.size() > most) {
      entries.records.erase(entries.records.begin(), entries.records.end() - static_cast<std::ptrdiff_t>(most));
    }
    for (const auto& [key, report] : disk_->reports) entries.reports.push_back(report);
    for (const auto& [key, total] : disk_->totals) entries.totals.push_back(total);
    for (const auto& [key, mark] : disk_->marks) entries.marks.push_back(mark);
    return entries;
  }

  Result<void> write(const FaultEntries& entries) override {
    std::scoped_lock lock(disk_->mutex);
    ++disk_->writes;
    if (disk_->write_error) return tl::make_unexpected(*disk_->write_error);
    for (const FaultRecord& record : entries.records) disk_->records[record.id] = record;
    while (!disk_->records.empty() && disk_->records.rbegin()->first - disk_->records.begin()->first >= kMostRecords) {
      disk_->records.erase(disk_->records.begin());
    }
    for (const FaultReport& report : entries.reports) {
      const bool known = !report.key.empty() && std::ranges::any_of(disk_->reports, [&](const auto& other) {
        return other.second.key == report.key && other.second.source == report.source;
      });
      if (!known) disk_->reports[{report.occurrence, ++disk_->last_report}] = report;
    }
    while (disk_->reports.size() > kMostReports) disk_->reports.erase(disk_->reports.begin());
    for (const FaultTotal& total : entries.totals) disk_->totals[{total.device, total.kind, total.severity}] = total;
    for (const WatchMark& mark : entries.marks) disk_->marks[{mark.device, mark.name}] = mark;
    return {};
  }

 private:
  const std::shared_ptr<MemoryDisk> disk_;
  const bool made_up_;
};

}  // namespace gpukeeper
