#pragma once

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace gpukeeper {

/// A process that writes one number after the other until it is killed, at any moment that the dice choose.
class KilledWriter {
 public:
  /// Writes what belongs to a number, and tells only then; never returns: an exit is a failure.
  using Tell = std::function<void(std::uint64_t number)>;
  using Write = std::function<void(const Tell& tell)>;

  KilledWriter(Write write, std::chrono::microseconds longest) : write_(std::move(write)), longest_(longest) {}

  /// Lets it write, from its first number or from its very start, and kills it. False when it ended by itself.
  bool run(bool from_its_start = false) {
    int ends[2];
    if (::pipe(ends) != 0) return false;
    const pid_t child = ::fork();
    if (child < 0) return false;
    if (child == 0) {
      ::close(ends[0]);
      write_([end = ends[1]](std::uint64_t number) {
        if (::write(end, &number, sizeof number) != sizeof number) ::_exit(100);
      });
      ::_exit(101);
    }
    ::close(ends[1]);
    std::uint64_t number = 0;
    if (!from_its_start && ::read(ends[0], &number, sizeof number) == sizeof number) told_ = number;
    std::this_thread::sleep_for(longest_ * std::uniform_real_distribution<double>()(dice_));
    ::kill(child, SIGKILL);
    while (::read(ends[0], &number, sizeof number) == sizeof number) told_ = number;
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer failed with " << WEXITSTATUS(status);
    return WIFSIGNALED(status);
  }

  /// The last number that any of them told; 0 before the first.
  std::uint64_t told() const { return told_; }

 private:
  const Write write_;
  const std::chrono::microseconds longest_;
  std::mt19937 dice_{7};
  std::uint64_t told_ = 0;
};

}  // namespace gpukeeper
