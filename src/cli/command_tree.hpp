#pragma once

#include <string>
#include <vector>

namespace gpukeeper::cli {

/// An option as the parser knows it.
struct OptionFacts {
  std::vector<std::string> names;  ///< "-q", "--query"; empty for a positional argument
  std::string help;
  std::string value;                 ///< what stands for its value in help: "SECONDS"; empty for a flag
  std::vector<std::string> choices;  ///< when only these are taken, or when these are known
  bool choices_separated = false;    ///< several choices may follow each other, separated by commas
  bool file = false;                 ///< the value may be a path
};

struct CommandFacts {
  std::string name;
  std::string help;
  std::vector<OptionFacts> options;
  std::vector<OptionFacts> arguments;
};

/// The whole command line, read out of the parser itself, so that help and completions cannot differ from what is
/// accepted.
struct CommandTree {
  std::string help;
  std::vector<OptionFacts> options;  ///< accepted before and after every subcommand
  std::vector<CommandFacts> commands;
};

}  // namespace gpukeeper::cli
