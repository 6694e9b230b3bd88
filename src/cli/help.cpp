#include "cli/help.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::size_t kTermWidth = 24;

std::string term(const OptionFacts& option) {
  if (option.names.empty()) return option.value;
  std::string text;
  for (const std::string& name : option.names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  if (!option.value.empty()) text += " " + option.value;
  return text;
}

void entry(std::string& text, std::string_view name, std::string_view help, std::size_t width) {
  const std::size_t indent = kTermWidth + 4;
  const auto lines = wrap(help, width > indent + 20 ? width - indent : 20);
  std::string line = fmt::format("  {:<{}}", name, kTermWidth);
  if (name.size() > kTermWidth) {
    text += line + "\n";
    line = std::string(kTermWidth + 2, ' ');
  }
  for (const std::string& piece : lines) {
    text += fmt::format("{}  {}\n", line, piece);
    line = std::string(kTermWidth + 2, ' ');
  }
}

void entries(std::string& text, std::string_view heading, const std::vector<OptionFacts>& options, std::size_t width) {
  if (options.empty()) return;
  text += fmt::format("\n{}\n", heading);
  for (const OptionFacts& option : options) entry(text, term(option), option.help, width);
}

}  // namespace

std::string short_help(const CommandTree& tree, std::size_t width) {
  std::string text;
  for (const std::string& line : wrap("gpukeeper " + tree.help, width)) text += line + "\n";
  text += "\n";
  for (const CommandFacts& command : tree.commands) entry(text, "gpukeeper " + command.name, command.help, width);
  return text + "\ngpukeeper --help says more, and so does --help after each of them.\n";
}

std::string full_help(const CommandTree& tree, std::string_view name, std::size_t width) {
  const auto command = std::ranges::find(tree.commands, name, &CommandFacts::name);
  std::string text;
  if (command == tree.commands.end()) {
    text = "usage: gpukeeper [OPTIONS] COMMAND [OPTIONS]\n\n";
    for (const std::string& line : wrap("gpukeeper " + tree.help, width)) text += line + "\n";
    text += "\ncommands\n";
    for (const CommandFacts& each : tree.commands) entry(text, each.name, each.help, width);
    entries(text, "options, before or after the command", tree.options, width);
    text += "\nexit status: 0 success, 1 failure, 2 wrong usage\n";
    return text;
  }
  text = fmt::format("usage: gpukeeper {}", command->name);
  if (!command->options.empty() || !tree.options.empty()) text += " [OPTIONS]";
  for (const OptionFacts& argument : command->arguments) text += " " + argument.value;
  text += "\n\n";
  for (const std::string& line : wrap(command->help, width)) text += line + "\n";
  entries(text, "arguments", command->arguments, width);
  entries(text, "options", command->options, width);
  entries(text, "options of every command", tree.options, width);
  return text;
}

}  // namespace gpukeeper::cli
