#include "proc/pid_namespace.hpp"

#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

TEST(PidNamespaceTest, TheFirstNamespaceCountsAsTheHost) {
  MemoryFiles files;
  EXPECT_TRUE(pids_are_the_hosts(files));  // nobody can tell
  files.link("/proc/self/ns/pid", "pid:[4026531836]");
  EXPECT_TRUE(pids_are_the_hosts(files));
}

TEST(PidNamespaceTest, AnotherNamespaceCountsOnItsOwn) {
  MemoryFiles files;
  files.link("/proc/self/ns/pid", "pid:[4026532500]");
  EXPECT_FALSE(pids_are_the_hosts(files));
  files.write("/proc/2/stat", "2 (bash) S 0 0 0 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0 0");
  EXPECT_FALSE(pids_are_the_hosts(files));
  // A program may take that name, but it is no kernel thread.
  files.write("/proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0 0");
  EXPECT_FALSE(pids_are_the_hosts(files));
}

TEST(PidNamespaceTest, TheHostsProcInsideOfAContainerCountsAsTheHost) {
  MemoryFiles files;
  files.link("/proc/self/ns/pid", "pid:[4026532500]");
  files.write("/proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0 0");
  EXPECT_TRUE(pids_are_the_hosts(files));
}

TEST(PidNamespaceTest, PidsAreOurOwnWhereProcCallsUsByOurPid) {
  MemoryFiles files;
  EXPECT_FALSE(pids_are_our_own(files));
  files.link("/proc/self", std::to_string(::getpid()));
  EXPECT_TRUE(pids_are_our_own(files));
  files.link("/proc/self", std::to_string(::getpid() + 1));
  EXPECT_FALSE(pids_are_our_own(files));
  EXPECT_TRUE(pids_are_our_own(RealFiles()));
}

}  // namespace
}  // namespace gpukeeper
