#include "cli/record.hpp"

#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/record_sinks.hpp"
#include "core/text.hpp"
#include "fakes/temporary_folder.hpp"
#include "played.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using Form = RecordOptions::Form;

const std::string kScenario = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml";

TEST(RecordFormTest, TheEndingOfTheNameOrTheOptionSaysWhatToWrite) {
  EXPECT_EQ(form_of({.file = "a.gkr"}), Form::recording);
  EXPECT_EQ(form_of({.file = "a.jsonl"}), Form::jsonl);
  EXPECT_EQ(form_of({.file = "a.ndjson"}), Form::jsonl);
  EXPECT_EQ(form_of({.file = "a.csv"}), Form::csv);
  EXPECT_EQ(form_of({.file = "a.csv", .form = Form::recording}), Form::recording);
  EXPECT_EQ(form_of({.file = "-", .form = Form::csv}), Form::csv);
}

TEST(RecordFormTest, WhatDoesNotGoTogetherIsRefused) {
  const std::pair<RecordOptions, const char*> cases[] = {
      {{.file = "a.dat"}, "'a.dat' does not say what to write: let it end in .gkr, .jsonl or .csv, or give --format"},
      {{.file = "-"}, "record to standard output needs --format jsonl or --format csv"},
      {{.file = "-", .form = Form::recording},
       "a recording needs a file: only --format jsonl and csv go to standard output"},
      {{.file = "a.gkr", .rotate_size = 1}, "only .jsonl and .csv files are rotated"},
      {{.file = "-", .form = Form::csv, .rotate_every = 1h}, "only .jsonl and .csv files are rotated"},
      {{.file = "a.csv", .keep = 3}, "--keep needs --rotate-size or --rotate-every"},
      {{.file = "a.csv", .pack = true}, "--gzip packs rotated files: it needs --rotate-size or --rotate-every"},
  };
  for (const auto& [options, message] : cases) {
    const auto form = form_of(options);
    ASSERT_FALSE(form) << message;
    EXPECT_EQ(form.error(), (Error{Errc::invalid_argument, message}));
  }
}

class RecordTest : public ::testing::Test {
 protected:
  RecordTest() { open_with(kScenario); }
  void open_with(const std::string& source) { world = std::make_unique<PlayedWorld>(source); }
  Exit run(RecordOptions options, std::deque<Interrupts::Event> events = {}) {
    options.sources = world->sources;
    world->events = std::move(events);
    return record(options, world->context);
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }

  const TemporaryFolder folder;
  std::unique_ptr<PlayedWorld> world;
};

TEST_F(RecordTest, SaysAtTheEndHowMuchItWas) {
  const auto exit = run({.file = path("r.gkr"), .length = 10s});
  ASSERT_TRUE(exit) << exit.error().message;
  EXPECT_EQ(*exit, 0);
  EXPECT_THAT(world->output(), testing::MatchesRegex("recorded 11 frames of 2 GPUs: [0-9]+ KiB in .*/r.gkr\n"));
}

TEST_F(RecordTest, AnInterruptEndsIt) {
  using enum Interrupts::Event;
  ASSERT_TRUE(run({.file = path("r.gkr")}, {due, resized, due, suspend, due, stop}));
  EXPECT_THAT(world->output(), testing::StartsWith("recorded 4 frames of 2 GPUs: "));
}

TEST_F(RecordTest, ARecordingIsRecordedInFull) {
  ASSERT_TRUE(run({.file = path("r.gkr"), .length = 10s}));
  open_with("replay:" + path("r.gkr"));
  ASSERT_TRUE(run({.file = path("again.gkr")}));
  EXPECT_THAT(world->output(), testing::StartsWith("recorded 11 frames of 2 GPUs: "));
}

TEST_F(RecordTest, ASlowerPeriodIsTaken) {
  ASSERT_TRUE(run({.file = path("r.gkr"), .length = 10s}));
  open_with("replay:" + path("r.gkr"));
  ASSERT_TRUE(run({.file = path("again.gkr"), .period = 5s}));
  EXPECT_THAT(world->output(), testing::StartsWith("recorded 3 frames of 2 GPUs: "));
}

TEST_F(RecordTest, ThePeriodIsTheOneThatIsConfigured) {
  world->context.settings.engine.sample_interval = 5s;
  ASSERT_TRUE(run({.file = path("r.gkr"), .length = 10s}));
  EXPECT_THAT(world->output(), testing::StartsWith("recorded 3 frames of 2 GPUs: "));
}

TEST_F(RecordTest, TheRecordingThatIsPlayedIsNotWrittenOver) {
  ASSERT_TRUE(run({.file = path("r.gkr"), .length = 1s}));
  open_with("replay:" + path("r.gkr"));
  const auto exit = run({.file = path("r.gkr"), .force = true});
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error(), (Error{Errc::invalid_argument,
                                 path("r.gkr") + " is the recording that is played: record into another file"}));
}

TEST_F(RecordTest, ASourceThatCannotBeOpenedLeavesNoFile) {
  open_with("simulated:/nowhere.yaml");
  ASSERT_FALSE(run({.file = path("r.gkr")}));
  EXPECT_FALSE(std::filesystem::exists(path("r.gkr")));
}

TEST_F(RecordTest, CsvHasAHeadAndALineForEachGpuAndTick) {
  ASSERT_TRUE(run({.file = "-", .form = Form::csv, .length = 2s}));
  const auto text = world->output();
  const auto rows = lines(text);
  ASSERT_EQ(rows.size(), 7u);
  EXPECT_THAT(std::string(rows[0]), testing::StartsWith("taken_at,"));
}

TEST_F(RecordTest, JsonIsAnObjectALine) {
  ASSERT_TRUE(run({.file = "-", .form = Form::jsonl, .length = 2s}));
  const auto text = world->output();
  const auto rows = lines(text);
  ASSERT_EQ(rows.size(), 3u);
  for (const auto row : rows) EXPECT_THAT(std::string(row), testing::StartsWith("{\"schema\":\"gpukeeper.status/1\""));
}

TEST_F(RecordTest, AReaderThatHasGoneEndsIt) {
  world->out().gone_after = 2;
  ASSERT_TRUE(run({.file = "-", .form = Form::csv}));
  EXPECT_EQ(world->out().writes, 2u);
}

TEST_F(RecordTest, EveryRotatedCsvFileHasItsHead) {
  ASSERT_TRUE(run({.file = path("m.csv"), .length = 5s, .rotate_every = 2s}));
  for (const char* name : {"m.csv", "m.1.csv", "m.2.csv"}) {
    std::ifstream file(path(name));
    std::string head;
    std::getline(file, head);
    EXPECT_THAT(head, testing::StartsWith("taken_at,")) << name;
  }
  EXPECT_THAT(world->output(), testing::MatchesRegex("recorded 6 frames of 2 GPUs: [0-9]+ KiB in 3 files, the last of "
                                                     "them .*/m.csv\n"));
}

}  // namespace
}  // namespace gpukeeper::cli
