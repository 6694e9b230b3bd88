#include "events/event_filter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::events {
namespace {

using testing::ElementsAre;

TEST(EventFilterTest, WithoutDevicesItTakesWhateverItIsAbout) {
  const EventFilter filter;
  EXPECT_TRUE(filter.fits(EventType::fault, {}));
  EXPECT_TRUE(filter.fits(EventType::fault, {"GPU-a"}));
}

TEST(EventFilterTest, WithDevicesItTakesWhatIsAboutOneOfThem) {
  EventFilter filter;
  filter.devices = {"GPU-a", "GPU-b"};
  EXPECT_TRUE(filter.fits(EventType::fault, {"GPU-b"}));
  EXPECT_TRUE(filter.fits(EventType::fault, {"MIG-0", "GPU-a"}));  // of a partition, its device's too
  EXPECT_FALSE(filter.fits(EventType::fault, {"GPU-c"}));
  EXPECT_FALSE(filter.fits(EventType::fault, {}));  // the machine as a whole is no GPU
  EXPECT_TRUE(filter.fits(EventType::snapshot, {}));
}

TEST(EventFilterTest, DevicesAreNamedAsEverywhere) {
  const Snapshot snapshot = four_gpus();
  EXPECT_THAT(parse_event_devices("1,0000:01:00.0,GPU-bbbb", snapshot).value(), ElementsAre("GPU-aaaa", "GPU-bbbb"));
  const auto unknown = parse_event_devices("0,9", snapshot);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::not_found);
}

}  // namespace
}  // namespace gpukeeper::events
