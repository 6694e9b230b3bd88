#include "engine/playback.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rfc3339.hpp"
#include "core/text.hpp"
#include "device/metric_table.hpp"
#include "device/resolution.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/temporary_folder.hpp"
#include "recording/recorder.hpp"
#include "recording/writer.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using recording::Offset;
using testing::HasSubstr;

const std::string kScenarios = GPUKEEPER_SOURCE_DIR "/examples/scenarios/";

std::vector<std::string> shipped_scenarios() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kScenarios)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

// A value as a recording keeps it.
Metric<MetricValue> kept(const MetricRow& row, const DeviceSnapshot& d) {
  auto value = row.value(*d.device, d.reading);
  if (auto* number = value ? std::get_if<double>(&*value) : nullptr) *number = as_recorded(row.unit, *number);
  return value;
}

std::string kept_percent(const Metric<Percent>& value) {
  return value ? to_string(MetricValue(as_recorded("percent", value->value()))) : "-";
}

// All that an output could show of a device but its metrics, as text.
void describe(std::string& text, const DeviceSnapshot& d) {
  text += d.device->id.text + " " + std::string(to_string(d.state)) + (d.available ? " " : " unavailable ") + d.reason;
  if (d.read_at) {
    text +=
        " read " + std::to_string(std::chrono::floor<std::chrono::milliseconds>(d.read_at->time_since_epoch()).count());
  }
  text += " attention " + std::to_string(static_cast<int>(d.reading.attention)) + "\n";
  text += d.processes_reason + "\n";
  for (const GpuProcess& p : *d.processes) {
    text += std::to_string(p.pid) + " " + p.name + " " + p.type.to_string() + " " +
            (p.memory ? std::to_string(p.memory->value()) : "-") + " " + kept_percent(p.utilization) + " " +
            (p.facts ? p.facts->command_line.value_or("-") + " " + p.facts->user.value_or("-") : "nobody") + "\n";
  }
  for (const DeviceSnapshot& partition : d.partitions) describe(text, partition);
}

std::string describe(const Snapshot& snapshot) {
  std::string text = snapshot.host + " " + rfc3339(snapshot.taken_at) + "\n";
  for (const SourceStatus& source : snapshot.sources) text += source.name + ": " + source.message + "\n";
  for (const DeviceSnapshot& device : snapshot.devices) describe(text, device);
  for (const DeviceEvent& event : snapshot.events) text += event.detail + std::to_string(event.code) + "\n";
  return text;
}

// What the sampler made of the devices.
std::string judge(const Snapshot& snapshot) {
  std::string text = rfc3339(snapshot.taken_at) + "\n";
  for (const DeviceSnapshot& d : snapshot.devices) {
    text += d.device->id.text + " " + std::string(to_string(d.state)) + " " + d.reason + "\n";
  }
  return text;
}

// Only the first line that differs: a whole snapshot is long.
std::string first_difference(const std::string& a, const std::string& b) {
  if (a == b) return "";
  const auto left = lines(a);
  const auto right = lines(b);
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const auto l = i < left.size() ? left[i] : "(none)";
    const auto r = i < right.size() ? right[i] : "(none)";
    if (l != r) return std::string(l) + "\n  replayed: " + std::string(r);
  }
  return "";
}

// The first metric that two snapshots of a device tell differently. Compared as values: as text it is what takes a
// minute of a test that has a hundred metrics of eighteen devices to look at, ten minutes long.
std::string metric_difference(const DeviceSnapshot& a, const DeviceSnapshot& b) {
  const auto text = [](const Metric<MetricValue>& v) { return v ? to_string(*v) : std::string(to_string(v.error())); };
  for (const MetricRow& row : metric_table()) {
    // Worked out anew, from values that were cut off; and so the governor may pass a border a sample sooner or later.
    constexpr std::array<std::string_view, 3> kAnew = {"temperature_margin_celsius", "speed_multiplier",
                                                       "should_throttle"};
    if (std::ranges::find(kAnew, row.name) != kAnew.end()) continue;
    const auto left = kept(row, a);
    const auto right = kept(row, b);
    if (left != right) {
      return a.device->id.text + " " + std::string(row.name) + "=" + text(left) + "\n  replayed: " + text(right);
    }
  }
  return "";
}

std::string metric_difference(const std::vector<DeviceSnapshot>& a, const std::vector<DeviceSnapshot>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {  // how many there are, the description says
    auto found = metric_difference(a[i], b[i]);
    if (found.empty()) found = metric_difference(a[i].partitions, b[i].partitions);
    if (!found.empty()) return found;
  }
  return "";
}

class PlaybackTest : public ::testing::Test {
 protected:
  /// Records a scenario for so long; answers its snapshots.
  std::vector<Snapshot> record(const std::string& scenario, std::chrono::seconds length) {
    const std::vector<std::string> sources{"simulated:" + kScenarios + scenario + ".yaml"};
    const auto clock = *clock_for(sources, Speed(), {}, std::make_shared<FakeClock>());
    const auto recorder = std::make_shared<recording::Recorder>(*clock);
    auto session = Session::open(sources, clock, {.prepare = [&](Sources& opened, EngineOptions&) -> Result<void> {
                                   recording::Recorder::listen(recorder, opened.backends, opened.events);
                                   return {};
                                 }});
    auto writer = recording::Writer::create(path, {.force = true, .program = "test", .host = "machine"});
    std::vector<Snapshot> snapshots;
    for (std::chrono::seconds at{0}; at <= length; ++at) {
      auto snapshot = *(*session)->step();
      snapshot.host = "machine";
      snapshots.push_back(snapshot);
      EXPECT_TRUE(writer->add(recorder->frame(*snapshot.who)));
      clock->sleep_until(*(*session)->next_due({}), {});
    }
    EXPECT_TRUE(writer->close());
    return snapshots;
  }
  std::vector<std::string> source() const { return {"replay:" + path}; }
  std::string refusal(std::span<const std::string> sources, std::optional<std::string> at) {
    auto clock = *clock_for(sources, std::nullopt, {}, std::make_shared<FakeClock>());
    const auto session = Session::open(sources, clock, {.at = std::move(at)});
    return session ? "it was opened" : session.error().message;
  }
  std::shared_ptr<const Snapshot> shown_at(std::optional<std::string> at) {
    const auto sources = source();
    auto clock = *clock_for(sources, std::nullopt, {}, std::make_shared<FakeClock>());
    auto session = Session::open(sources, clock, {.at = std::move(at), .begin_at_end = true});
    EXPECT_TRUE(session) << session.error().message;
    return session ? (*session)->step() : nullptr;
  }

  const TemporaryFolder folder;
  const std::string path = (folder.path() / "r.gkr").string();
};

class ShippedScenarioTest : public PlaybackTest, public testing::WithParamInterface<std::string> {};

TEST_P(ShippedScenarioTest, ReplaysAsItWasRecorded) {
  const auto recorded = record(GetParam(), 600s);
  std::size_t at = 0;
  const auto played = play(source(), {}, [&](const Snapshot& snapshot) {
    EXPECT_TRUE(snapshot.replayed);
    if (at < recorded.size()) {
      EXPECT_EQ(first_difference(describe(recorded[at]), describe(snapshot)), "") << "at " << at << " s";
      EXPECT_EQ(metric_difference(recorded[at].devices, snapshot.devices), "") << "at " << at << " s";
    }
    for (const DeviceSnapshot& device : snapshot.devices) {
      EXPECT_TRUE(device.device->recorded);
      EXPECT_TRUE(device.device->simulated);
    }
    ++at;
    return !testing::Test::HasFailure();
  });
  EXPECT_TRUE(played) << played.error().message;
  EXPECT_EQ(at, recorded.size());
}

INSTANTIATE_TEST_SUITE_P(Every, ShippedScenarioTest, testing::ValuesIn(shipped_scenarios()), [](const auto& each) {
  std::string name = each.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_F(PlaybackTest, AHangIsAHangHoweverFastItIsRecorded) {
  const auto said = record("faults", 100s);
  EXPECT_THAT(judge(said[59]), testing::Not(HasSubstr("did not answer")));
  EXPECT_THAT(judge(said[62]), HasSubstr("the driver did not answer within 500 ms"));
  EXPECT_THAT(judge(said[95]), testing::Not(HasSubstr("did not answer")));
}

TEST_F(PlaybackTest, HowThingsStoodAtAMomentIsKnownWithoutPlayingAll) {
  const auto recorded = record("faults", 200s);
  for (const int second : {0, 30, 59, 62, 76, 99, 103, 130, 200}) {
    const auto snapshot = shown_at(std::to_string(second));
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(first_difference(judge(recorded[static_cast<std::size_t>(second)]), judge(*snapshot)), "") << second;
  }
  EXPECT_EQ(first_difference(judge(recorded[200]), judge(*shown_at(std::nullopt))), "");
}

TEST_F(PlaybackTest, AMomentIsCountedFromTheBeginFromTheEndOrIsADate) {
  record("two-gpus", 100s);  // begins at 2026-05-28T21:26:40Z, the fake clock's
  const auto end = shown_at(std::nullopt)->taken_at;
  EXPECT_EQ(end - shown_at("0")->taken_at, 100s);
  EXPECT_EQ(end - shown_at("90")->taken_at, 10s);
  EXPECT_EQ(end - shown_at("1m30s")->taken_at, 10s);
  EXPECT_EQ(end - shown_at("-30s")->taken_at, 30s);
  EXPECT_EQ(end - shown_at("-30")->taken_at, 30s);
  EXPECT_EQ(end - shown_at("2026-05-28T21:27:00.000Z")->taken_at, 80s);
  const std::string lasts = "; the recording lasts 1m40s, from 2026-05-28T21:26:40.000Z to 2026-05-28T21:28:20.000Z";
  EXPECT_EQ(refusal(source(), "2h"), "--at 2h: that moment was not recorded" + lasts);
  EXPECT_EQ(refusal(source(), "2026-05-27T21:27:00Z"),
            "--at 2026-05-27T21:27:00Z: that moment was not recorded" + lasts);
  EXPECT_EQ(
      refusal(source(), "soon"),
      "--at soon: takes seconds or a duration from the begin (90, 1h30m), from the end (-30s), or a date" + lasts);
}

TEST_F(PlaybackTest, EveryShippedRecordingIsPlayedFromBeginToEndAndIsLabelled) {
  int recordings = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GPUKEEPER_SOURCE_DIR "/examples/recordings")) {
    if (entry.path().extension() != ".gkr") continue;
    SCOPED_TRACE(entry.path().filename());
    ++recordings;
    const auto reader = recording::Reader::open(entry.path().string());
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_TRUE((*reader)->header().simulated);
    EXPECT_GE((*reader)->end(), 60s);
    const std::vector<std::string> sources{"replay:" + entry.path().string()};
    const bool of_a_day = entry.path().stem() == "day";  // a frame a minute; of the others one a second
    int snapshots = 0;
    int unavailable = 0;
    std::size_t events = 0;
    ASSERT_TRUE(play(sources, {}, [&](const Snapshot& snapshot) {
      ++snapshots;
      events += snapshot.events.size();
      EXPECT_FALSE(snapshot.devices.empty());
      for (const DeviceSnapshot& device : snapshot.devices) {
        EXPECT_TRUE(device.device->simulated && device.device->recorded);
        unavailable += device.state == State::unavailable ? 1 : 0;
      }
      return true;
    }));
    EXPECT_EQ(snapshots, (*reader)->end().count() / (of_a_day ? 60'000 : 1000) + 1);
    EXPECT_EQ(unavailable > 0, of_a_day || entry.path().stem() == "faults");
    EXPECT_EQ(events > 0, entry.path().stem() == "faults");
    while ((*reader)->next() != nullptr) continue;
    EXPECT_TRUE((*reader)->notes().empty());
  }
  EXPECT_EQ(recordings, 4);
}

TEST_F(PlaybackTest, ASpeedIsForWhatIsPlayed) {
  const std::vector<std::string> live{"auto"};
  const std::vector<std::string> none;
  for (const auto& sources : {live, none}) {
    const auto clock = clock_for(sources, Speed(60), {}, std::make_shared<FakeClock>());
    ASSERT_FALSE(clock);
    EXPECT_EQ(clock.error(), (Error{Errc::invalid_argument,
                                    "--speed is for recordings and simulated machines (--source replay:FILE or "
                                    "simulated:FILE): a machine that lives has a time of its own"}));
  }
  EXPECT_EQ(refusal(live, "90"), "--at is for recordings (--source replay:FILE)");
}

TEST_F(PlaybackTest, ARecordingIsPlayedAlone) {
  record("two-gpus", 1s);
  const std::vector<std::string> both{"replay:" + path, "auto"};
  EXPECT_EQ(refusal(both, std::nullopt),
            "source 'replay:" + path + "' is a recording, which is played alone: name no other source");
}

TEST_F(PlaybackTest, SpeedsAreReadAndRefused) {
  EXPECT_EQ(*parse_speed("60"), Speed(60));
  EXPECT_EQ(*parse_speed("0.5"), Speed(0.5));
  EXPECT_EQ(*parse_speed("max"), Speed());
  for (const char* text : {"0", "-1", "fast", "", "1e9", "nan"}) {
    ASSERT_FALSE(parse_speed(text)) << text;
    EXPECT_EQ(parse_speed(text).error().message,
              "--speed takes a number from 0.001 to 1000000, or max, not '" + std::string(text) + "'");
  }
}

TEST_F(PlaybackTest, WhoPlaysSeesWhatHasComeTogether) {
  std::size_t remembered = 0;
  const std::vector<std::string> sources{"simulated:" + kScenarios + "heating.yaml"};
  ASSERT_TRUE(play(sources, {.length = 300s}, [&](const Snapshot& snapshot, Session& session) {
    const auto& device = snapshot.devices.front().device->id;
    remembered = session.engine().history()->values(device, "temperature_celsius", MonotonicTime())->size();
    return true;
  }));
  EXPECT_EQ(remembered, 301u);
}

TEST_F(PlaybackTest, ASimulatedMachineIsPlayedForAWhile) {
  const std::vector<std::string> sources{"simulated:" + kScenarios + "faults.yaml"};
  int snapshots = 0;
  bool lost = false;
  ASSERT_TRUE(play(sources, {.length = 120s}, [&](const Snapshot& snapshot) {
    ++snapshots;
    lost |= snapshot.devices.at(1).reason.find("fallen off the bus") != std::string::npos;
    return true;
  }));
  EXPECT_EQ(snapshots, 121);
  EXPECT_TRUE(lost);
  const auto endless = play(sources, {}, [](const Snapshot&) { return true; });
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().message, "a source that is no recording has no end: say how long it is to be played");
}

TEST_F(PlaybackTest, APlayEndsWhenItsAudienceHasSeenEnough) {
  record("two-gpus", 100s);
  int snapshots = 0;
  ASSERT_TRUE(play(source(), {}, [&](const Snapshot&) { return ++snapshots < 7; }));
  EXPECT_EQ(snapshots, 7);
}

TEST_F(PlaybackTest, ARecordingEnds) {
  record("two-gpus", 3s);
  const auto sources = source();
  auto clock = *clock_for(sources, std::nullopt, {}, std::make_shared<FakeClock>());
  auto session = *Session::open(sources, clock, {});
  for (int step = 0; step < 4; ++step) {
    session->step();
    EXPECT_EQ(session->ended(), step == 3);
    if (step < 3) clock->sleep_until(*session->next_due({}), {});
  }
  EXPECT_EQ(session->next_due({}), std::nullopt);
  EXPECT_EQ(session->next_due(1s), std::nullopt);
}

TEST_F(PlaybackTest, WhoPreparesMayRefuse) {
  const std::vector<std::string> sources{"simulated:" + kScenarios + "two-gpus.yaml"};
  const auto clock = *clock_for(sources, Speed(), {}, std::make_shared<FakeClock>());
  const auto session = Session::open(sources, clock, {.prepare = [](Sources&, EngineOptions&) -> Result<void> {
                                       return fail(Errc::resource_exhausted, "the disk is full");
                                     }});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error(), (Error{Errc::resource_exhausted, "the disk is full"}));
}

}  // namespace
}  // namespace gpukeeper
