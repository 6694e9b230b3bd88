#include "cli/completion.hpp"

#include <span>

#include <fmt/format.h>

namespace gpukeeper::cli {
namespace {

std::string join(std::span<const std::string> words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string names_of(const std::vector<CommandFacts>& commands, std::string_view separator) {
  std::vector<std::string> names;
  for (const CommandFacts& command : commands) names.push_back(command.name);
  return join(names, separator);
}

// Backslashes before the characters that mean something where the text is put.
std::string escaped(std::string_view text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

// Within single quotes of a shell nothing is special but the quote itself.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

// --- bash ---

std::string bash_words(const std::vector<OptionFacts>& options) {
  std::string text;
  for (const OptionFacts& option : options) text += " " + join(option.names, " ");
  return text;
}

// What may follow an option that takes a value. The command is matched too: two of them may use one name differently.
std::string bash_values(std::string_view command, const std::vector<OptionFacts>& options) {
  std::string text;
  for (const OptionFacts& option : options) {
    if (option.value.empty()) continue;
    std::string pattern;
    for (const std::string& name : option.names) {
      pattern += fmt::format("{}{}:{}", pattern.empty() ? "" : "|", command, name);
    }
    const std::string words = join(option.choices, " ");
    std::string action;
    if (option.choices_separated) {
      action = fmt::format("_gpukeeper_list \"$cur\" {}", words);
    } else {
      action = fmt::format("mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\"{})", words,
                           option.file ? "; compgen -f -- \"$cur\"" : "");
    }
    text += fmt::format("    {}) {}; return ;;\n", pattern, action);
  }
  return text;
}

// --- zsh ---

void zsh_option(std::string& text, const OptionFacts& option, std::string_view indent) {
  std::string action;
  if (!option.value.empty()) {
    const std::string words = join(option.choices, " ");
    action = fmt::format(":{}:", escaped(option.value, ":"));
    if (option.choices_separated) {
      action += fmt::format("_values -s , key {}", words);
    } else if (option.file) {
      action += fmt::format("{{compadd -S '' -- {}; _files}}", words);
    } else if (!words.empty()) {
      action += fmt::format("({})", words);
    }
  }
  for (const std::string& name : option.names) {
    text +=
        fmt::format("{}{} \\\n", indent, quoted(fmt::format("*{}[{}]{}", name, escaped(option.help, "[]:"), action)));
  }
}

// --- fish ---

void fish_option(std::string& text, const OptionFacts& option, std::string_view condition) {
  std::string line = "complete -c gpukeeper";
  if (!condition.empty()) line += " -n " + quoted(condition);
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.value.empty()) line += option.file ? " -r -F" : " -x";
  if (!option.choices.empty()) {
    const std::string words = join(option.choices, " ");
    line += " -a " + quoted(option.choices_separated ? fmt::format("(__fish_append , {})", words) : words);
  }
  text += line + " -d " + quoted(option.help) + "\n";
}

}  // namespace

std::string bash_completion(const CommandTree& tree) {
  std::string text =
      "# bash completion of gpukeeper; to have it: source <(gpukeeper completion bash)\n"
      "\n"
      "# Completes the last word of a list with commas.\n"
      "_gpukeeper_list() {\n"
      "  local begun='' last=$1\n"
      "  [[ $last == *,* ]] && begun=${last%,*}, last=${last##*,}\n"
      "  shift\n"
      "  mapfile -t COMPREPLY < <(compgen -P \"$begun\" -W \"$*\" -- \"$last\")\n"
      "}\n"
      "\n"
      "_gpukeeper() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n";
  text += fmt::format("      {}) command=${{COMP_WORDS[i]}}; break ;;\n", names_of(tree.commands, "|"));
  text +=
      "    esac\n"
      "  done\n"
      "  # bash splits words at a colon: what follows one is the file of a source.\n"
      "  if [[ $prev == : || $cur == : ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"${cur#:}\")\n"
      "    return\n"
      "  fi\n"
      "  case $command:$prev in\n";
  text += bash_values("*", tree.options);
  for (const CommandFacts& command : tree.commands) text += bash_values(command.name, command.options);
  text +=
      "  esac\n"
      "  local words=''\n"
      "  case $command in\n";
  text += fmt::format("    '') words='{}' ;;\n", names_of(tree.commands, " "));
  for (const CommandFacts& command : tree.commands) {
    std::string words = bash_words(command.options);
    for (const OptionFacts& argument : command.arguments) words += " " + join(argument.choices, " ");
    text += fmt::format("    {}) words='{}' ;;\n", command.name, words.empty() ? "" : words.substr(1));
  }
  text += "  esac\n";
  text += fmt::format("  mapfile -t COMPREPLY < <(compgen -W \"$words{}\" -- \"$cur\")\n", bash_words(tree.options));
  text +=
      "}\n"
      "complete -F _gpukeeper gpukeeper\n";
  return text;
}

std::string zsh_completion(const CommandTree& tree) {
  std::string text =
      "#compdef gpukeeper\n"
      "# zsh completion of gpukeeper; to have it: gpukeeper completion zsh > ~/.zfunc/_gpukeeper, with ~/.zfunc in "
      "fpath\n"
      "\n"
      "_gpukeeper() {\n"
      "  local curcontext=$curcontext state line\n"
      "  local -a commands\n"
      "  commands=(\n";
  for (const CommandFacts& command : tree.commands) {
    text += fmt::format("    {}\n", quoted(fmt::format("{}:{}", command.name, escaped(command.help, ":"))));
  }
  text +=
      "  )\n"
      "  _arguments -C \\\n";
  for (const OptionFacts& option : tree.options) zsh_option(text, option, "    ");
  text +=
      "    '1: :->command' \\\n"
      "    '*:: :->rest' && return\n"
      "  case $state in\n"
      "    command) _describe command commands ;;\n"
      "    rest)\n"
      "      case $words[1] in\n";
  for (const CommandFacts& command : tree.commands) {
    text += fmt::format("        {})\n          _arguments \\\n", command.name);
    for (const OptionFacts& option : command.options) zsh_option(text, option, "            ");
    for (const OptionFacts& option : tree.options) zsh_option(text, option, "            ");
    for (const OptionFacts& argument : command.arguments) {
      text += fmt::format("            {} \\\n",
                          quoted(fmt::format("1:{}:({})", argument.value, join(argument.choices, " "))));
    }
    text += "            && return ;;\n";
  }
  text +=
      "      esac ;;\n"
      "  esac\n"
      "}\n"
      "\n"
      "# Both ways of loading it work: autoloaded from fpath, or sourced after compinit.\n"
      "if [[ $funcstack[1] == _gpukeeper ]]; then _gpukeeper \"$@\"; else compdef _gpukeeper gpukeeper; fi\n";
  return text;
}

std::string fish_completion(const CommandTree& tree) {
  std::string text =
      "# fish completion of gpukeeper; to have it: gpukeeper completion fish > "
      "~/.config/fish/completions/gpukeeper.fish\n"
      "\n"
      "complete -c gpukeeper -f\n";
  const std::string none = fmt::format("not __fish_seen_subcommand_from {}", names_of(tree.commands, " "));
  for (const OptionFacts& option : tree.options) fish_option(text, option, "");
  for (const CommandFacts& command : tree.commands) {
    text += fmt::format("complete -c gpukeeper -n {} -a {} -d {}\n", quoted(none), command.name, quoted(command.help));
  }
  for (const CommandFacts& command : tree.commands) {
    const std::string condition = "__fish_seen_subcommand_from " + command.name;
    for (const OptionFacts& option : command.options) fish_option(text, option, condition);
    for (const OptionFacts& argument : command.arguments) {
      text +=
          fmt::format("complete -c gpukeeper -n {} -a {}\n", quoted(condition), quoted(join(argument.choices, " ")));
    }
  }
  return text;
}

}  // namespace gpukeeper::cli
