#include "core/program.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include <unistd.h>
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

// Shell scripts in a folder of their own: what is tested is how this machine's kernel runs programs.
class ProgramTest : public ::testing::Test {
 protected:
  std::string script(const std::string& body) {
    const auto path = folder_ / "tool";
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path.string();
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
  RealPrograms programs_;
};

TEST_F(ProgramTest, BothOutputsAndTheExitStatusAreCollected) {
  const auto output = programs_.run({script("echo \"out $1 $2\"; echo err >&2; exit 3"), {"-q", "-x"}}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->exit_status, 3);
  EXPECT_EQ(output->out, "out -q -x\n");
  EXPECT_EQ(output->err, "err\n");
}

TEST_F(ProgramTest, ASignalCountsAsAShellCountsIt) {
  const auto output = programs_.run({script("kill -9 $$"), {}}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->exit_status, 137);
}

TEST_F(ProgramTest, MoreThanAPipeHoldsIsReadWhole) {
  const auto output =
      programs_.run({script("head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero >&2"), {}}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->out.size(), 300'000u);
  EXPECT_EQ(output->err.size(), 300'000u);
}

TEST_F(ProgramTest, ItsInputIsEmpty) {
  const auto output = programs_.run({script("cat; echo done"), {}}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->out, "done\n");
}

TEST_F(ProgramTest, ItReadsTheInputThatItIsGivenWhateverItsSize) {
  ProgramCall call{script("cat"), {}};
  call.input = std::string(300'000, 'x') + "\n";
  const auto output = programs_.run(call, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->out, call.input);
}

TEST_F(ProgramTest, AProgramThatDoesNotReadItsInputIsNotHeldUp) {
  ProgramCall call{script("echo done"), {}};
  call.input = std::string(300'000, 'x');
  const auto output = programs_.run(call, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->out, "done\n");
}

TEST_F(ProgramTest, AProgramPastItsDeadlineIsKilledWithWhatItStarted) {
  const auto child = folder_ / "child";
  const auto output = programs_.run({script("sleep 60 & echo $! > " + child.string() + "; wait"), {"-q"}, 300ms}, {});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(output.error().message, "tool -q did not end within 300 ms and was killed");
  pid_t pid = 0;
  std::ifstream(child) >> pid;
  ASSERT_GT(pid, 0);
  const auto until = std::chrono::steady_clock::now() + 5s;
  const auto gone = [pid] {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number;
    std::string name;
    std::string state = "gone";
    stat >> number >> name >> state;
    return state == "gone" || state == "Z";
  };
  while (!gone() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_TRUE(gone());
}

TEST_F(ProgramTest, AProgramThatNeverStopsPrintingIsKilledAtItsLimit) {
  const auto output = programs_.run({script("exec yes"), {}, 60s, 100'000}, {});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error(), (Error{Errc::resource_exhausted, "tool printed more than 100000 bytes and was killed"}));
}

TEST_F(ProgramTest, AChildThatKeepsTheOutputOpenDelaysNothing) {
  const auto started = std::chrono::steady_clock::now();
  const auto output = programs_.run({script("(sleep 3) & echo ready"), {}, 60s}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->out, "ready\n");
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
}

TEST_F(ProgramTest, AStopRequestEndsTheRun) {
  std::stop_source stop;
  stop.request_stop();
  const auto output = programs_.run({script("sleep 60"), {}, 60s}, stop.get_token());
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error(), (Error{Errc::unavailable, "tool was stopped"}));
}

TEST_F(ProgramTest, AProgramThatIsNotThereOrNotExecutableIsNamed) {
  const auto path = (folder_ / "none").string();
  const auto missing = programs_.run({path, {}}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), (Error{Errc::not_found, "run " + path + ": No such file or directory"}));
  const auto folder = programs_.find(folder_.string(), {});
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error(), (Error{Errc::not_permitted, "run " + folder_.string() + ": Permission denied"}));
  const auto not_found = programs_.find("no-such-gpu-tool", {"/opt/rocm/bin"});
  ASSERT_FALSE(not_found);
  EXPECT_EQ(not_found.error(),
            (Error{Errc::not_found, "the program no-such-gpu-tool was not found in PATH and /opt/rocm/bin"}));
}

TEST_F(ProgramTest, FoldersAfterPathAreLookedIn) {
  const auto path = script("true");
  EXPECT_EQ(programs_.find(path, {}).value_or(""), path);
  std::filesystem::rename(path, folder_ / "gpukeeper-test-tool");
  EXPECT_EQ(programs_.find("gpukeeper-test-tool", {folder_.string()}).value_or(""),
            (folder_ / "gpukeeper-test-tool").string());
}

}  // namespace
}  // namespace gpukeeper
