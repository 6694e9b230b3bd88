#include "machine/disks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_kernel_calls.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr std::string_view kFileSystems = "nodev\tsysfs\nnodev\tnfs4\nnodev\toverlay\n\text4\n\txfs\n";

TEST(DisksTest, OnlyWhatLiesOnABlockDeviceIsADisk) {
  const auto mounts = parse_mounts(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "23 22 0:21 / /sys rw shared:2 - sysfs sysfs rw\n"
      "24 22 0:44 / /home rw - nfs4 server:/home rw\n"
      "25 22 8:17 / /data rw master:3 shared:4 - xfs /dev/sdb1 rw\n"
      "26 22 0:50 / /var/lib/docker/overlay rw - overlay overlay rw\n",
      kFileSystems);
  EXPECT_THAT(mounts, ElementsAre(Mount{"8:1", "/dev/sda1", "/", "ext4"}, Mount{"8:17", "/dev/sdb1", "/data", "xfs"}));
}

TEST(DisksTest, ADeviceThatIsMountedSeveralTimesStandsOnceAsAWhole) {
  const auto mounts = parse_mounts(
      "1 0 8:1 /docker/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
      "2 0 8:1 / /very/long/path rw - ext4 /dev/sda1 rw\n"
      "3 0 8:1 / /data rw - ext4 /dev/sda1 rw\n"
      "4 0 8:1 / /longer/again rw - ext4 /dev/sda1 rw\n",
      kFileSystems);
  EXPECT_THAT(mounts, ElementsAre(Mount{"8:1", "/dev/sda1", "/data", "ext4"}));
}

TEST(DisksTest, NamesAreAsTheirUsersWroteThem) {
  const auto mounts = parse_mounts("1 0 8:1 / /my\\040disk\\134\\012 rw - ext4 /dev/disk\\040one rw\n", kFileSystems);
  EXPECT_THAT(mounts, ElementsAre(Mount{"8:1", "/dev/disk one", "/my disk\\\n", "ext4"}));
}

TEST(DisksTest, LinesThatAreNoneAreLeftOut) {
  for (const std::string_view text :
       {"", "\n\n", "1 2 3", "1 0 8:1 / /x rw ext4 /dev/sda1 rw\n", "- ext4 /dev/sda1 rw\n", "1 0 8:1 / /x rw -\n",
        "1 0 8:1 / /x rw - ext4\n", "\xff\xfe\\9 \\ - - -\n"}) {
    EXPECT_THAT(parse_mounts(text, kFileSystems), IsEmpty()) << text;
  }
  EXPECT_THAT(parse_mounts("1 0 8:1 / /x rw - ext4 /dev/sda1 rw\n", ""), IsEmpty());
}

TEST(DisksTest, NoMoreThan256) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "1 0 8:" + std::to_string(i) + " / /x rw - ext4 /dev/sda1 rw\n";
  EXPECT_EQ(parse_mounts(text, kFileSystems).size(), 256u);
}

TEST(DisksTest, CountersAreByTheDevicesNumber) {
  const auto counters = parse_disk_counters(
      "   8       1 sda1 100 5 2000 30 40 6 800 7 0 1 2 3 4 5 6\n   8 2 sda2 1 2 3\n x 1 sda3 1 2 3 4 5 6 7 8\n");
  EXPECT_THAT(counters, ElementsAre(std::pair(std::string("8:1"), DiskCounters{100, 1'024'000, 40, 409'600})));
}

class DiskFactsTest : public testing::Test {
 protected:
  DiskFactsTest() {
    files_.write("/proc/self/mountinfo",
                 "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 0 8:2 / /gone rw - ext4 /dev/sda2 rw\n");
    files_.write("/proc/filesystems", std::string(kFileSystems));
    calls_.spaces["/"] = {100_MiB, 30_MiB, 60_MiB};
  }
  MemoryFiles files_;
  FakeKernelCalls calls_;
};

TEST_F(DiskFactsTest, RatesAreOfTheTimeBetweenTheLooks) {
  const auto disks = disk_facts(files_, calls_, {{"8:1", {10, 1000, 20, 2000}}}, {{"8:1", {30, 5000, 20, 8000}}}, 2s);
  ASSERT_EQ(disks.size(), 1u);  // of the other nobody tells the room
  EXPECT_EQ(disks[0].mount.device, "/dev/sda1");
  EXPECT_THAT(disks[0].reads_per_second, Optional(10.0));
  EXPECT_THAT(disks[0].read_bytes_per_second, Optional(2000.0));
  EXPECT_THAT(disks[0].writes_per_second, Optional(0.0));
  EXPECT_THAT(disks[0].written_bytes_per_second, Optional(3000.0));
}

TEST_F(DiskFactsTest, TheShareIsOfWhatUsersMayHave) {
  const auto disks = disk_facts(files_, calls_, {}, {}, 1s);
  ASSERT_EQ(disks.size(), 1u);
  EXPECT_NEAR(disks[0].used_share()->value(), 33.33, 0.01);
  EXPECT_EQ(disks[0].reads_per_second, std::nullopt);
  EXPECT_EQ(DiskFacts{}.used_share(), std::nullopt);
}

TEST_F(DiskFactsTest, ADiskThatCameAnewHasNoRates) {
  const auto disks = disk_facts(files_, calls_, {{"8:1", {10, 1000, 20, 2000}}}, {{"8:1", {1, 1, 1, 1}}}, 2s);
  EXPECT_EQ(disks[0].reads_per_second, std::nullopt);
}

TEST_F(DiskFactsTest, NoFileNoDisks) {
  files_.fail("/proc/self/mountinfo", Errc::not_permitted);
  EXPECT_THAT(disk_facts(files_, calls_, {}, {}, 1s), IsEmpty());
  EXPECT_THAT(calls_.take_asked(), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper
