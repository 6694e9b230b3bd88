#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "gpukeeper/gpukeeper.hpp"
#include "integration/served.hpp"

// The C++ interface over a running daemon. What the C interface alone does there is in embedded_test.cpp.
namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::uint64_t kGiB = 1ULL << 30;

class CppDaemonTest : public testing::Test {
 protected:
  CppDaemonTest() : socket_("unix:" + (folder_.path() / "d.sock").string()) {
    std::ofstream(config()) << "source: [\"simulated:" GPUKEEPER_SOURCE_DIR
                               "/examples/scenarios/two-gpus.yaml\"]\nstate_dir: "
                            << (folder_.path() / "state").string() << '\n';
  }
  void SetUp() override { serve(); }

  void serve() {
    daemon_.emplace(std::vector<std::string>{"--config", config(), "--listen", socket_},
                    (folder_.path() / "log").string());
    ASSERT_TRUE(daemon_->says("listening on")) << daemon_->log();
  }
  std::string config() const { return (folder_.path() / "gpukeeper.yaml").string(); }
  Keeper keeper() const { return Keeper({.host = socket_}); }

  const TemporaryFolder folder_;
  const std::string socket_;
  std::optional<Served> daemon_;
};

// What it threw; fails when it did not.
template <class Call>
Error thrown_by(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {GK_OK, ""};
}

TEST_F(CppDaemonTest, ItsGpusAreReadAndJudged) {
  const Keeper keeper = this->keeper();
  EXPECT_EQ(keeper.host(), socket_);
  EXPECT_EQ(keeper.device_count(), 2U);
  const GpuMetrics m = keeper.read(1);
  EXPECT_EQ(m.name, "NVIDIA GeForce RTX 4060");
  EXPECT_EQ(m.memory_total_mb(), 8188U);
  EXPECT_TRUE(m.simulated);
  EXPECT_EQ(keeper.judge(90, std::nullopt), State::critical);
  EXPECT_LE(keeper.throttling().speed_multiplier, 1);
  const Error error = thrown_by([&] { static_cast<void>(keeper.read(2)); });
  EXPECT_EQ(error.code(), GK_NOT_FOUND);
  EXPECT_STREQ(error.what(), "there is no GPU 2: they are 0 to 1");
}

TEST_F(CppDaemonTest, ALeaseIsTheDaemonsAndEndsWithItsScope) {
  const Keeper keeper = this->keeper();
  const std::uint64_t before = keeper.available(0);
  {
    Lease lease = keeper.allocate({.bytes = kGiB, .service = "training", .device = 0, .require = true});
    EXPECT_EQ(keeper.available(0), before - kGiB);
    lease.resize(2 * kGiB);
    EXPECT_EQ(this->keeper().available(0), before - 2 * kGiB) << "another keeper asks the same ledger";
  }
  EXPECT_EQ(keeper.available(0), before);
}

TEST_F(CppDaemonTest, WhatDoesNotFitIsRefusedWithTheDaemonsNumbers) {
  const Keeper keeper = this->keeper();
  const Error error =
      thrown_by([&] { static_cast<void>(keeper.allocate({.bytes = 4096 * kGiB, .service = "training"})); });
  EXPECT_EQ(error.code(), GK_REFUSED);
  EXPECT_THAT(error.problem(), HasSubstr("\"may_come\":false"));
}

TEST_F(CppDaemonTest, WhoWaitsGetsTheRoomThatAnotherGivesBack) {
  const Keeper keeper = this->keeper();
  std::optional<Lease> all = keeper.allocate({.bytes = keeper.available(1), .device = 1, .require = true});
  int snapshots = 0;
  const Subscription freed = keeper.subscribe("snapshot", [&](const Event&) {
    if (++snapshots == 2) all.reset();  // on the keeper's thread, while this one stands in the queue
  });
  const Lease waited = keeper.allocate({.bytes = kGiB, .device = 1, .require = true, .wait = 30s});
  EXPECT_EQ(waited.device(), 1U);
}

TEST_F(CppDaemonTest, WhoCameFirstIsServedFirst) {
  const Keeper keeper = this->keeper();
  std::optional<Lease> all = keeper.allocate({.bytes = keeper.available(1), .device = 1, .require = true});
  const std::uint64_t most_of_it = all->bytes() / 4 * 3;
  const auto wait_for_room = [&](const char* service) {
    return std::async(std::launch::async, [&keeper, service, most_of_it] {
      return keeper.allocate({.bytes = most_of_it, .service = service, .device = 1, .require = true, .wait = 30s});
    });
  };
  const auto waits = [&](const char* service) {
    return eventually([&] { return keeper.ask("GET", "/api/v1/leases").find(service) != std::string::npos; });
  };
  auto first = wait_for_room("the-first");
  ASSERT_TRUE(waits("the-first"));
  auto second = wait_for_room("the-second");
  ASSERT_TRUE(waits("the-second"));
  all.reset();
  std::optional<Lease> served = first.get();
  EXPECT_EQ(second.wait_for(0s), std::future_status::timeout) << "there is room for one";
  served.reset();
  EXPECT_EQ(second.get().device(), 1U);
}

TEST_F(CppDaemonTest, ClosingEndsWaitingForRoom) {
  Keeper keeper = this->keeper();
  const Lease all = keeper.allocate({.bytes = keeper.available(1), .device = 1, .require = true});
  gk_keeper* other = nullptr;
  const gk_options options{.size = sizeof options, .host = socket_.c_str()};
  ASSERT_EQ(gk_open(&options, &other), GK_OK) << gk_last_error();
  auto refused = std::async(std::launch::async, [other] {
    gk_lease lease{.size = sizeof lease};
    const gk_request wanted{
        .size = sizeof wanted, .service = "the-last", .bytes = kGiB, .device = 1, .require = 1, .wait_seconds = 600};
    const gk_result result = gk_allocate(other, &wanted, &lease, nullptr);
    return std::pair(result, std::string(gk_last_error()));
  });
  ASSERT_TRUE(eventually([&] { return keeper.ask("GET", "/api/v1/leases").find("the-last") != std::string::npos; }));
  gk_close(other);
  EXPECT_EQ(refused.get(), std::pair(GK_UNAVAILABLE, std::string("the keeper is being closed")));
}

TEST_F(CppDaemonTest, ItsEventsAreTold) {
  const Keeper keeper = this->keeper();
  std::mutex mutex;
  std::vector<std::string> types;
  const Subscription heard = keeper.subscribe("lease", [&](const Event& event) {
    const std::scoped_lock lock(mutex);
    types.emplace_back(event.type);
  });
  keeper.allocate(kGiB).release();
  EXPECT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return std::ranges::count(types, "lease.granted") + std::ranges::count(types, "lease.ended") == 2;
  }));
}

TEST_F(CppDaemonTest, ItsPastAndItsMetricsAreAnswered) {
  const Keeper keeper = this->keeper();
  ASSERT_TRUE(eventually([&] { return !keeper.trends().empty() && keeper.trends()[0].sample_count > 1; }));
  const auto histories = keeper.histories("temperature_celsius", "0", "1m", "1s");
  ASSERT_EQ(histories.size(), 1U);
  keeper.record_operation({.service = "training", .operation = "step"});
  EXPECT_THAT(keeper.metrics("documented"), HasSubstr("gpu_throughput_ops_total"));
}

TEST_F(CppDaemonTest, OneThatIsGoneIsSaidAndComesBack) {
  const Keeper keeper = this->keeper();
  daemon_->stop(SIGTERM);
  const Error error = thrown_by([&] { static_cast<void>(keeper.allocate(kGiB)); });
  EXPECT_EQ(error.code(), GK_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr(socket_));
  serve();
  EXPECT_TRUE(eventually([&] {  // it looks at the GPUs first
    try {
      return keeper.allocate(kGiB).held();
    } catch (const Error&) {
      return false;
    }
  }));
}

}  // namespace
}  // namespace gpukeeper
