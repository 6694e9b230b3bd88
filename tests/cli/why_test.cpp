#include "cli/why.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "captured.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Snapshot training() {
  auto d = device(0, facts("GPU-a", "NVIDIA GeForce RTX 4090", "0000:01:00.0"), busy());
  set_processes(d, {told(process(20, "python3", 60'000), mara_trains(20))});
  return machine({d});
}

Snapshot many(std::size_t count) {
  Snapshot snapshot = training();
  while (snapshot.devices.size() < count) {
    snapshot.devices.push_back(snapshot.devices.front());
    snapshot.devices.back().index = static_cast<std::uint32_t>(snapshot.devices.size() - 1);
  }
  return snapshot;
}

std::string page(const Snapshot& snapshot, const WhyOptions& options, RenderOptions render) {
  return render_why(snapshot, diagnose(snapshot, options.topic), options, render);
}

TEST(WhyTest, AnswersInSentencesUnderTheirQuestions) {
  EXPECT_EQ(page(training(), {}, {}),
            "gpukeeper · gpu-box                                          2026-05-28 20:26:40\n"
            "\n"
            "GPU fan running because of: 1 ML training process.\n"
            "\n"
            "GPU 0  NVIDIA GeForce RTX 4090\n"
            "  Why is the fan running?\n"
            "    The fan turns at 45 % of its speed, most likely because of python3 (PID 20,\n"
            "    ML training, user mara, session-4.scope, running for 2 h), which keeps the\n"
            "    GPU 97 % busy.\n"
            "    · It is at 64 °C and draws 612 W of at most 700 W.\n"
            "    · It was started as: /usr/bin/python3 train.py --epochs 90\n"
            "    · A person started it from bash (PID 4100) on pts/2.\n"
            "  Why is it slow?\n"
            "    Nothing holds it back: it is 97 % busy.\n"
            "    · It runs at 1980 MHz.\n");
}

TEST(WhyTest, ManyGpusGetAVerdictEachUnlessATopicIsAskedFor) {
  const std::string brief = page(many(5), {}, {});
  EXPECT_THAT(brief, AllOf(HasSubstr("  fan    The fan turns"), HasSubstr("  slow   Nothing holds it back"),
                           Not(HasSubstr("It was started as")),
                           EndsWith("\ngpukeeper why --device 0 tells more of one of them.\n")));
  EXPECT_THAT(page(many(4), {}, {}), HasSubstr("It was started as"));
  EXPECT_THAT(page(many(5), {.topic = Topic::fan}, {}), HasSubstr("It was started as"));
}

TEST(WhyTest, EveryLineKeepsToThePage) {
  for (const std::size_t width : {40u, 80u, 140u}) {
    RenderOptions render;
    render.width = width;
    for (const Snapshot& snapshot : {training(), four_gpus(), many(6)}) {
      const std::string text = page(snapshot, {}, render);
      for (const auto line : lines(text)) EXPECT_LE(display_width(line), width) << line;
    }
  }
}

TEST(WhyTest, WithoutUtf8EverySignIsSpelled) {
  RenderOptions render;
  render.utf8 = false;
  const std::string text = page(training(), {}, render);
  EXPECT_THAT(text, HasSubstr("    - It is at 64 C and draws"));
  EXPECT_EQ(text.find('?'), text.find("running?") + 7) << "no sign was lost";
}

TEST(WhyTest, LabelsWhatIsNotThisMachines) {
  EXPECT_THAT(page(simulated_gpu(), {}, {}), HasSubstr("GPU 0  NVIDIA GeForce RTX 4090  simulated\n"));
}

TEST(WhyTest, AWarningStandsAboveEverything) {
  Snapshot snapshot = training();
  ProcessFacts miner;
  miner.classification = {ProcessClass::mining, "pool-argument", "it is given a pool", 0.9};
  set_processes(snapshot.devices[0], {told(process(66, "xmrig", 1), miner)});
  RenderOptions render;
  render.colour = true;
  EXPECT_THAT(page(snapshot, {}, render), HasSubstr("\x1b[1;31m! \x1b[0m\x1b[1;31mSuspected cryptocurrency miner"));
}

TEST(WhyTest, TakesASecondLookWhereTheFirstLacksTheEvidence) {
  Snapshot first = training();
  first.devices[0].reading.utilization = missing(Missing::not_yet_read);
  Captured world({first, training()});
  ASSERT_TRUE(why({}, world.context));
  EXPECT_EQ(world.ticks, 2u);
  EXPECT_THAT(world.out.text, HasSubstr("97 % busy"));
}

TEST(WhyTest, JsonAndDevicesAndNothingAtAll) {
  Captured world({many(3)});
  ASSERT_TRUE(why({.devices = {"2"}, .json = true}, world.context));
  const auto json = nlohmann::json::parse(world.out.text);
  ASSERT_EQ(json["devices"].size(), 1u);
  EXPECT_EQ(json["devices"][0]["gpu"], "2");
  Captured wrong({many(3)});
  EXPECT_THAT(why({.devices = {"9"}}, wrong.context).error().message, StartsWith("there is no GPU '9'"));
  Captured empty({machine({})});
  ASSERT_TRUE(why({}, empty.context));
  EXPECT_THAT(empty.out.text, StartsWith("No GPU was found."));
}

}  // namespace
}  // namespace gpukeeper::cli
