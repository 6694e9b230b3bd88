// Who real processes are, asked of the kernel that runs them.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "attribution/process_watch.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "fakes/temporary_folder.hpp"
#include "proc/pid_namespace.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

/// A child process, killed and reaped at the end. It tells by a pipe when it is ready.
class Child {
 public:
  /// Runs `before`, says that it is ready, runs `after`, and waits to be killed.
  explicit Child(
      const std::function<void()>& before, const std::function<void()>& after = [] {}) {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ready[0]);
      before();
      ::close(ready[1]);  // an exec closes it, too: then the new program is there
      after();
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte;
    while (::read(ready[0], &byte, 1) < 0 && errno == EINTR) {
    }
    ::close(ready[0]);
  }
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::int64_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

void exec(std::vector<std::string> arguments, const std::string& program) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  std::_Exit(127);
}

class AttributionTest : public testing::Test {
 protected:
  const ProcessFacts* look(std::int64_t pid) {
    const auto processes =
        std::make_shared<const std::vector<GpuProcess>>(std::vector{GpuProcess{.pid = pid, .found_in_proc = true}});
    found_ = watch_.look({{DeviceId{"GPU-a"}, true, processes}}, clock_.now());
    return found_.table->find(DeviceId{"GPU-a"}, pid);
  }

  /// Looks until what is found is as wanted; ctest ends a test that never gets there.
  const ProcessFacts* look_until(std::int64_t pid, const std::function<bool(const ProcessFacts*)>& wanted) {
    const ProcessFacts* facts = look(pid);
    while (!wanted(facts)) {
      std::this_thread::sleep_for(10ms);
      facts = look(pid);
    }
    return facts;
  }

  SystemClock clock_;
  RealFiles files_;
  KernelCpuClocks clocks_;
  ProcessWatch watch_{&files_, &clocks_, Classifier::built_in()};
  Attribution found_;
};

TEST_F(AttributionTest, ChildOfOurs) {
  const auto before = clock_.wall();
  const Child child([] { ::prctl(PR_SET_NAME, "a) R (b\n\x1b[1m"); });
  const auto* facts = look(child.pid());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->command, "a) R (b\n\x1b[1m");
  EXPECT_EQ(facts->uid, ::getuid());
  EXPECT_TRUE(facts->user);
  EXPECT_EQ(facts->executable, std::filesystem::read_symlink("/proc/self/exe").string());
  ASSERT_TRUE(facts->started);
  EXPECT_LT(*facts->started - before, 5s);  // the time of boot is told in whole seconds
  EXPECT_LT(before - *facts->started, 5s);
  EXPECT_GT(facts->resident.value(), Bytes(100'000));
  EXPECT_TRUE(facts->place);
}

TEST_F(AttributionTest, ArgumentsMayHoldAnything) {
  const std::string odd = "line\nend\x1b]0;x\x07 (paren) \xff tab\t'\"";
  const Child child([&] {
    exec({"my program", "-c", "kill -STOP $$", odd, "--password", "XYZZY", "", "60"}, "/bin/sh");
  });
  const auto* facts = look_until(child.pid(), [](const ProcessFacts* f) { return f && f->command == "sh"; });
  EXPECT_EQ(facts->command_line, "my program -c kill -STOP $$ " + odd + " --password ***  60");
}

TEST_F(AttributionTest, ExecIsNoticed) {
  int hold[2];
  ASSERT_EQ(::pipe2(hold, O_CLOEXEC), 0);
  const Child child([&] { ::close(hold[1]); },
                    [&] {
                      char byte;
                      static_cast<void>(::read(hold[0], &byte, 1));
                      exec({"sh", "-c", "kill -STOP $$"}, "/bin/sh");
                    });
  const auto* facts = look(child.pid());
  ASSERT_TRUE(facts);
  const auto ours = facts->executable;
  const auto start = facts->start_ticks;
  ::close(hold[1]);
  ::close(hold[0]);
  facts = look_until(child.pid(), [](const ProcessFacts* f) { return f && f->command == "sh"; });
  EXPECT_EQ(facts->command_line, "sh -c kill -STOP $$");
  EXPECT_NE(facts->executable, ours);
  EXPECT_EQ(facts->start_ticks, start);  // it is still the same process
}

TEST_F(AttributionTest, ProcessThatEndsIsGone) {
  Child child([] {});
  ASSERT_TRUE(look(child.pid()));
  const auto pid = child.pid();
  child.end();
  EXPECT_FALSE(look(pid));
}

// Thousands of them come and go while they are looked at: each is whole or gone.
TEST_F(AttributionTest, ProcessesThatEndWhileTheyAreLookedAt) {
  for (int i = 0; i < 300; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) std::_Exit(0);
    const auto* facts = look(pid);  // running, a zombie, or just become one
    if (facts) {
      EXPECT_EQ(facts->uid, ::getuid());
      EXPECT_TRUE(facts->start_ticks);
    }
    ::waitpid(pid, nullptr, 0);
    EXPECT_FALSE(look(pid));
  }
}

TEST_F(AttributionTest, ShareOfTheProcessor) {
  const Child busy([] {},
                   [] {
                     for (std::atomic<unsigned> n = 0;; ++n) {
                     }
                   });
  const Child idle([] {});
  look(busy.pid());
  const auto* facts =
      look_until(busy.pid(), [](const ProcessFacts* f) { return !f || (f->cpu && *f->cpu > Percent(1)); });
  ASSERT_TRUE(facts);
  EXPECT_LE(facts->cpu->value(), 110);
  look(idle.pid());
  std::this_thread::sleep_for(20ms);
  EXPECT_LT(look(idle.pid())->cpu.value_or(Percent(100)), Percent(20));
}

TEST_F(AttributionTest, DescriptorsByTheThousandCostNothing) {
  const Child child([] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 5000; ++i) {
      if (::open("/dev/null", O_RDONLY) < 0) break;
    }
  });
  look(child.pid());
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i < 50; ++i) {
    const auto begin = clock_.now();
    ASSERT_TRUE(look(child.pid()));
    times.push_back(clock_.now() - begin);
  }
  EXPECT_LT(*std::ranges::min_element(times), 5ms);
}

TEST_F(AttributionTest, ShellAtATerminalIsTheRoot) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) GTEST_SKIP() << "there are no terminals here";
  const std::string slave = ::ptsname(master);
  const Child shell([&] {
    ::setsid();
    if (::open(slave.c_str(), O_RDWR) < 0) std::_Exit(1);  // becomes the controlling terminal
    ::prctl(PR_SET_NAME, "myshell");
  });
  const auto* facts = look(shell.pid());
  ASSERT_TRUE(facts && facts->root && *facts->root);
  EXPECT_EQ("/dev/" + (*facts->root)->terminal, slave);
  ::close(master);
}

// In a pid namespace of its own, with a /proc of its own: the host's pids name nobody there.
TEST_F(AttributionTest, PidNamespace) {
  TemporaryFolder folder;
  const Child child([] {});  // a pid of the outer namespace
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  const pid_t outer = ::fork();
  if (outer == 0) {
    // What may not be done here says so with a status of its own.
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) != 0) {
      std::_Exit(77);
    }
    const pid_t inner = ::fork();
    if (inner == 0) {
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
      const auto own = folder.path() / "proc";
      std::filesystem::create_directory(own);
      if (::mount("proc", own.c_str(), "proc", 0, nullptr) != 0) std::_Exit(78);
      const RealFiles inside(folder.path().string());
      const GpuProcess process{.pid = child.pid()};
      const auto processes = std::make_shared<const std::vector<GpuProcess>>(std::vector{process});
      const auto who = [&](const RealFiles& files) {
        ProcessWatch watch(&files, nullptr, Classifier::built_in());
        const auto found = watch.look({{DeviceId{"GPU-a"}, true, processes}}, MonotonicTime{});
        const auto* facts = found.table->find(DeviceId{"GPU-a"}, process.pid);
        return std::string(!facts       ? "gone"
                           : facts->uid ? "known"
                                        : to_string(facts->uid.error())) +
               "\n" + std::string(pids_are_our_own(files) ? "own" : "other") + "\n" + found.reason + "\n";
      };
      const std::string text = who(inside);
      if (::write(report[1], text.data(), text.size()) < 0) std::_Exit(1);
      std::_Exit(0);
    }
    int status = 0;
    ::waitpid(inner, &status, 0);
    std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  ::close(report[1]);
  std::string text(4096, '\0');
  const auto got = ::read(report[0], text.data(), text.size());
  ::close(report[0]);
  int status = 0;
  ::waitpid(outer, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "unshare is not permitted here";
  if (WEXITSTATUS(status) == 78) GTEST_SKIP() << "mounting a /proc is not permitted here";
  ASSERT_EQ(WEXITSTATUS(status), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const auto said = lines(text);
  ASSERT_EQ(said.size(), 3u) << text;
  EXPECT_EQ(said[0], "not_permitted");
  EXPECT_EQ(said[1], "own");
  EXPECT_TRUE(said[2].starts_with("the driver names processes by the host's pids")) << said[2];
}

}  // namespace
}  // namespace gpukeeper
