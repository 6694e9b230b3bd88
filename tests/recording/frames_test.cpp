#include "recording/frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recording/frames_of.hpp"

namespace gpukeeper::recording {
namespace {

using namespace std::chrono_literals;

class FramesTest : public ::testing::Test {
 protected:
  void read(const std::string& text) {
    std::size_t begin = 0;
    while (begin < text.size()) {
      const auto end = text.find('\n', begin);
      const auto looked = reader.look(std::string_view(text).substr(begin, end - begin));
      ASSERT_TRUE(looked) << looked.error().message;
      reader.apply();
      begin = end + 1;
    }
  }
  const DeviceCalls& device() { return reader.frame().state.sources.at(0).devices.at(DeviceId{"GPU-a"}); }

  FrameWriter writer;
  Notes notes;
  FrameReader reader{notes};
  const Header header{.started = WallTime(1'780'000'000s),
                      .host = "machine",
                      .program = "gpukeeper 1",
                      .sources = {"fake"},
                      .event_sources = {"fake events"}};
};

TEST_F(FramesTest, TheFirstLineNamesTheFormat) {
  const auto text = writer.first(header, test_frame(0ms, 100));
  EXPECT_TRUE(text.starts_with("{\"format\":\"gpukeeper.recording/1\",")) << text;
}

TEST_F(FramesTest, AFrameHoldsOnlyWhatHasChanged) {
  writer.first(header, test_frame(0ms, 100));
  EXPECT_EQ(writer.next(test_frame(1000ms, 100)), "{\"t\":1}\n");
  EXPECT_EQ(writer.next(test_frame(2500ms, 101.5)),
            "{\"t\":2.5,\"change\":{\"sources\":{\"fake\":{\"devices\":{\"GPU-a\":{\"reading\":{\"value\":{\"metrics\":"
            "{\"power_watts\":101.5}}}}}}}}}\n");
}

TEST_F(FramesTest, AWholeNumberHasNoDecimals) {
  writer.first(header, test_frame(0ms, 100.5));
  EXPECT_THAT(writer.next(test_frame(1000ms, 102)), testing::HasSubstr("{\"power_watts\":102}"));
}

TEST_F(FramesTest, AnErrorTakesThePlaceOfAReadingAndBack) {
  auto failed = test_frame(1000ms, 0);
  failed.state.sources[0].devices[DeviceId{"GPU-a"}].reading.outcome =
      Result<Reading>(gpukeeper::fail(Errc::not_found, "it fell off the bus"));
  read(writer.first(header, test_frame(0ms, 100)));
  read(writer.next(failed));
  ASSERT_FALSE(*device().reading.outcome);
  EXPECT_EQ(device().reading.outcome->error(), (Error{Errc::not_found, "it fell off the bus"}));
  read(writer.next(test_frame(2000ms, 120)));
  ASSERT_TRUE(*device().reading.outcome);
  EXPECT_EQ(watts_of(reader.frame()), 120);
  EXPECT_EQ((*device().reading.outcome)->temperature, Celsius(50));
}

TEST_F(FramesTest, AMetricThatGoesComesAndChangesItsReason) {
  const auto with = [](Offset at, Metric<Watts> power) {
    Frame frame = test_frame(at, 0);
    (*frame.state.sources[0].devices[DeviceId{"GPU-a"}].reading.outcome)->power = power;
    return frame;
  };
  const Metric<Watts> steps[] = {Watts(5), missing(Missing::failed), missing(Missing::asleep),
                                 missing(Missing::not_supported), Watts(7)};
  Offset at(0);
  for (const auto& power : steps) {
    read(at == 0ms ? writer.first(header, with(at, power)) : writer.next(with(at, power)));
    EXPECT_EQ((*device().reading.outcome)->power, power);
    at += 1000ms;
  }
}

TEST_F(FramesTest, ACallThatGoesOnIsNotedWithItsBegin) {
  auto hangs = test_frame(1000ms, 100);
  hangs.state.sources[0].devices[DeviceId{"GPU-a"}].reading.pending_since = 1000ms;
  read(writer.first(header, test_frame(0ms, 100)));
  read(writer.next(hangs));
  EXPECT_EQ(device().reading.pending_since, Offset(1000));
  EXPECT_TRUE(*device().reading.outcome);
  read(writer.next(test_frame(2000ms, 100)));
  EXPECT_EQ(device().reading.pending_since, std::nullopt);
}

TEST_F(FramesTest, ProcessesComeAndGoByThemselves) {
  const auto with = [](Offset at, std::vector<std::int64_t> pids) {
    Frame frame = test_frame(at, 100);
    std::vector<GpuProcess> processes;
    for (const auto pid : pids) processes.push_back({.pid = pid, .name = "train", .memory = Bytes(1 << 20)});
    frame.state.sources[0].devices[DeviceId{"GPU-a"}].processes.outcome = std::move(processes);
    return frame;
  };
  read(writer.first(header, with(0ms, {10, 9})));
  const auto line = writer.next(with(1000ms, {10, 11}));
  read(line);
  const auto& processes = **device().processes.outcome;
  ASSERT_EQ(processes.size(), 2u);
  EXPECT_EQ(processes[0].pid, 10);
  EXPECT_EQ(processes[1].pid, 11);
  EXPECT_NE(line.find("\"9\":null"), std::string::npos) << line;
  EXPECT_EQ(line.find("\"10\""), std::string::npos) << line;
  read(writer.next(with(2000ms, {})));
  EXPECT_TRUE(device().processes.outcome->value().empty());
}

TEST_F(FramesTest, EventsStandInTheFrameInWhichTheyWereTaken) {
  auto with_event = test_frame(1000ms, 100);
  with_event.events.push_back({0, {.kind = EventKind::xid, .at = WallTime(1'780'000'001s), .code = 79}});
  read(writer.first(header, test_frame(0ms, 100)));
  read(writer.next(with_event));
  ASSERT_EQ(reader.frame().events.size(), 1u);
  EXPECT_EQ(reader.frame().events[0].event.code, 79u);
  read(writer.next(test_frame(2000ms, 100)));
  EXPECT_TRUE(reader.frame().events.empty());
}

TEST_F(FramesTest, AWallClockThatIsPutRightIsFollowed) {
  read(writer.first(header, test_frame(0ms, 100)));
  read(writer.next(test_frame(1000ms, 100)));
  EXPECT_EQ(reader.frame().wall, WallTime(1'780'000'001s));
  auto jumped = test_frame(2000ms, 100);
  jumped.wall += 1h;
  read(writer.next(jumped));
  EXPECT_EQ(reader.frame().wall, jumped.wall);
  auto after = test_frame(3000ms, 100);
  after.wall += 1h;
  const auto line = writer.next(after);
  EXPECT_EQ(line, "{\"t\":3}\n");
  read(line);
  EXPECT_EQ(reader.frame().wall, after.wall);
}

TEST_F(FramesTest, TwoSourcesOfOneNameStayApart) {
  EXPECT_EQ(keys_of({"simulated", "simulated", "nvml", "simulated"}),
            (std::vector<std::string>{"simulated", "simulated#2", "nvml", "simulated#3"}));
}

TEST_F(FramesTest, AChangeIsAMergePatchOfTheWholeState) {
  const Json from = Json::parse(R"({"a":1,"b":{"c":[1,2],"d":{"e":true}},"gone":{"x":1}})");
  const Json to = Json::parse(R"({"a":1,"b":{"c":[2],"d":{}},"new":{"y":{}}})");
  const Json patch = difference(from, to);
  EXPECT_EQ(patch, Json::parse(R"({"b":{"c":[2],"d":{"e":null}},"gone":null,"new":{"y":{}}})"));
  Json merged = from;
  merged.merge_patch(patch);
  EXPECT_EQ(merged, to);
}

TEST_F(FramesTest, ALaterFormatIsRefusedByName) {
  const auto looked = reader.look(R"({"format":"gpukeeper.recording/2"})");
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error(), (Error{Errc::not_supported,
                                   "it is of the format 'gpukeeper.recording/2'; this gpukeeper reads "
                                   "'gpukeeper.recording/1': a newer one may read it"}));
}

TEST_F(FramesTest, LinesAndMembersOfLaterVersionsArePassedOver) {
  read(writer.first(header, test_frame(0ms, 100)));
  read("{\"mood\":\"good\"}\n{\"t\":1,\"mood\":\"good\",\"change\":{\"planets\":{\"mars\":4}}}\n");
  EXPECT_EQ(reader.frame().at, 1000ms);
  EXPECT_EQ(watts_of(reader.frame()), 100);
}

TEST_F(FramesTest, WhatIsNoJsonOrNestedTooDeepIsAnError) {
  EXPECT_EQ(reader.look("{\"t\":").error().message, "a line is no JSON object");
  EXPECT_EQ(reader.look("[1,2]").error().message, "a line is no JSON object");
  std::string deep = "{\"t\":1,\"state\":";
  for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
  EXPECT_EQ(reader.look(deep).error().message, "a line is nested too deep");
}

TEST_F(FramesTest, AStateWhoseHeaderComesLateIsReadFromThereOn) {
  const std::string lines = writer.first(header, test_frame(0ms, 100));
  const auto state = lines.find('\n') + 1;
  read(lines.substr(state));
  EXPECT_TRUE(reader.frame().state.sources.empty());
  read(lines.substr(0, state));
  EXPECT_EQ(watts_of(reader.frame()), 100);
  read(writer.next(test_frame(1000ms, 120)));
  EXPECT_EQ(watts_of(reader.frame()), 120);
}

TEST_F(FramesTest, AChangeWithoutAStateBeforeItSaysNothing) {
  ASSERT_TRUE(reader.look(R"({"t":1,"change":{}})"));
  EXPECT_EQ(reader.pending(), std::nullopt);
}

TEST_F(FramesTest, TimeThatGoesBackIsLeftOut) {
  read(writer.first(header, test_frame(5000ms, 100)));
  ASSERT_TRUE(reader.look(R"({"t":4,"change":{}})"));
  EXPECT_EQ(reader.pending(), std::nullopt);
  EXPECT_EQ(notes.sentences(), std::vector<std::string>{"frames whose time goes back are left out"});
}

}  // namespace
}  // namespace gpukeeper::recording
