#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "integration/killed_writer.hpp"
#include "sinks/notices.hpp"
#include "sinks/sink_queue.hpp"
#include "sinks/spool_writer.hpp"

// A process that is killed while it keeps what waits loses nothing that was kept, and the next one goes on from there.

namespace gpukeeper {
namespace {

std::shared_ptr<const AlertNotice> notice(std::uint64_t number) {
  AlertNotice result = hot_gpu();
  result.alert.id = std::to_string(number);
  result.alert.message = std::string(3000, 'x');  // a write of more than a page from time to time
  return std::make_shared<const AlertNotice>(result);
}

// Puts one notice after the other; every third one is sent.
void keep_for_ever(const std::string& path, const KilledWriter::Tell& tell) {
  SpoolWriter writer(std::make_unique<FileSpoolStore>(path));
  SpoolContents contents = writer.take_contents();
  std::uint64_t number = contents.last_number + 1;
  SinkQueue queue({.name = "ops"}, std::move(contents));
  for (;; ++number) {
    queue.put(notice(number));
    if (number % 3 == 0) queue.done(number - 1);
    if (!writer.save(queue)) return;
    tell(number);
  }
}

TEST(SpoolKillTest, NothingThatWasKeptIsLost) {
  const TemporaryFolder temporary;
  const std::string path = (temporary.path() / "ops.jsonl").string();
  KilledWriter writer([&](const auto& tell) { keep_for_ever(path, tell); }, std::chrono::milliseconds(50));
  std::uint64_t kept = 0;
  for (int round = 0; round < 25; ++round) {
    ASSERT_TRUE(writer.run());
    kept = std::max(kept, writer.told());

    const auto text = FileSpoolStore(path).load();
    ASSERT_TRUE(text) << text.error().message;
    const SpoolContents contents = parse_spool(*text);
    EXPECT_LE(contents.damaged, 1u) << "half a line at the end at most";
    ASSERT_GE(contents.last_number, kept);
    ASSERT_LE(contents.last_number, kept + 1) << "the one that was under way";
    // All that was not sent is there, in order, but for what is too much for a queue.
    std::uint64_t expected = contents.waiting.front().number;
    for (const WaitingNotice& each : contents.waiting) {
      while (expected % 3 == 2 && expected < each.number) ++expected;
      ASSERT_EQ(each.number, expected++);
      ASSERT_EQ(each.notice->alert.id, std::to_string(each.number));
    }
    kept = contents.last_number;
  }
  EXPECT_GT(kept, 50u) << "it was killed before it could write";
}

}  // namespace
}  // namespace gpukeeper
