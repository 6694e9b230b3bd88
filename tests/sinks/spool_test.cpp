#include "sinks/spool.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

#include <gmock/gmock.h>

#include "fakes/temporary_folder.hpp"
#include "sinks/notices.hpp"
#include "sinks/sink_queue.hpp"
#include "sinks/spool_writer.hpp"

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using enum AlertNotice::Kind;

std::shared_ptr<const AlertNotice> notice(const std::string& id, AlertNotice::Kind kind = fired) {
  AlertNotice result = hot_gpu(kind);
  result.alert.id = id;
  return std::make_shared<const AlertNotice>(result);
}

// "1:a1", "2:a2"
std::vector<std::string> shown(const SpoolContents& contents) {
  std::vector<std::string> result;
  for (const WaitingNotice& each : contents.waiting) {
    result.push_back(std::to_string(each.number) + ":" + each.notice->alert.id);
  }
  return result;
}

// A spool in memory that can be made to fail.
struct FakeSpoolStore final : SpoolStore {
  std::string* text;
  const bool* failing;

  FakeSpoolStore(std::string* where, const bool* fails) : text(where), failing(fails) {}
  Result<void> trouble() const {
    if (*failing) return fail(Errc::resource_exhausted, "write /spool: No space left on device");
    return {};
  }
  Result<std::string> load() override {
    if (*failing) return fail(Errc::internal, "read /spool: Input/output error");
    return *text;
  }
  Result<void> append(std::string_view lines) override {
    auto result = trouble();
    if (result) *text += lines;
    return result;
  }
  Result<void> replace(std::string_view all) override {
    auto result = trouble();
    if (result) *text = all;
    return result;
  }
};

class SpoolTest : public testing::Test {
 protected:
  std::unique_ptr<SpoolWriter> writer() {
    return std::make_unique<SpoolWriter>(std::make_unique<FakeSpoolStore>(&text_, &failing_));
  }
  static SinkSettings all() { return {.name = "ops", .min_level = AlertLevel::info}; }

  std::string text_;
  bool failing_ = false;
};

TEST_F(SpoolTest, WhatWaitsOutlivesTheProcess) {
  {
    const auto spool = writer();
    SinkQueue queue(all(), spool->take_contents());
    for (const char* id : {"a", "b", "c"}) queue.put(notice(id));
    ASSERT_TRUE(spool->save(queue));
    queue.done(1);
    ASSERT_TRUE(spool->save(queue));
  }
  const auto spool = writer();
  EXPECT_EQ(spool->message(), "");
  SinkQueue queue(all(), spool->take_contents());
  EXPECT_EQ(queue.front()->notice->alert.id, "b");
  EXPECT_EQ(*queue.front()->notice, *notice("b"));
  queue.put(notice("d"));
  ASSERT_TRUE(spool->save(queue));
  EXPECT_THAT(shown(parse_spool(text_)), ElementsAre("2:b", "3:c", "4:d"));
}

TEST_F(SpoolTest, TheReceiverHearsOfTheEndOfWhatItKnowsOverARestart) {
  {
    const auto spool = writer();
    SinkQueue queue(all(), spool->take_contents());
    queue.put(notice("a"));
    queue.done(1);
    ASSERT_TRUE(spool->save(queue));
  }
  const auto spool = writer();
  SinkQueue queue(all(), spool->take_contents());
  EXPECT_TRUE(queue.is_open("a"));
  EXPECT_TRUE(queue.put(notice("a", resolved)));
  EXPECT_FALSE(queue.put(notice("a", resolved))) << "once";
  EXPECT_FALSE(queue.put(notice("never told", resolved)));
}

TEST_F(SpoolTest, WrittenAnewItSaysTheSame) {
  SpoolContents contents;
  contents.last_number = 9;
  contents.open = {"a", "b"};
  contents.waiting = {{7, notice("b", repeated)}, {8, notice("gone", resolved)}, {9, notice("a", resolved)}};
  contents.open.erase("a");
  const SpoolContents read = parse_spool(spool_text(contents));
  EXPECT_EQ(read.last_number, contents.last_number);
  EXPECT_EQ(read.open, contents.open);
  EXPECT_EQ(shown(read), shown(contents));
  EXPECT_EQ(read.damaged, 0u);
  contents.waiting.clear();
  EXPECT_EQ(parse_spool(spool_text(contents)).last_number, 9u);
}

TEST_F(SpoolTest, DamagedLinesAreLeftOutAndSaid) {
  const std::string good = spool_line({1, notice("a")});
  const std::string more = spool_line({2, notice("b")});
  text_ = good + "\xff\xfe no json\n" + R"({"n":"x","notice":{}})" + "\n" + R"({"n":7})" + "\n\n[]\n" + more +
          spool_line({2, notice("number again")}) + more.substr(0, more.size() / 2);
  const auto spool = writer();
  EXPECT_EQ(spool->message(), "6 damaged lines of what waited were left out");
  SinkQueue queue(all(), spool->take_contents());
  EXPECT_EQ(queue.size(), 2u);
  queue.put(notice("c"));
  ASSERT_TRUE(spool->save(queue));
  EXPECT_THAT(shown(parse_spool(text_)), ElementsAre("1:a", "2:b", "3:c"));
  EXPECT_EQ(parse_spool(text_).damaged, 0u) << "half a line at the end does not spoil the next";
}

TEST_F(SpoolTest, AnyPrefixOfAFileIsReadAsFarAsItGoes) {
  const std::string whole = spool_line({1, notice("a")}) + done_line(1) + spool_line({2, notice("b")});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const SpoolContents contents = parse_spool(whole.substr(0, size));
    EXPECT_LE(contents.damaged, 1u);
    EXPECT_LE(contents.waiting.size(), 1u);
  }
}

TEST_F(SpoolTest, ADiskThatFailsCostsNothingOnceItIsWell) {
  const auto spool = writer();
  SinkQueue queue(all(), spool->take_contents());
  failing_ = true;
  queue.put(notice("a"));
  EXPECT_FALSE(spool->save(queue));
  EXPECT_EQ(spool->message(), "what waits is kept in memory only: write /spool: No space left on device");
  queue.put(notice("b"));
  EXPECT_FALSE(spool->save(queue));
  failing_ = false;
  EXPECT_TRUE(spool->save(queue));
  EXPECT_EQ(spool->message(), "");
  EXPECT_THAT(shown(parse_spool(text_)), ElementsAre("1:a", "2:b"));
}

TEST_F(SpoolTest, ASpoolThatCannotBeReadIsBegunAnew) {
  text_ = spool_line({1, notice("a")});
  failing_ = true;
  const auto spool = writer();
  EXPECT_EQ(spool->message(), "what waited cannot be read and is begun anew: read /spool: Input/output error");
  failing_ = false;
  SinkQueue queue(all(), spool->take_contents());
  queue.put(notice("b"));
  ASSERT_TRUE(spool->save(queue));
  EXPECT_THAT(shown(parse_spool(text_)), ElementsAre("1:b"));
}

TEST_F(SpoolTest, TheFileDoesNotGrowForEver) {
  const auto spool = writer();
  SinkQueue queue(all(), spool->take_contents());
  std::size_t largest = 0;
  for (std::uint64_t i = 1; i <= 3000; ++i) {
    queue.put(notice("a"));
    queue.done(i);
    ASSERT_TRUE(spool->save(queue));
    largest = std::max(largest, text_.size());
  }
  EXPECT_LT(largest, SpoolWriter::kRewriteAfter + 4096);
  EXPECT_GT(largest, SpoolWriter::kRewriteAfter / 2) << "nor is it written anew each time";
}

TEST_F(SpoolTest, AFullQueueLosesItsOldestAndCountsThem) {
  SinkQueue queue(all(), {});
  for (int i = 1; i <= 1003; ++i) queue.put(notice("a" + std::to_string(i)));
  EXPECT_EQ(queue.size(), 1000u);
  EXPECT_EQ(queue.dropped(), 3u);
  EXPECT_EQ(queue.front()->notice->alert.id, "a4");
}

TEST_F(SpoolTest, AFullQueueKeepsTheEndsOfAlerts) {
  SinkQueue queue(all(), {});
  queue.put(notice("a"));
  queue.put(notice("a", resolved));
  for (int i = 1; i <= 1000; ++i) queue.put(notice("b" + std::to_string(i)));
  EXPECT_EQ(queue.dropped(), 2u);
  EXPECT_EQ(queue.front()->notice->kind, resolved) << "or its receiver would have the alert open for ever";
}

TEST_F(SpoolTest, MoreChangesThanAreRememberedAreWrittenAsAWhole) {
  const auto spool = writer();
  SinkQueue queue(all(), spool->take_contents());
  for (int i = 1; i <= 10'000; ++i) queue.put(notice("a" + std::to_string(i)));  // meanwhile the disk hung
  ASSERT_TRUE(spool->save(queue));
  const SpoolContents contents = parse_spool(text_);
  EXPECT_EQ(contents.waiting.size(), 1000u);
  EXPECT_EQ(contents.waiting.back().number, 10'000u);
  EXPECT_EQ(contents.damaged, 0u);
}

TEST_F(SpoolTest, AQueueTakesWhatItsSinkIsFor) {
  SinkSettings settings{.name = "ops", .min_level = AlertLevel::warning, .rules = {"therm*", "ecc"}, .devices = {"0"}};
  SinkQueue queue(settings, {});
  const auto changed = [](auto change) {
    AlertNotice result = hot_gpu();
    change(result.alert);
    return std::make_shared<const AlertNotice>(result);
  };
  EXPECT_TRUE(queue.put(changed([](Alert&) {})));
  EXPECT_FALSE(queue.put(changed([](Alert& a) { a.level = AlertLevel::info; })));
  EXPECT_FALSE(queue.put(changed([](Alert& a) { a.rule = "power"; })));
  EXPECT_FALSE(queue.put(changed([](Alert& a) { a.device_index = 1; })));
  EXPECT_FALSE(queue.put(changed([](Alert& a) { a.device.reset(), a.device_index.reset(); })));
  settings.devices = {"GPU-*", "machine"};
  SinkQueue other(settings, {});
  EXPECT_TRUE(other.put(changed([](Alert& a) { a.device_index = 1; })));
  EXPECT_TRUE(other.put(changed([](Alert& a) { a.device.reset(), a.device_index.reset(); })));
}

TEST_F(SpoolTest, TheEndOfAnAlertIsToldWhateverItsLevelIsByThen) {
  SinkQueue queue({.name = "ops", .min_level = AlertLevel::critical}, {});
  ASSERT_TRUE(queue.put(notice("a")));
  AlertNotice end = hot_gpu(resolved);
  end.alert.id = "a";
  end.alert.level = AlertLevel::info;
  EXPECT_TRUE(queue.put(std::make_shared<const AlertNotice>(end)));
}

TEST_F(SpoolTest, WhoWantsNoEndsIsToldNone) {
  SinkQueue queue({.name = "ops", .send_resolved = false}, {});
  ASSERT_TRUE(queue.put(notice("a")));
  EXPECT_FALSE(queue.put(notice("a", resolved)));
  EXPECT_FALSE(queue.is_open("a"));
}

TEST(FileSpoolStoreTest, KeepsAFileThatOnlyItsOwnerMayRead) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "ops.jsonl";
  FileSpoolStore store(path);
  EXPECT_EQ(*store.load(), "");
  ASSERT_TRUE(store.append("one\n"));
  ASSERT_TRUE(store.append("two\n"));
  EXPECT_EQ(*store.load(), "one\ntwo\n");
  ASSERT_TRUE(store.replace("three\n"));
  ASSERT_TRUE(store.append("four\n"));
  EXPECT_EQ(*store.load(), "three\nfour\n");
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(FileSpoolStoreTest, SaysWhatFails) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "no" / "ops.jsonl";
  FileSpoolStore store(path);
  EXPECT_EQ(store.append("a\n").error().message, "open " + path + ": No such file or directory");
  EXPECT_EQ(store.replace("a\n").error().message, "open " + path + ".new: No such file or directory");
  FileSpoolStore full("/dev/full");
  EXPECT_EQ(full.append("a\n").error(), (Error{Errc::resource_exhausted, "write /dev/full: No space left on device"}));
}

TEST(FileSpoolStoreTest, AFileThatCannotBeReadIsKept) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "ops.jsonl";
  std::filesystem::create_directory(path);  // reading it fails, whoever we are
  FileSpoolStore store(path);
  EXPECT_EQ(store.load().error().message, "read " + path + ": it is a folder; it is kept as " + path + ".unreadable");
  EXPECT_TRUE(std::filesystem::exists(path + ".unreadable"));
  ASSERT_TRUE(store.replace("anew\n"));
  EXPECT_EQ(*store.load(), "anew\n");
}

TEST(FileSpoolStoreTest, AFileThatAKilledProcessLeftBesideDoesNoHarm) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "ops.jsonl";
  std::ofstream(path + ".new") << "half";
  FileSpoolStore store(path);
  ASSERT_TRUE(store.replace("whole\n"));
  EXPECT_EQ(*store.load(), "whole\n");
}

}  // namespace
}  // namespace gpukeeper
