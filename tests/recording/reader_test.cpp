#include "recording/reader.hpp"

#include <fstream>
#include <iterator>

#include <sys/resource.h>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "recording/frames_of.hpp"
#include "recording/gzip.hpp"
#include "recording/writer.hpp"

namespace gpukeeper::recording {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecordingTest : public ::testing::Test {
 protected:
  /// A recording of so many seconds; its watts are its seconds. Its second member begins at 120 s.
  std::string write(int seconds, int step = 1) {
    auto writer = Writer::create(path, {.force = true, .program = "gpukeeper 1", .host = "machine"});
    EXPECT_TRUE(writer);
    for (int second = 0; second <= seconds; second += step) {
      EXPECT_TRUE(writer->add(test_frame(std::chrono::seconds(second), second)));
    }
    EXPECT_TRUE(writer->close());
    return bytes();
  }
  std::string bytes() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(std::string_view content) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc).write(content.data(), std::ssize(content));
  }
  std::unique_ptr<Reader> open() const {
    auto reader = Reader::open(path);
    if (!reader) ADD_FAILURE() << reader.error().message;
    return reader ? std::move(*reader) : nullptr;
  }
  std::string refusal() const {
    const auto reader = Reader::open(path);
    return reader ? "it was opened" : reader.error().message;
  }
  static std::vector<double> watts(Reader& reader) {
    std::vector<double> result;
    while (const Frame* frame = reader.next()) {
      EXPECT_NEAR(watts_of(*frame), static_cast<double>(frame->at.count()) / 1000, 0.01);
      result.push_back(watts_of(*frame));
    }
    return result;
  }

  const TemporaryFolder folder;
  const std::string path = (folder.path() / "r.gkr").string();
};

TEST_F(RecordingTest, EveryFrameComesBackInItsOrder) {
  write(200);
  const auto reader = open();
  EXPECT_EQ(reader->header().host, "machine");
  EXPECT_EQ(reader->header().program, "gpukeeper 1");
  EXPECT_EQ(reader->header().started, WallTime(1'780'000'000s));
  EXPECT_THAT(reader->header().sources, ElementsAre("fake"));
  EXPECT_EQ(reader->begin(), 0ms);
  EXPECT_EQ(reader->end(), 200s);
  EXPECT_EQ(watts(*reader).size(), 201u);
  EXPECT_THAT(reader->notes(), IsEmpty());
}

TEST_F(RecordingTest, AnyMomentIsFoundByTheIndexAndWithoutIt) {
  const auto whole = write(200);
  for (const bool indexed : {true, false}) {
    if (!indexed) put(whole.substr(0, whole.size() - 30));
    const auto reader = open();
    for (const int second : {0, 1, 119, 120, 121, 150, 199, 200, 7}) {
      reader->seek(std::chrono::milliseconds(second * 1000 + 400));
      ASSERT_EQ(reader->next_at(), Offset(second * 1000)) << indexed;
      ASSERT_EQ(watts_of(*reader->next()), second);
      ASSERT_EQ(reader->next_at(), second == 200 ? std::nullopt : std::optional(Offset(second * 1000 + 1000)));
    }
  }
}

TEST_F(RecordingTest, RareFramesShareAMember) {
  const auto members = [](const std::string& file) {
    std::size_t count = 0;
    for (auto at = file.find("\x1f\x8b\x08\x04"); at != std::string::npos; at = file.find("\x1f\x8b\x08\x04", at + 1))
      ++count;
    return count;
  };
  EXPECT_EQ(members(write(3600, 60)), 5u) << "61 frames: 30, 30 and 1; the index; the end";
  const auto reader = open();
  EXPECT_EQ(watts(*reader).size(), 61u);
}

TEST_F(RecordingTest, AMomentBeforeTheFirstFrameIsTheFirstFrame) {
  auto writer = Writer::create(path, {});
  ASSERT_TRUE(writer->add(test_frame(5s, 5)));
  ASSERT_TRUE(writer->close());
  const auto reader = open();
  reader->seek(1s);
  EXPECT_EQ(reader->next_at(), Offset(5000));
}

// The property that matters: whatever is cut off, what was flushed before is there, in order and unchanged.
TEST_F(RecordingTest, CutOffAtAnyByteItIsReadUpToItsLastWholeFrame) {
  const auto whole = write(384, 12);  // its second member begins with its 31st frame
  std::size_t most = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put(std::string_view(whole).substr(0, size));
    const auto reader = Reader::open(path);
    if (!reader) {
      EXPECT_EQ(most, 0u) << "cut off at " << size << ": " << reader.error().message;
      continue;
    }
    const auto frames = watts(**reader).size();
    EXPECT_GE(frames, most) << "cut off at " << size;
    EXPECT_EQ((*reader)->end(), Offset(std::chrono::seconds(12 * (frames - 1))));
    most = std::max(most, frames);
  }
  EXPECT_EQ(most, 33u);
}

TEST_F(RecordingTest, AWriterThatWasKilledHasWrittenAllButTheLastSeconds) {
  auto writer = Writer::create(path, {});
  for (int second = 0; second <= 48; ++second)
    ASSERT_TRUE(writer->add(test_frame(std::chrono::seconds(second), second)));
  // Not closed, and not destroyed: this is what stands in the file now.
  const auto reader = open();
  EXPECT_EQ(reader->end(), 45s);
  EXPECT_EQ(watts(*reader).size(), 46u);
  EXPECT_THAT(reader->notes(), ElementsAre("it was cut off; it is read up to its last whole frame"));
}

TEST_F(RecordingTest, AChangedByteCostsItsMemberAndNothingElse) {
  const auto whole = write(1080, 12);  // 30 frames a member
  for (std::size_t at = kHeadBytes; at < whole.size(); at += 3) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x24);
    put(bytes);
    const auto reader = Reader::open(path);
    if (!reader) continue;  // the first header; said below
    const auto frames = watts(**reader).size();
    EXPECT_GE(frames, 91u - 30u) << at;
    if (frames < 91) {
      EXPECT_FALSE((*reader)->notes().empty()) << at;
    }
  }
}

TEST_F(RecordingTest, DamageIsToldWithItsPlace) {
  std::string bytes = write(200);
  std::size_t second = kHeadBytes;
  while (!read_head(std::string_view(bytes).substr(second))) ++second;
  bytes[second + 300] = static_cast<char>(bytes[second + 300] ^ 0xff);
  put(bytes);
  const auto reader = open();
  std::vector<double> seconds = watts(*reader);
  EXPECT_EQ(seconds.size(), 120u);
  ASSERT_EQ(reader->notes().size(), 1u);
  EXPECT_THAT(reader->notes()[0],
              testing::MatchesRegex("damaged at byte [0-9]+ \\(.+\\): the frames from 120 s on are left "
                                    "out, up to the next that stand alone"));
}

TEST_F(RecordingTest, ADamagedFirstMemberLeavesTheRest) {
  std::string bytes = write(200);
  bytes[200] = static_cast<char>(bytes[200] ^ 0xff);
  put(bytes);
  const auto reader = open();
  EXPECT_EQ(reader->begin(), 120s);
  EXPECT_EQ(watts(*reader).size(), 81u);
}

TEST_F(RecordingTest, WhatAnotherGzipPackedAnewIsReadAllTheSame) {
  write(100);
  const std::string command = "cd '" + folder.path().string() + "' && gzip -dc r.gkr | gzip >again && mv again r.gkr";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto reader = open();
  EXPECT_EQ(watts(*reader).size(), 101u);
  reader->seek(70s);
  EXPECT_EQ(watts_of(*reader->next()), 70);
}

TEST_F(RecordingTest, EveryGzipShowsReadableLines) {
  write(1);
  const std::string command = "cd '" + folder.path().string() + "' && gzip -dc r.gkr >text";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream text(folder.path() / "text");
  std::string first, second, third;
  std::getline(text, first);
  std::getline(text, second);
  std::getline(text, third);
  EXPECT_THAT(first, testing::StartsWith("{\"format\":\"gpukeeper.recording/1\","));
  EXPECT_THAT(second, testing::StartsWith("{\"t\":0,\"wall\":\"2026-05-28T20:26:40.000Z\",\"state\":{"));
  EXPECT_THAT(third, testing::StartsWith("{\"t\":1,\"change\":{"));
}

TEST_F(RecordingTest, WhatIsNoRecordingIsRefusedWithTheReason) {
  put("name: Two GPUs\n");
  EXPECT_EQ(refusal(), path + ": this is no recording of gpukeeper: it does not begin as a gzip file");
  put("");
  EXPECT_EQ(refusal(), path + ": this is no recording of gpukeeper: it does not begin as a gzip file");
  MemberWriter gzip;
  gzip.begin({});
  gzip.add("{\"hello\":1}\n");
  gzip.finish();
  put(gzip.take());
  EXPECT_EQ(refusal(), path + ": this is no recording of gpukeeper: its first line does not name its format");
  gzip.begin({});
  gzip.add("{\"format\":\"gpukeeper.recording/2\"}\n");
  gzip.finish();
  put(gzip.take());
  EXPECT_EQ(refusal(), path +
                           ": it is of the format 'gpukeeper.recording/2'; this gpukeeper reads "
                           "'gpukeeper.recording/1': a newer one may read it");
  gzip.begin({});
  gzip.add("{\"format\":\"gpukeeper.recording/1\"}\n");
  gzip.finish();
  put(gzip.take());
  EXPECT_EQ(refusal(), path + ": the recording holds no whole frame");
  EXPECT_EQ(Reader::open("/nowhere/r.gkr").error().message, "/nowhere/r.gkr: No such file or directory");
  EXPECT_EQ(Reader::open("/dev/null").error().message, "/dev/null: a recording is a plain file, and this is none");
}

TEST_F(RecordingTest, ABombIsLeftOut) {
  const auto good = write(30);
  MemberWriter gzip;
  gzip.begin({MemberKind::frames, 100'000});
  const std::string spaces(1 << 20, ' ');
  for (int i = 0; i < 80; ++i) gzip.add(spaces);
  gzip.finish();
  const auto at = good.size();
  put(good + gzip.take());
  const auto reader = open();
  EXPECT_EQ(watts(*reader).size(), 31u);
  EXPECT_THAT(reader->notes(), testing::Contains(HasSubstr("unpacks to more than 64 MiB, which no recording does")));
  EXPECT_THAT(reader->notes(), testing::Contains(HasSubstr("the part at byte " + std::to_string(at))));
}

TEST_F(RecordingTest, RecordingsThatWereJoinedGoOnWhereTimeDoes) {
  const auto whole = write(30);
  put(whole + whole);
  const auto reader = open();
  EXPECT_EQ(watts(*reader).size(), 31u);
}

TEST_F(RecordingTest, AFileThatIsThereIsNotOverwritten) {
  write(1);
  const auto writer = Writer::create(path, {});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error(), (Error{Errc::already_exists, path + " is there already; --force overwrites it"}));
}

TEST_F(RecordingTest, AFolderThatIsNotThereIsNamed) {
  const auto writer = Writer::create("/nowhere/r.gkr", {});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error(), (Error{Errc::not_found, "create /nowhere/r.gkr: No such file or directory"}));
}

// A limit of the file's size stands for a full disk: write(2) fails alike.
TEST_F(RecordingTest, AFullDiskIsAnErrorAndLeavesAFileThatCanBeReplayed) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 2000;
  auto writer = Writer::create(path, {});
  ASSERT_TRUE(writer);
  ::setrlimit(RLIMIT_FSIZE, &small);
  Result<void> added;
  int seconds = 0;
  for (; added && seconds < 10'000; ++seconds) added = writer->add(test_frame(std::chrono::seconds(seconds), seconds));
  const auto closed = writer->close();
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error(), (Error{Errc::resource_exhausted,
                                  "write " + path + ": File too large; what was written before can be replayed"}));
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error(), added.error());
  const auto reader = open();
  EXPECT_GT(watts(*reader).size(), 5u);
}

TEST_F(RecordingTest, TwoFramesInOneMillisecondStayTwo) {
  auto writer = Writer::create(path, {});
  ASSERT_TRUE(writer->add(test_frame(0ms, 0)));
  ASSERT_TRUE(writer->add(test_frame(0ms, 0.01)));
  ASSERT_TRUE(writer->close());
  const auto reader = open();
  EXPECT_EQ(watts(*reader), (std::vector<double>{0, 0.01}));
}

}  // namespace
}  // namespace gpukeeper::recording
