#include "booking/held_back_watch.hpp"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Somebody who sees deaths when a test says so.
class Watch final : public OwnerWatch {
 public:
  explicit Watch(Gone& gone) : gone_(gone) {}
  void on_gone(Gone gone) override { gone_ = std::move(gone); }
  bool watch(const ProcessOwner& owner) override { return owner.pid != 13; }
  void keep_only(const std::vector<ProcessOwner>&) override {}

 private:
  Gone& gone_;
};

class HeldBackWatchTest : public testing::Test {
 protected:
  OwnerWatch::Gone dies_;
  std::shared_ptr<HeldBackWatch::Deaths> deaths_ = std::make_shared<HeldBackWatch::Deaths>();
  std::unique_ptr<HeldBackWatch> watch_ = std::make_unique<HeldBackWatch>(std::make_unique<Watch>(dies_), deaths_);
  std::vector<std::int64_t> told_;
};

TEST_F(HeldBackWatchTest, TellsOfDeathsWhenItIsAsked) {
  watch_->on_gone([this](const ProcessOwner& owner) { told_.push_back(owner.pid); });
  dies_({7, 1});
  dies_({8, 1});
  EXPECT_THAT(told_, IsEmpty());
  deaths_->tell();
  EXPECT_THAT(told_, ElementsAre(7, 8));
  deaths_->tell();
  EXPECT_THAT(told_, ElementsAre(7, 8)) << "once";
}

TEST_F(HeldBackWatchTest, WhoIsGoneWhenHeIsToBeWatchedIsSaidAtOnce) {
  EXPECT_TRUE(watch_->watch({12, 1}));
  EXPECT_FALSE(watch_->watch({13, 1}));
}

TEST_F(HeldBackWatchTest, NobodyIsToldOnceItIsGone) {
  watch_->on_gone([this](const ProcessOwner& owner) { told_.push_back(owner.pid); });
  dies_({7, 1});
  watch_.reset();
  deaths_->tell();
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace gpukeeper
