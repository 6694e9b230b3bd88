#include "attribution/ancestry.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

constexpr std::uint32_t kPts3 = 34819;
constexpr std::uint32_t kPts4 = 34820;
constexpr std::uint32_t kTty1 = 1025;

// A machine's processes, by pid. Each starts later than those made before it.
class AncestryTest : public testing::Test {
 protected:
  ProcessStat& add(std::int64_t pid, std::int64_t parent, const std::string& name, std::uint32_t terminal = 0) {
    ProcessStat& stat = processes_[pid];
    stat.pid = pid;
    stat.parent = parent;
    stat.name = name;
    stat.terminal = terminal;
    stat.start_ticks = ++ticks_;
    return stat;
  }

  Metric<std::optional<InteractiveRoot>> root_of(std::int64_t pid) {
    return interactive_root(processes_.at(pid), [&](std::int64_t parent) -> Metric<ProcessStat> {
      ++asked_;
      const auto found = processes_.find(parent);
      if (found == processes_.end()) return missing(Missing::not_permitted);
      return found->second;
    });
  }

  std::map<std::int64_t, ProcessStat> processes_;
  std::uint64_t ticks_ = 0;
  int asked_ = 0;
};

TEST_F(AncestryTest, LoginShellOfAnSshSession) {
  add(1, 0, "systemd");
  add(700, 1, "sshd");
  add(900, 700, "sshd");
  add(901, 900, "bash", kPts3);
  add(950, 901, "sudo", kPts3);
  add(951, 950, "bash", kPts4);
  add(960, 951, "python3", kPts4);
  const auto root = root_of(960);
  ASSERT_TRUE(root && *root);
  EXPECT_EQ(**root, (InteractiveRoot{901, "bash", "pts/3"}));
}

TEST_F(AncestryTest, LoginOnTheConsoleIsNotTheShellItself) {
  add(1, 0, "systemd");
  add(500, 1, "login", kTty1);
  add(501, 500, "zsh", kTty1);
  add(510, 501, "train", kTty1);
  EXPECT_EQ(**root_of(510), (InteractiveRoot{501, "zsh", "tty1"}));
}

TEST_F(AncestryTest, ShellOfATmuxServer) {
  add(1, 0, "systemd");
  add(600, 1, "tmux: server");
  add(601, 600, "fish", kPts3);
  add(602, 601, "python3", kPts3);
  EXPECT_EQ(**root_of(602), (InteractiveRoot{601, "fish", "pts/3"}));
}

TEST_F(AncestryTest, DesktopSessionWhereNobodyHasATerminal) {
  add(1, 0, "systemd");
  add(300, 1, "systemd");
  add(310, 300, "gnome-session-b");
  add(320, 310, "gnome-shell");
  add(330, 320, "steam");
  add(331, 330, "game");
  EXPECT_EQ(**root_of(331), (InteractiveRoot{320, "gnome-shell", ""}));
}

TEST_F(AncestryTest, ServiceHasNone) {
  add(1, 0, "systemd");
  add(400, 1, "ollama");
  add(401, 400, "llama-server");
  const auto root = root_of(401);
  ASSERT_TRUE(root);
  EXPECT_FALSE(*root);
}

TEST_F(AncestryTest, ProcessThatOutlivedItsShellIsItsOwnRootWhileItKeepsTheTerminal) {
  add(1, 0, "systemd");
  add(400, 1, "train", kPts3);
  EXPECT_EQ(**root_of(400), (InteractiveRoot{400, "train", "pts/3"}));
}

TEST_F(AncestryTest, ChainThatBreaksOffIsUnknownRatherThanNone) {
  add(400, 77, "train");
  const auto root = root_of(400);
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error(), Missing::not_permitted);
}

TEST_F(AncestryTest, WhatWasFoundBeforeTheChainBrokeStands) {
  add(390, 77, "bash", kPts3);
  add(400, 390, "train", kPts3);
  EXPECT_EQ(**root_of(400), (InteractiveRoot{390, "bash", "pts/3"}));
}

TEST_F(AncestryTest, ParentYoungerThanItsChildIsAStranger) {
  add(400, 390, "train");
  add(390, 1, "bash", kPts3);  // its pid was given again
  const auto root = root_of(400);
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error(), Missing::failed);
}

TEST_F(AncestryTest, LoopsAndEndlessChainsEnd) {
  add(10, 11, "a").start_ticks = 5;
  add(11, 10, "b").start_ticks = 5;
  EXPECT_FALSE(root_of(10));
  EXPECT_LE(asked_, kMostForebears);

  asked_ = 0;
  add(20, 20, "own child").start_ticks = 5;
  EXPECT_FALSE(root_of(20));
  EXPECT_LE(asked_, kMostForebears);
}

}  // namespace
}  // namespace gpukeeper
