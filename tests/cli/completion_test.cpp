#include "cli/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "cli/help.hpp"

namespace gpukeeper::cli {
namespace {

using testing::HasSubstr;

std::string without_dashes(std::string name) {
  return name.substr(name.find_first_not_of('-'));
}

// Whatever the parser takes is in every script and in the help, so none of them can lag behind.
TEST(CompletionTest, EveryCommandAndOptionOfTheParserIsOffered) {
  const CommandTree tree = command_tree();
  ASSERT_GE(tree.commands.size(), 6u);
  for (const CommandFacts& command : tree.commands) {
    const std::string help = full_help(tree, command.name, 80);
    for (const std::string& script : {bash_completion(tree), zsh_completion(tree), fish_completion(tree)}) {
      EXPECT_THAT(script, HasSubstr(command.name));
      for (const OptionFacts& option : command.options) {
        for (const std::string& name : option.names) EXPECT_THAT(script, HasSubstr(without_dashes(name)));
        for (const std::string& choice : option.choices) EXPECT_THAT(script, HasSubstr(choice));
      }
    }
    for (const OptionFacts& option : command.options) EXPECT_THAT(help, HasSubstr(option.names.back()));
  }
}

TEST(HelpTest, NoLineIsWiderThanThePage) {
  const CommandTree tree = command_tree();
  for (const std::string command : {"", "status", "devices", "metrics", "classes", "doctor", "completion", "version"}) {
    std::istringstream page(full_help(tree, command, 80));
    for (std::string line; std::getline(page, line);) EXPECT_LE(line.size(), 80u) << line;
  }
}

}  // namespace
}  // namespace gpukeeper::cli
