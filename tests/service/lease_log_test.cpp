#include "service/lease_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"

namespace gpukeeper::service {
namespace {

using enum LedgerEvent::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

class LeaseLogTest : public testing::Test {
 protected:
  static Lease lease() {
    Lease lease;
    lease.id = LeaseId{7};
    lease.service = Symbol("embed\n");
    lease.device = Symbol("GPU-a");
    lease.min = lease.max = 4096_MiB;
    lease.observed = 5000_MiB;
    return lease;
  }
  static Lease over(EndReason reason) {
    Lease over = lease();
    over.reason = reason;
    return over;
  }
  std::vector<std::string> said(LedgerEvent::Kind kind, const Lease& lease, std::string note = "") {
    leases_.note({kind, lease.id, std::move(note)}, lease);
    leases_.look();
    return target_->take();
  }

  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> target_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, target_};
  LeaseLog leases_{log_};
};

TEST_F(LeaseLogTest, WhatHappensByItselfIsSaid) {
  EXPECT_THAT(said(granted, lease(), "GPU-b is full"),
              ElementsAre(R"(info: lease 7 of embed? on GPU-a is granted: 4096 MiB; GPU-b is full)"));
  EXPECT_THAT(said(draining, over(EndReason::owner_died)),
              ElementsAre(R"(info: lease 7 of embed? on GPU-a ends: its process ended; 5000 MiB are in use still)"));
  EXPECT_THAT(said(ended, over(EndReason::expired)),
              ElementsAre(R"(info: lease 7 of embed? on GPU-a is over: its time was over)"));
  EXPECT_THAT(said(leaked, over(EndReason::released)),
              ElementsAre(R"(warning: lease 7 of embed? on GPU-a is over (it was given back), but 5000 MiB are still )"
                          "in use: they were not given back"));
  EXPECT_THAT(said(overused, lease()),
              ElementsAre(R"(warning: lease 7 of embed? on GPU-a holds 5000 MiB, but may hold no more than 4096 MiB)"));
  EXPECT_THAT(said(overuse_over, lease()),
              ElementsAre(R"(info: lease 7 of embed? on GPU-a holds no more than it may: 5000 MiB)"));
}

TEST_F(LeaseLogTest, OneThatWaitedHasNoDeviceAndWhatIsUnknownIsSaidSo) {
  Lease waited = over(EndReason::timed_out);
  waited.device = Symbol();
  EXPECT_THAT(said(ended, waited), ElementsAre(R"(info: lease 7 of embed? is over: it has waited until its deadline)"));
  Lease unseen = over(EndReason::revoked);
  unseen.observed = missing(Missing::not_supported);
  EXPECT_THAT(
      said(draining, unseen),
      ElementsAre(R"(info: lease 7 of embed? on GPU-a ends: it was revoked; an unknown amount are in use still)"));
}

TEST_F(LeaseLogTest, AFloodIsCounted) {
  for (std::size_t i = 0; i < LeaseLog::kMost + 5; ++i) leases_.note({ended, LeaseId{7}, {}}, over(EndReason::expired));
  leases_.look();
  EXPECT_EQ(target_->take().back(), "warning: 5 more leases were granted or ended than are told here");
  leases_.look();
  EXPECT_THAT(target_->take(), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper::service
