#include "proc/process_stat.hpp"

#include <string>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

// Of a real process, kernel 6.1; the fields after the name.
const std::string kRest =
    " S 1 4711 4711 34819 4711 4194304 105 2000 0 3 150 25 7 9 20 0 4 0 123456 8589934592 512 18446744073709551615 "
    "94001 94002 140001 0 0 0 0 4096 0 0 0 0 17 3 0 0 0 0 0 94003 94004 94005 140002 140003 140003 140004 0\n";

TEST(ProcessStatTest, ReadsTheFieldsOfARealLine) {
  const auto stat = parse_process_stat("4711 (python3)" + kRest);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->pid, 4711);
  EXPECT_EQ(stat->name, "python3");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 1);
  EXPECT_EQ(stat->terminal, 34819u);
  EXPECT_EQ(stat->cpu_ticks, 175u);
  EXPECT_EQ(stat->start_ticks, 123456u);
  EXPECT_EQ(stat->resident_pages, 512u);
  EXPECT_EQ(stat->image, "94001 94002 140001 ");
  EXPECT_FALSE(stat->kernel_thread());
}

TEST(ProcessStatTest, NameMayHoldAnything) {
  for (const std::string name : {"", "a b", "a) S 1 (b", "((", "))", "tab\there", "line\nend", "\x1b[31mred",
                                 "\xff\xfe", "(sd-pam)", ") R 9 9 9"}) {
    const auto stat = parse_process_stat("4711 (" + name + ")" + kRest);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->name, name);
    EXPECT_EQ(stat->parent, 1) << name;
    EXPECT_EQ(stat->start_ticks, 123456u) << name;
  }
}

TEST(ProcessStatTest, KernelThreadsAreToldByTheirFlag) {
  const auto stat = parse_process_stat(
      "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 18446744073709551615 0 0 0 0 0 0 0");
  ASSERT_TRUE(stat);
  EXPECT_TRUE(stat->kernel_thread());
}

TEST(ProcessStatTest, AnythingElseIsNoLine) {
  const std::string whole = "4711 (python3)" + kRest;
  for (std::size_t cut = 0; cut < whole.find(" 512 "); ++cut) {
    EXPECT_FALSE(parse_process_stat(whole.substr(0, cut))) << whole.substr(0, cut);
  }
  for (const char* text : {"", "\n", "x (a) S 1 1", "-5 (a) S 1", ")(", "4711 python3 S 1 4711"}) {
    EXPECT_FALSE(parse_process_stat(text)) << text;
  }
}

TEST(ProcessStatTest, TerminalsHaveTheNamesOfTheirDeviceFiles) {
  const auto number = [](std::uint32_t major, std::uint32_t minor) {
    return (minor & 0xffu) | major << 8 | (minor & 0xfff00u) << 12;
  };
  EXPECT_EQ(terminal_name(0), "");
  EXPECT_EQ(terminal_name(34819), "pts/3");
  EXPECT_EQ(terminal_name(number(136, 1000)), "pts/1000");
  EXPECT_EQ(terminal_name(number(137, 4)), "pts/260");
  EXPECT_EQ(terminal_name(number(4, 1)), "tty1");
  EXPECT_EQ(terminal_name(number(4, 64)), "ttyS0");
  EXPECT_EQ(terminal_name(number(5, 1)), "console");
  EXPECT_EQ(terminal_name(number(188, 2)), "ttyUSB2");
  EXPECT_EQ(terminal_name(number(229, 0)), "hvc0");
  EXPECT_EQ(terminal_name(number(204, 64)), "204:64");
}

}  // namespace
}  // namespace gpukeeper
