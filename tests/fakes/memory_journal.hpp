#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ledger/journal.hpp"

namespace gpukeeper {

/// What outlives a MemoryJournal, as a disk outlives a process.
struct JournalDisk {
  LedgerMemory memory;
  std::optional<Error> damage;
  std::optional<Error> fails;      ///< every write, while it is set
  int fails_after = -1;            ///< so many writes succeed, then one is lost with `fails`; below 0 for never
  std::function<void()> on_write;  ///< called within each
  int writes = 0;
  int flushes = 0;
};

/// A journal without a disk.
class MemoryJournal final : public Journal {
 public:
  MemoryJournal(std::shared_ptr<JournalDisk> disk, std::string boot_id)
      : disk_(std::move(disk)), boot_id_(std::move(boot_id)) {}

  std::string place() const override { return "memory"; }
  std::optional<Error> damage() const override { return disk_->damage; }

  Result<LedgerMemory> load(std::size_t history) override {
    LedgerMemory memory = disk_->memory;
    if (memory.history.size() > history) {
      memory.history.erase(memory.history.begin(), memory.history.end() - static_cast<std::ptrdiff_t>(history));
    }
    for (KeptLease& kept : memory.leases) kept.lease = as_written(std::move(kept.lease));
    for (Lease& lease : memory.history) lease = as_written(std::move(lease));
    return memory;
  }

  Result<void> write(const LedgerChanges& changes) override {
    if (disk_->on_write) disk_->on_write();
    if (disk_->damage) return tl::make_unexpected(*disk_->damage);
    if (disk_->fails_after == 0) return fail(Errc::internal, "the disk is gone");
    if (disk_->fails) return tl::make_unexpected(*disk_->fails);
    if (disk_->fails_after > 0) --disk_->fails_after;
    ++disk_->writes;
    if (changes.durability == Durability::flushed) ++disk_->flushes;
    auto& leases = disk_->memory.leases;
    const auto remove = [&](LeaseId id) {
      std::erase_if(leases, [&](const KeptLease& kept) { return kept.lease.id == id; });
    };
    for (const Lease& lease : changes.leases) {
      remove(lease.id);
      leases.push_back({lease, boot_id_});
    }
    for (const Lease& lease : changes.ended) {
      remove(lease.id);
      disk_->memory.history.push_back(lease);
    }
    std::ranges::sort(leases, {}, [](const KeptLease& kept) { return kept.lease.id; });
    disk_->memory.numbers = changes.numbers;
    disk_->memory.boot_id = boot_id_;
    return {};
  }

 private:
  // Instants of the steady clock and what was observed are not kept.
  static Lease as_written(Lease lease) {
    lease.deadline = MonotonicTime::max();
    lease.over_at = MonotonicTime::max();
    lease.observed = missing(Missing::not_yet_read);
    lease.overused = false;
    return lease;
  }

  std::shared_ptr<JournalDisk> disk_;
  std::string boot_id_;
};

}  // namespace gpukeeper
