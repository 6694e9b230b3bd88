#pragma once

#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command_tree.hpp"
#include "cli/parser.hpp"

// Included by the parser's source files only: the library is heavy, and nobody else knows it.

namespace gpukeeper::cli {

/// What is wrong with the text, as the end of a sentence that begins with the option's name; empty when nothing is.
using Check = std::string (*)(const std::string&);
std::string check_duration(const std::string& text);

/// The command line as it is declared to the library, with what the library does not keep of it: what stands for a
/// value in help texts, and what completes it.
class Declaration {
 public:
  Declaration(const std::string& name, const std::string& help);

  CLI::App& app() { return app_; }
  const CLI::App& app() const { return app_; }

  struct Extras {
    std::string value;
    std::vector<std::string> choices = {};
    bool choices_separated = false;
    bool file = false;
  };
  void add(CLI::Option* option, Extras extras) { extras_[option] = std::move(extras); }

  CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& target, const std::string& value,
                          std::vector<std::string> choices, const std::string& help);
  CLI::Option* add_checked(CLI::App& app, const std::string& name, std::string& target, const std::string& value,
                           Check check, const std::string& help);
  CLI::Option* add_text(CLI::App& app, const std::string& name, std::string& target, const std::string& value,
                        const std::string& help);
  CLI::Option* add_file(CLI::App& app, const std::string& name, std::string& target, const std::string& value,
                        const std::string& help);
  static CLI::Option* add_flag(CLI::App& app, const std::string& name, bool& target, const std::string& help);
  static CLI::Validator one_of(std::vector<std::string> choices);

  // Options of several commands.
  void add_device(CLI::App& app, Arguments& arguments, const std::string& names = "--device");
  void add_rules(CLI::App& app, Arguments& arguments);
  void add_state_dir(CLI::App& app, Arguments& arguments);
  void add_watch(CLI::App& app, Arguments& arguments);
  static void add_wake(CLI::App& app, Arguments& arguments);

  /// The options of a command, or its arguments.
  std::vector<OptionFacts> options_of(const CLI::App& app, bool positional) const;

 private:
  CLI::App app_;
  std::map<const CLI::Option*, Extras> extras_;
};

}  // namespace gpukeeper::cli
