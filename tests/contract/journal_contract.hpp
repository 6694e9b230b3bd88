#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/journal.hpp"

namespace gpukeeper {

/// A place where a journal is opened again and again.
class JournalPlace {
 public:
  virtual ~JournalPlace() = default;
  virtual std::unique_ptr<Journal> open(std::string boot_id) = 0;
};

/// A lease with something in every field that is kept.
inline Lease full_lease(std::uint64_t id) {
  Lease lease;
  lease.id = LeaseId{id};
  lease.group = LeaseId{id};
  lease.generation = 3;
  lease.fencing_token = id + 7;
  lease.service = Symbol("embedding-service");
  lease.device = Symbol("GPU-0");
  lease.name = std::string("mo\0del\n\xff", 8);
  lease.request_id = "7f3a";
  lease.min = 4096_MiB;
  lease.max = Bytes(~std::uint64_t{0});
  lease.peak = 5000_MiB;
  lease.at_end = 100_MiB;
  lease.owner = ProcessOwner{4711, 987654321};
  lease.priority = -5;
  lease.uid = 1000;
  lease.state = LeaseState::active;
  lease.surface = Surface::documented;
  lease.exclusive = true;
  lease.created = WallTime(std::chrono::seconds(1'780'000'000));
  lease.changed = WallTime(std::chrono::seconds(1'780'000'100));
  lease.lifetime = std::chrono::hours(3);
  lease.metadata = std::make_shared<const Metadata>(Metadata{{"model", "7:B"}, {"", std::string("\0", 1)}});
  return lease;
}

/// What every journal does.
class JournalContract : public testing::TestWithParam<std::function<std::unique_ptr<JournalPlace>()>> {
 protected:
  static LedgerChanges granted(std::vector<Lease> leases) {
    LedgerChanges changes;
    for (const Lease& lease : leases) changes.numbers.last_id = number(lease.id);
    changes.leases = std::move(leases);
    changes.durability = Durability::flushed;
    return changes;
  }

  std::unique_ptr<JournalPlace> place_ = GetParam()();
};

TEST_P(JournalContract, ANewOneIsEmptyAndSound) {
  const auto journal = place_->open("boot-1");
  EXPECT_EQ(journal->damage(), std::nullopt);
  const auto memory = journal->load(10);
  ASSERT_TRUE(memory);
  EXPECT_TRUE(memory->leases.empty());
  EXPECT_TRUE(memory->history.empty());
  EXPECT_EQ(memory->numbers, LedgerNumbers{});
  EXPECT_EQ(memory->boot_id, "");
}

TEST_P(JournalContract, WhatWasWrittenIsThereWhenItIsOpenedAgain) {
  Lease heartbeat = full_lease(2);
  heartbeat.owner = HeartbeatOwner{std::chrono::seconds(10)};
  Lease standing = full_lease(3);
  standing.owner = StandingOwner{};
  standing.metadata = nullptr;
  LedgerChanges changes = granted({full_lease(1), heartbeat, standing});
  changes.numbers = {.last_id = 3, .last_token = 10, .flushed_limit = 1003};
  ASSERT_TRUE(place_->open("boot-1")->write(changes));
  const auto memory = place_->open("boot-2")->load(10);
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->leases.size(), 3u);
  EXPECT_EQ(memory->leases[0].lease, full_lease(1));
  EXPECT_EQ(memory->leases[1].lease, heartbeat);
  EXPECT_EQ(memory->leases[2].lease, standing);
  EXPECT_EQ(memory->leases[0].boot_id, "boot-1");
  EXPECT_EQ(memory->boot_id, "boot-1");
  EXPECT_EQ(memory->numbers, changes.numbers);
}

TEST_P(JournalContract, AnotherStateOfALeaseReplacesTheFirstAndItsEndIsHistory) {
  const auto journal = place_->open("boot-1");
  ASSERT_TRUE(journal->write(granted({full_lease(1), full_lease(2)})));
  Lease draining = full_lease(1);
  draining.state = LeaseState::draining;
  draining.reason = EndReason::released;
  ASSERT_TRUE(journal->write(granted({draining})));
  LedgerChanges changes;
  changes.ended = {full_lease(2)};
  changes.ended[0].state = LeaseState::ended;
  changes.ended[0].reason = EndReason::revoked;
  ASSERT_TRUE(journal->write(changes));
  const auto memory = journal->load(10);
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->leases.size(), 1u);
  EXPECT_EQ(memory->leases[0].lease, draining);
  ASSERT_EQ(memory->history.size(), 1u);
  EXPECT_EQ(memory->history[0], changes.ended[0]);
}

TEST_P(JournalContract, OfTheHistoryTheLatestAreGivenOldestFirst) {
  const auto journal = place_->open("boot-1");
  for (std::uint64_t id = 1; id <= 4; ++id) {
    LedgerChanges changes;
    changes.ended = {full_lease(id)};
    changes.ended[0].state = LeaseState::ended;
    ASSERT_TRUE(journal->write(changes));
  }
  const auto memory = journal->load(2);
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->history.size(), 2u);
  EXPECT_EQ(memory->history[0].id, LeaseId{3});
  EXPECT_EQ(memory->history[1].id, LeaseId{4});
}

}  // namespace gpukeeper
