#include "backend/kernel/dev_coredumps.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "machine.hpp"

namespace gpukeeper {
namespace {

class DevCoredumpsTest : public testing::Test {
 protected:
  DevCoredumpsTest() {
    tree_.add("0000:03:00.0", "xe", "0000:00:01.0/");
    tree_.add("0000:04:00.0", "iwlwifi", "", "0x028000");
    tree_.files.write("/sys/class/devcoredump/disabled", "0\n");
  }
  void dump(const std::string& name, const std::string& address) {
    tree_.files.link("/sys/class/devcoredump/" + name + "/failing_device",
                     "../../../pci0000:00/0000:00:01.0/" + address);
    tree_.files.write("/sys/class/devcoredump/" + name + "/data", "state");
  }
  std::vector<DeviceEvent> take() { return *dumps_.take_events(); }

  PciTree tree_;
  FakeClock clock_;
  DevCoredumps dumps_{tree_.files, clock_};
};

TEST_F(DevCoredumpsTest, ADumpOfAGpuIsAnEventThatSaysHowToSaveIt) {
  EXPECT_TRUE(take().empty());
  dump("devcd1", "0000:03:00.0");
  const auto events = take();
  ASSERT_EQ(events.size(), 1u);
  DeviceEvent expected;
  expected.kind = EventKind::devcoredump;
  expected.at = clock_.wall();
  expected.pci = PciAddress::parse("0000:03:00.0");
  expected.detail = "save it with `sudo cp /sys/class/devcoredump/devcd1/data FILE` before the kernel deletes it";
  expected.source = "device core dumps";
  expected.key = "0f00ba11-0000-4000-8000-000000000001/devcd1";
  EXPECT_EQ(events.front(), expected);
}

TEST_F(DevCoredumpsTest, EachIsToldOnce) {
  dump("devcd1", "0000:03:00.0");
  EXPECT_EQ(take().size(), 1u);
  dump("devcd2", "0000:03:00.0");
  EXPECT_EQ(take().size(), 1u);
  tree_.files.remove("/sys/class/devcoredump/devcd1");
  EXPECT_TRUE(take().empty());
}

TEST_F(DevCoredumpsTest, OtherDevicesDumpsAreNotOurs) {
  dump("devcd1", "0000:04:00.0");
  dump("devcd2", "nonsense");
  EXPECT_TRUE(take().empty());
}

TEST_F(DevCoredumpsTest, TheDumpItselfIsNotRead) {
  dump("devcd1", "0000:03:00.0");
  tree_.files.take_accesses();
  take();
  for (const auto& path : tree_.files.take_accesses()) EXPECT_FALSE(path.ends_with("/data")) << path;
}

TEST_F(DevCoredumpsTest, AKernelWithoutDumpsHasNone) {
  tree_.files.remove("/sys/class/devcoredump");
  EXPECT_TRUE(take().empty());
}

}  // namespace
}  // namespace gpukeeper
