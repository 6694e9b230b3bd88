#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
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

// Puts one notice after the other, every third one is sent, and says each number on the pipe once it is kept.
[[noreturn]] void keep_for_ever(const std::string& path, int pipe_end) {
  SpoolWriter writer(std::make_unique<FileSpoolStore>(path));
  SpoolContents contents = writer.take_contents();
  std::uint64_t number = contents.last_number + 1;
  SinkQueue queue({.name = "ops"}, std::move(contents));
  for (;; ++number) {
    queue.put(notice(number));
    if (number % 3 == 0) queue.done(number - 1);
    if (!writer.save(queue)) ::_exit(1);
    if (::write(pipe_end, &number, sizeof number) != sizeof number) ::_exit(2);
  }
}

TEST(SpoolKillTest, NothingThatWasKeptIsLost) {
  const TemporaryFolder temporary;
  const std::string path = (temporary.path() / "ops.jsonl").string();
  std::mt19937 random(7);
  std::uint64_t kept = 0;
  for (int round = 0; round < 25; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      keep_for_ever(path, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    std::uint64_t number = 0;
    if (::read(pipe_ends[0], &number, sizeof number) == sizeof number) kept = number;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 50'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(pipe_ends[0], &number, sizeof number) == sizeof number) kept = number;
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed with " << WEXITSTATUS(status);

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
