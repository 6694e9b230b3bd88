#include "telemetry/sampler.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fail_after_backend.hpp"
#include "fakes/fake_backend.hpp"
#include "fakes/fake_clock.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Reading warm(double celsius) {
  Reading reading{Missing::not_supported};
  reading.temperature = Celsius(celsius);
  reading.memory_total = 100_MiB;
  reading.memory_used = 10_MiB;
  return reading;
}

// The runner is the real one, so that a hang is a hang; time is the test's. A device that hangs costs a test the
// deadline in real time once, hence the short one. The slack is as long, so that a healthy device is never taken for a
// slow one because the machine is busy.
class SamplerTest : public ::testing::Test {
 protected:
  Sampler& sampler() {
    if (!sampler_) {
      sampler_ =
          std::make_unique<Sampler>(std::vector<std::shared_ptr<Backend>>(backends_), clock_, runner_, out_, options_);
    }
    return *sampler_;
  }
  std::shared_ptr<const Snapshot> tick() {
    sampler().tick();
    return out_.read();
  }
  const DeviceSnapshot& device(const Snapshot& snapshot, const std::string& id) {
    for (const DeviceSnapshot& d : snapshot.devices) {
      if (d.device->id.text == id) return d;
    }
    ADD_FAILURE() << "no device " << id;
    return snapshot.devices.front();
  }
  // Until what runs beside the test has come so far; the deadline only ends a test that has failed already.
  template <class Condition>
  void eventually(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up);
      std::this_thread::yield();
    }
  }

  std::shared_ptr<FakeBackend> backend_ = std::make_shared<FakeBackend>();
  std::vector<std::shared_ptr<Backend>> backends_{backend_};
  FakeClock clock_;
  Published<Snapshot> out_;
  SamplerOptions options_{.deadline = 200ms, .slack = 200ms, .first_list_deadline = 200ms};
  ThreadRunner runner_;
  std::unique_ptr<Sampler> sampler_;
};

TEST_F(SamplerTest, TheFirstTickListsReadsAndPublishes) {
  backend_->plug("GPU-a", warm(50));
  backend_->plug("GPU-b", warm(80));
  EXPECT_EQ(out_.read()->sequence, 0u);
  const auto snapshot = tick();
  EXPECT_EQ(snapshot->sequence, 1u);
  EXPECT_EQ(snapshot->taken_at, clock_.wall());
  ASSERT_EQ(snapshot->devices.size(), 2u);
  EXPECT_EQ(snapshot->devices[1].index, 1u);
  EXPECT_EQ(device(*snapshot, "GPU-a").state, State::optimal);
  EXPECT_EQ(device(*snapshot, "GPU-b").state, State::throttled);
  EXPECT_EQ(device(*snapshot, "GPU-b").reading.memory_free, 90_MiB);
  EXPECT_EQ(overall_state(*snapshot), State::throttled);
  EXPECT_TRUE(snapshot->sources.front().available);
  EXPECT_EQ(snapshot->sources.front().devices, 2u);
}

TEST_F(SamplerTest, DeviceThatLeavesTheBusStaysInTheSnapshotAsUnavailable) {
  backend_->plug("GPU-a", warm(50));
  tick();
  backend_->unplug("GPU-a");
  const auto snapshot = tick();
  EXPECT_EQ(device(*snapshot, "GPU-a").state, State::unavailable);  // gone from the bus: at once
  EXPECT_FALSE(device(*snapshot, "GPU-a").available);
  EXPECT_EQ(device(*snapshot, "GPU-a").reading.temperature, Metric<Celsius>(missing(Missing::failed)));
  EXPECT_FALSE(device(*snapshot, "GPU-a").reason.empty());
}

TEST_F(SamplerTest, ALostDeviceThatReturnsIsReadAgain) {
  backend_->plug("GPU-a", warm(50));
  tick();
  backend_->unplug("GPU-a");
  for (int i = 0; i < 10; ++i) {
    clock_.advance(1s);
    tick();
  }
  EXPECT_THAT(device(*out_.read(), "GPU-a").reason, StartsWith("gone from the bus"));
  backend_->plug("GPU-a", warm(51));
  for (int i = 0; i < 6; ++i) {
    clock_.advance(1s);
    tick();
  }
  EXPECT_TRUE(device(*out_.read(), "GPU-a").available);
  EXPECT_EQ(device(*out_.read(), "GPU-a").reading.temperature, Celsius(51));
}

TEST_F(SamplerTest, ANewDeviceIsSeenWithinTheListPeriod) {
  backend_->plug("GPU-a", warm(50));
  tick();
  backend_->plug("GPU-b", warm(50));
  clock_.advance(5s);
  tick();
  clock_.advance(1s);
  EXPECT_TRUE(device(*tick(), "GPU-b").available);
}

TEST_F(SamplerTest, AReturnedErrorMakesItUnavailableAfterThreeInARow) {
  backend_->plug("GPU-a", warm(50));
  tick();
  backend_->set_error("GPU-a", {Errc::internal, "read temperature of GPU-a: Unknown Error"});
  for (int i = 0; i < 2; ++i) {
    clock_.advance(1s);
    const auto snapshot = tick();
    EXPECT_TRUE(device(*snapshot, "GPU-a").available);
    EXPECT_EQ(device(*snapshot, "GPU-a").reading.temperature, Celsius(50)) << "the last good reading stands";
    EXPECT_LT(device(*snapshot, "GPU-a").read_at, snapshot->taken_at);
    EXPECT_EQ(device(*snapshot, "GPU-a").reason, "the last reading failed: read temperature of GPU-a: Unknown Error");
  }
  clock_.advance(1s);
  EXPECT_FALSE(device(*tick(), "GPU-a").available);
  EXPECT_EQ(device(*out_.read(), "GPU-a").reason, "read temperature of GPU-a: Unknown Error");
  backend_->clear_error("GPU-a");
  clock_.advance(1s);
  EXPECT_TRUE(device(*tick(), "GPU-a").available);
}

TEST_F(SamplerTest, ADeviceThatKeepsFailingIsTriedWithGrowingPauses) {
  backend_->plug("GPU-a", warm(50));
  backend_->set_error("GPU-a", {Errc::unavailable, "the driver was updated: reboot"});
  EXPECT_FALSE(device(*tick(), "GPU-a").available) << "what says so itself is unavailable at once";
  for (int i = 0; i < 299; ++i) {
    clock_.advance(1s);
    tick();
  }
  EXPECT_LT(backend_->reads("GPU-a"), 20u);
  EXPECT_GT(backend_->reads("GPU-a"), 8u);
}

TEST_F(SamplerTest, ASleepingDeviceIsUnavailableButDoesNotCount) {
  Reading asleep{Missing::asleep};
  asleep.attention = Attention::asleep;
  asleep.runtime_power_state = "suspended";
  backend_->plug("GPU-a", asleep);
  backend_->plug("GPU-b", warm(50));
  const auto snapshot = tick();
  EXPECT_EQ(device(*snapshot, "GPU-a").state, State::unavailable);
  EXPECT_THAT(device(*snapshot, "GPU-a").reason, StartsWith("asleep"));
  EXPECT_EQ(device(*snapshot, "GPU-a").reading.runtime_power_state, "suspended");
  EXPECT_EQ(overall_state(*snapshot), State::optimal);
}

TEST_F(SamplerTest, ASleepingDeviceIsNotAskedForItsProcesses) {
  backend_->plug("GPU-a", warm(50));
  tick();
  const auto before = backend_->process_reads("GPU-a");
  Reading asleep{Missing::asleep};
  asleep.attention = Attention::asleep;
  backend_->plug("GPU-a", asleep);
  for (int i = 0; i < 10; ++i) {
    tick();
    clock_.advance(1s);
  }
  EXPECT_LE(backend_->process_reads("GPU-a"), before + 1) << "only what the tick began before it was known to sleep";
  EXPECT_EQ(device(*out_.read(), "GPU-a").processes_reason, "the device is asleep");
}

TEST_F(SamplerTest, ARestingDeviceKeepsItsLastReading) {
  backend_->plug("GPU-a", warm(50));
  tick();
  const auto read_at = device(*out_.read(), "GPU-a").read_at;
  Reading resting{Missing::not_yet_read};
  resting.attention = Attention::resting;
  resting.runtime_power_state = "active";
  backend_->plug("GPU-a", resting);
  clock_.advance(1s);
  const auto snapshot = tick();
  EXPECT_TRUE(device(*snapshot, "GPU-a").available);
  EXPECT_EQ(device(*snapshot, "GPU-a").reading.temperature, Celsius(50));
  EXPECT_EQ(device(*snapshot, "GPU-a").read_at, read_at);
  EXPECT_THAT(device(*snapshot, "GPU-a").reason, StartsWith("idle"));
}

TEST_F(SamplerTest, ProcessesAreListedOnceAProcessPeriod) {
  backend_->plug("GPU-a", warm(50));
  backend_->set_processes("GPU-a", {GpuProcess{.pid = 42, .name = "train"}});
  for (int i = 0; i < 9; ++i) {
    tick();
    clock_.advance(1s);
  }
  EXPECT_EQ(backend_->process_reads("GPU-a"), 3u);
  EXPECT_EQ(backend_->reads("GPU-a"), 9u);
  ASSERT_EQ(device(*out_.read(), "GPU-a").processes->size(), 1u);
  EXPECT_EQ(device(*out_.read(), "GPU-a").processes->front().pid, 42);
}

TEST_F(SamplerTest, WithoutProcessMonitoringNoDeviceIsAskedForThem) {
  options_.processes = false;
  backend_->plug("GPU-a", warm(50));
  backend_->set_processes("GPU-a", {GpuProcess{.pid = 42, .name = "train"}});
  const auto snapshot = tick();
  EXPECT_EQ(backend_->process_reads("GPU-a"), 0u);
  EXPECT_TRUE(device(*snapshot, "GPU-a").processes->empty());
  EXPECT_EQ(device(*snapshot, "GPU-a").processes_reason, "process_monitoring is off");
}

TEST_F(SamplerTest, ProcessesThatCannotBeListedSayWhy) {
  backend_->plug("GPU-a", warm(50));
  backend_->set_processes_error("GPU-a", {Errc::not_permitted, "list processes of GPU-a: permission denied"});
  const auto snapshot = tick();
  EXPECT_TRUE(device(*snapshot, "GPU-a").available);
  EXPECT_TRUE(device(*snapshot, "GPU-a").processes->empty());
  EXPECT_EQ(device(*snapshot, "GPU-a").processes_reason, "list processes of GPU-a: permission denied");
}

TEST_F(SamplerTest, AHangingDeviceIsUnavailableAndTheOthersAreFresh) {
  backend_->plug("GPU-a", warm(50));
  backend_->plug("GPU-b", warm(50));
  tick();
  backend_->block("GPU-a");
  clock_.advance(1s);
  EXPECT_TRUE(device(*tick(), "GPU-a").available) << "not past its deadline yet";
  clock_.advance(1s);
  backend_->plug("GPU-b", warm(66));
  const auto snapshot = tick();
  EXPECT_EQ(device(*snapshot, "GPU-a").state, State::unavailable);
  EXPECT_THAT(device(*snapshot, "GPU-a").reason, StartsWith("the driver did not answer within 200 ms"));
  EXPECT_EQ(device(*snapshot, "GPU-b").reading.temperature, Celsius(66));
  backend_->unblock("GPU-a");
}

TEST_F(SamplerTest, AHangingDeviceIsNotCalledAgainUntilItIsBackAndThenLater) {
  backend_->plug("GPU-a", warm(50));
  tick();
  backend_->block("GPU-a");
  for (int i = 0; i < 5; ++i) {
    clock_.advance(1s);
    tick();
  }
  EXPECT_EQ(backend_->reads("GPU-a"), 2u);
  backend_->unblock("GPU-a");
  eventually([&] {
    clock_.advance(1s);
    return device(*tick(), "GPU-a").available;
  });
  EXPECT_EQ(device(*out_.read(), "GPU-a").reason, "");
}

TEST_F(SamplerTest, AHangOnTheFirstTickIsReportedByThatTick) {
  backend_->plug("GPU-a", warm(50));
  backend_->block("GPU-a");
  // The deadline of a device that was never read is waited out in real time; the injected clock is moved along with it.
  std::jthread time([&] {
    backend_->wait_until_hanging("GPU-a");
    clock_.advance(200ms);
  });
  const auto snapshot = tick();
  EXPECT_THAT(device(*snapshot, "GPU-a").reason, StartsWith("the driver did not answer within 200 ms"));
  backend_->unblock("GPU-a");
}

TEST_F(SamplerTest, AHangingProcessListLeavesTheReadingsAlone) {
  backend_->plug("GPU-a", warm(50));
  backend_->block_processes("GPU-a");
  tick();
  for (int i = 0; i < 5; ++i) {
    clock_.advance(1s);
    backend_->plug("GPU-a", warm(60 + i));
    EXPECT_EQ(device(*tick(), "GPU-a").reading.temperature, Celsius(60 + i));
  }
  EXPECT_EQ(backend_->process_reads("GPU-a"), 1u);
  backend_->unblock_processes("GPU-a");
}

TEST_F(SamplerTest, AHangingProcessListIsSaidAndItsOldProcessesAreNotShown) {
  backend_->plug("GPU-a", warm(50));
  backend_->set_processes("GPU-a", {GpuProcess{.pid = 42, .name = "train"}});
  tick();
  backend_->block_processes("GPU-a");
  for (int i = 0; i < 5; ++i) {
    clock_.advance(1s);
    tick();
  }
  EXPECT_TRUE(device(*out_.read(), "GPU-a").processes->empty());
  EXPECT_EQ(device(*out_.read(), "GPU-a").processes_reason,
            "the driver did not answer within 200 ms when asked for the processes; it is asked again when it does");
  backend_->unblock_processes("GPU-a");
  eventually([&] {
    clock_.advance(1s);
    return !device(*tick(), "GPU-a").processes->empty();
  });
  EXPECT_EQ(device(*out_.read(), "GPU-a").processes_reason, "");
}

TEST_F(SamplerTest, ADeviceThatHungIsNotWaitedForLongerAfterwards) {
  struct Watching final : Runner {
    void run(std::span<const std::shared_ptr<Task>> tasks) override {
      most = std::chrono::nanoseconds(0);
      for (const auto& task : tasks) most = std::max(most, task->patience);
      real.run(tasks);
    }
    ThreadRunner real;
    std::chrono::nanoseconds most{0};
  } runner;
  options_.deadline = 50ms;
  options_.slack = 500us;
  options_.list_period = options_.process_period = std::chrono::hours(1);
  Sampler sampler(backends_, clock_, runner, out_, options_);
  backend_->plug("GPU-a", warm(50));
  sampler.tick();
  backend_->block("GPU-a");
  clock_.advance(1s);
  sampler.tick();
  const auto hung_since = std::chrono::steady_clock::now();
  eventually([&] { return std::chrono::steady_clock::now() - hung_since > options_.deadline; });
  clock_.advance(1s);
  sampler.tick();
  EXPECT_FALSE(device(*out_.read(), "GPU-a").available);
  backend_->unblock("GPU-a");
  eventually([&] {
    clock_.advance(1s);
    sampler.tick();
    return device(*out_.read(), "GPU-a").available;
  });
  clock_.advance(1s);
  sampler.tick();
  EXPECT_LT(runner.most, options_.deadline);
}

TEST_F(SamplerTest, ADeviceThatMayNotBeReadIsUnavailableAtOnce) {
  backend_->plug("GPU-a", warm(50));
  tick();
  backend_->set_error("GPU-a", {Errc::not_permitted, "open /dev/nvidia0: permission denied"});
  clock_.advance(1s);
  EXPECT_FALSE(device(*tick(), "GPU-a").available);
  EXPECT_EQ(device(*out_.read(), "GPU-a").reading.temperature, Metric<Celsius>(missing(Missing::not_permitted)));
}

TEST_F(SamplerTest, ASourceThatCannotListSaysWhy) {
  backend_->set_list_error(Error{Errc::unavailable, "the NVIDIA driver is not loaded: modprobe nvidia"});
  const auto snapshot = tick();
  EXPECT_FALSE(snapshot->sources.front().available);
  EXPECT_EQ(snapshot->sources.front().message, "the NVIDIA driver is not loaded: modprobe nvidia");
  EXPECT_TRUE(snapshot->devices.empty());
  EXPECT_EQ(overall_state(*snapshot), State::unavailable);
}

TEST_F(SamplerTest, TheFirstSourceThatListsAPciAddressOwnsIt) {
  const auto second = std::make_shared<FakeBackend>("basic");
  backends_.push_back(second);
  Device device;
  device.id = DeviceId{"GPU-a"};
  device.name = "by nvml";
  device.pci = PciAddress::parse("0000:01:00.0");
  backend_->plug(device, warm(50));
  device.id = DeviceId{"PCI-0000:01:00.0"};
  device.name = "by basic";
  second->plug(device, warm(10));
  const auto snapshot = tick();
  ASSERT_EQ(snapshot->devices.size(), 1u);
  EXPECT_EQ(snapshot->devices[0].device->name, "by nvml");
  EXPECT_EQ(second->reads("PCI-0000:01:00.0"), 0u);
}

TEST_F(SamplerTest, ADeviceThatItsSourceLostIsTakenOverByAnotherThatListsIt) {
  const auto second = std::make_shared<FakeBackend>("basic");
  backends_.push_back(second);
  Device device;
  device.id = DeviceId{"GPU-a"};
  device.pci = PciAddress::parse("0000:01:00.0");
  backend_->plug(device, warm(50));
  tick();
  // Its driver was exchanged: unbound from one, bound to the other.
  backend_->unplug("GPU-a");
  device.id = DeviceId{"PCI-0000:01:00.0"};
  second->plug(device, warm(10));
  const auto ticks = [&](int count) {
    for (int i = 0; i < count; ++i) {
      clock_.advance(1s);
      tick();
    }
  };
  ticks(12);
  auto snapshot = out_.read();
  ASSERT_EQ(snapshot->devices.size(), 1u);
  EXPECT_EQ(snapshot->devices[0].device->source, "basic");
  EXPECT_TRUE(snapshot->devices[0].available);
  backend_->plug("GPU-a", warm(51));
  ticks(12);
  snapshot = out_.read();
  ASSERT_EQ(snapshot->devices.size(), 1u);
  EXPECT_EQ(snapshot->devices[0].device->id.text, "GPU-a");
  EXPECT_EQ(snapshot->devices[0].reading.temperature, Celsius(51));
}

TEST_F(SamplerTest, DevicesOfAllSourcesStandInPciOrder) {
  const auto second = std::make_shared<FakeBackend>("amdgpu");
  backends_.push_back(second);
  const auto plug = [](FakeBackend& backend, const std::string& id, const char* pci) {
    Device device;
    device.id = DeviceId{id};
    device.pci = PciAddress::parse(pci);
    backend.plug(device, warm(50));
  };
  plug(*backend_, "GPU-c", "0000:41:00.0");
  plug(*second, "AMD-b", "0000:09:00.0");
  plug(*second, "AMD-d", "0001:01:00.0");
  std::vector<std::string> order;
  for (const DeviceSnapshot& d : tick()->devices) order.push_back(d.device->id.text);
  EXPECT_THAT(order, ElementsAre("AMD-b", "GPU-c", "AMD-d"));
}

TEST_F(SamplerTest, ADeviceMayLearnItsUuidLater) {
  Device device;
  device.id = DeviceId{"PCI-0000:01:00.0"};
  device.pci = PciAddress::parse("0000:01:00.0");
  backend_->plug(device, warm(50));
  tick();
  backend_->unplug("PCI-0000:01:00.0");
  device.id = DeviceId{"GPU-a"};
  backend_->plug(device, warm(51));
  for (int i = 0; i < 6; ++i) {
    clock_.advance(1s);
    tick();
  }
  const auto snapshot = out_.read();
  ASSERT_EQ(snapshot->devices.size(), 1u);
  EXPECT_EQ(snapshot->devices[0].device->id.text, "GPU-a");
  EXPECT_EQ(snapshot->devices[0].reading.temperature, Celsius(51));
}

TEST_F(SamplerTest, PartitionsComeAndGoWithTheirOwnReadings) {
  Device gpu;
  gpu.id = DeviceId{"GPU-a"};
  gpu.pci = PciAddress::parse("0000:01:00.0");
  backend_->plug(gpu, warm(50));
  Device mig;
  mig.id = DeviceId{"MIG-1"};
  mig.parent = gpu.id;
  mig.partition = "1g.10gb";
  backend_->plug(mig, warm(20));
  mig.id = DeviceId{"MIG-2"};
  backend_->plug(mig, warm(30));
  const auto first = tick();
  ASSERT_EQ(first->devices.size(), 1u);
  ASSERT_EQ(first->devices[0].partitions.size(), 2u);
  EXPECT_EQ(first->devices[0].partitions[1].reading.temperature, Celsius(30));
  EXPECT_TRUE(first->devices[0].partitions[1].available);
  backend_->unplug("MIG-1");
  for (int i = 0; i < 6; ++i) {
    clock_.advance(1s);
    tick();
  }
  const auto later = out_.read();
  ASSERT_EQ(later->devices[0].partitions.size(), 1u);
  EXPECT_EQ(later->devices[0].partitions[0].device->id.text, "MIG-2");
  EXPECT_EQ(later->devices[0].partitions[0].reading.temperature, Celsius(30));
}

TEST_F(SamplerTest, WhateverCallFailsEveryTickPublishesAndTheNextGoodOneIsWhole) {
  backend_->plug("GPU-a", warm(50));
  backend_->plug("GPU-b", warm(50));
  for (std::uint64_t n = 1; n <= 20; ++n) {
    Published<Snapshot> out;
    const auto failing = std::make_shared<FailAfter>(*backend_, n);
    Sampler sampler({failing}, clock_, runner_, out, options_);
    for (int i = 0; i < 12; ++i) {
      sampler.tick();
      EXPECT_EQ(out.read()->sequence, static_cast<std::uint64_t>(i + 1));
      clock_.advance(1s);
    }
    ASSERT_EQ(out.read()->devices.size(), 2u) << "call " << n;
    EXPECT_TRUE(out.read()->devices[0].available && out.read()->devices[1].available) << "call " << n;
  }
}

TEST_F(SamplerTest, RunTicksOnceAPeriodUntilStopped) {
  class StoppingClock final : public Clock {
   public:
    MonotonicTime now() const override { return inner.now(); }
    WallTime wall() const override { return inner.wall(); }
    void sleep_until(MonotonicTime until, std::stop_token stop) override {
      inner.sleep_until(until, stop);
      if (--left == 0) source.request_stop();
    }
    FakeClock inner;
    int left = 5;
    std::stop_source source;
  };
  backend_->plug("GPU-a", warm(50));
  StoppingClock clock;
  const auto begin = clock.now();
  Sampler sampler(backends_, clock, runner_, out_, options_);
  sampler.run(clock.source.get_token());
  EXPECT_EQ(out_.read()->sequence, 5u);
  EXPECT_EQ(clock.now() - begin, 5s);
}

}  // namespace
}  // namespace gpukeeper
