#include "cli/manual.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "config/key_table.hpp"

namespace gpukeeper::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// As a page has it: no dash is taken for a hyphen.
std::string dashed(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '-' ? std::string("\\-") : std::string(1, c);
  return result;
}

TEST(ManualTest, EveryCommandHasAPageWithEveryOptionOfTheParser) {
  const CommandTree tree = command_tree();
  EXPECT_EQ(manual_pages(tree).size(), tree.commands.size() + 2);
  for (const CommandFacts& command : tree.commands) {
    const auto page = manual_page(tree, "gpukeeper-" + command.name + ".1");
    ASSERT_TRUE(page) << command.name;
    for (const OptionFacts& option : command.options) {
      for (const std::string& name : option.names) EXPECT_THAT(*page, HasSubstr(dashed(name)));
    }
  }
}

TEST(ManualTest, ThePageOfTheConfigurationHasEveryKey) {
  const auto page = manual_page(command_tree(), "gpukeeper.yaml");
  ASSERT_TRUE(page);
  for (const config::Key& key : config::key_table()) EXPECT_THAT(*page, HasSubstr(std::string(key.name)));
}

TEST(ManualTest, WhatMeansSomethingToRoffIsOnlyText) {
  CommandTree tree;
  tree.commands = {{.name = "odd", .help = ".so /etc/passwd \\fB of 'x'; more", .options = {}, .arguments = {}}};
  const auto page = manual_page(tree, "gpukeeper-odd");
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, HasSubstr("gpukeeper\\-odd \\- \\&.so /etc/passwd \\efB of 'x'\n"));
  EXPECT_THAT(*page, HasSubstr("\n\\&.so /etc/passwd \\efB of 'x'; more\n"));
  EXPECT_THAT(*page, Not(HasSubstr("\n.so")));
}

TEST(ManualTest, AnUnknownPageIsNone) {
  EXPECT_FALSE(manual_page(command_tree(), "gpukeeper-dance.1"));
}

}  // namespace
}  // namespace gpukeeper::cli
