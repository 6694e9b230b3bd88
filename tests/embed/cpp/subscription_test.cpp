#include "gpukeeper/subscription.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpukeeper/keeper.hpp"

namespace gpukeeper {
namespace {

using testing::StartsWith;

constexpr std::uint64_t kGiB = 1ULL << 30;

Keeper two_gpus() {
  return Keeper(
      {.source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml", .ledger_in_memory = true});
}

// Something that another thread does, so often; waited for, for at most 10 s.
class Count {
 public:
  void add() {
    const std::scoped_lock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool reaches(int wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return count_ >= wanted; });
  }
  int now() {
    const std::scoped_lock lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

TEST(SubscriptionTest, TellsWhatHappensUntilTheSubscriptionGoes) {
  const Keeper keeper = two_gpus();
  Count told;
  {
    const Subscription subscription = keeper.subscribe("lease.granted,lease.ended", [&](const Event& event) {
      EXPECT_THAT(std::string(event.type), StartsWith("lease."));
      EXPECT_THAT(std::string(event.json), StartsWith("{"));
      EXPECT_GT(event.sequence, 0U);
      told.add();
    });
    keeper.allocate(kGiB).release();
    EXPECT_TRUE(told.reaches(2));
  }
  keeper.allocate(kGiB).release();
  EXPECT_EQ(told.now(), 2);
}

TEST(SubscriptionTest, AHandlerMayThrowAndMayEndItsOwnSubscription) {
  const Keeper keeper = two_gpus();
  Count told;
  std::optional<Subscription> subscription;
  std::promise<void> stored;
  subscription.emplace(keeper.subscribe("lease", [&, ready = stored.get_future().share()](const Event&) {
    ready.wait();
    if (told.now() == 1) subscription->end();
    told.add();
    throw std::runtime_error("a handler's own trouble");
  }));
  stored.set_value();
  for (int i = 0; i < 3; ++i) keeper.allocate(kGiB).release();
  EXPECT_TRUE(told.reaches(2));
}

}  // namespace
}  // namespace gpukeeper
