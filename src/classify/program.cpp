#include "classify/program.hpp"

#include <algorithm>
#include <functional>
#include <span>

#include "classify/fold.hpp"
#include "classify/interpreter.hpp"
#include "core/text.hpp"

namespace gpukeeper::classify {
namespace {

using Source = ProgramName::Source;
using Arguments = std::span<const std::string_view>;

std::string_view base_name(std::string_view path) {
  const auto slash = path.find_last_of("/\\");
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return path.substr(0, kMaxNameBytes);
}

std::string_view without_deleted(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";  // proc_pid_exe(5)
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return path;
}

void add_words(std::vector<std::string_view>& words, std::string_view text) {
  for (const auto word : split(text, ' ')) {
    if (!word.empty() && words.size() < kMaxArguments) words.push_back(word);
  }
}

// A process that writes its own title (Chromium, setproctitle) leaves one text with blanks where arguments stood.
std::vector<std::string_view> split_title(std::string_view title, std::string_view executable) {
  std::vector<std::string_view> words;
  if (!executable.empty() && title.starts_with(executable)) {  // whose path may hold blanks
    words.push_back(title.substr(0, executable.size()));
    title.remove_prefix(executable.size());
  }
  add_words(words, title);
  return words;
}

std::vector<std::string_view> words_of(const Evidence& evidence) {
  std::vector<std::string_view> words;
  for (const auto argument : evidence.arguments) {
    if (words.size() == kMaxArguments) break;
    if (!argument.empty()) words.push_back(argument.substr(0, kMaxArgumentBytes));
  }
  const bool title = words.size() == 1 && words[0].find(' ') != std::string_view::npos;
  if (!title || words[0].find('\\') != std::string_view::npos) return words;
  return split_title(words[0], without_deleted(evidence.executable));
}

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// What an interpreter was told to run, and what follows it.
struct Target {
  std::string_view text;  // empty: nothing, or code on the command line
  Source source = Source::script;
  Arguments rest = {};
};

Target target_of(const Interpreter& interpreter, Arguments arguments) {
  const Source plain = contains(interpreter.module, "") ? Source::module : Source::script;
  while (!arguments.empty()) {
    const auto word = arguments.front();
    arguments = arguments.subspan(1);
    const bool more = !arguments.empty();
    if (contains(interpreter.inline_code, word)) return {};
    if (contains(interpreter.module, word)) {
      return more ? Target{arguments.front(), Source::module, arguments.subspan(1)} : Target{};
    }
    if (word == "-jar") return more ? Target{arguments.front(), Source::script, arguments.subspan(1)} : Target{};
    if (contains(interpreter.takes_value, word)) {
      if (more) arguments = arguments.subspan(1);
    } else if (word != "run" && word != "exec" && !word.starts_with('-')) {  // deno run, dotnet exec
      return {word, plain, arguments};
    }
  }
  return {};
}

// Collects names and their forms, each once.
class Collector {
 public:
  explicit Collector(Program& program) : program_(program) {}

  void add(std::string_view name, Source source) {
    if (name.starts_with('-')) name.remove_prefix(1);  // of a login shell
    if (name.empty()) return;
    const auto known = [&](const ProgramName& each) { return each.text == name; };
    if (std::ranges::any_of(program_.names, known)) return;
    program_.names.push_back({std::string(name.substr(0, kMaxNameBytes)), source});
    add_forms(folded(program_.names.back().text), source);
  }

 private:
  void add_forms(std::string name, Source source) {
    std::string_view rest = name;
    if (rest.starts_with('.') && rest.ends_with("-wrapped")) {  // NixOS: .firefox-wrapped
      rest = rest.substr(1, rest.size() - 9);
    }
    if (source == Source::module) {
      for (auto dot = rest.rfind('.'); dot != std::string_view::npos && dot > 0; dot = rest.rfind('.', dot - 1)) {
        add_form(rest.substr(0, dot));
      }
      return add_form(rest);
    }
    for (int i = 0; i < 2; ++i) {  // tool.bin.real
      add_form(rest);
      add_form(without_version(rest));
      const auto shorter = without_extension(rest);
      if (shorter.size() == rest.size()) return;
      rest = shorter;
    }
    add_form(rest);
    add_form(without_version(rest));
  }

  static std::string_view without_extension(std::string_view name) {
    // Not those of scripts: marker.py need not be what an installed program "marker" is.
    constexpr std::string_view kExtensions[] = {".exe", ".bin", ".real", ".jar", ".appimage", ".x86-64", ".x86"};
    for (const auto extension : kExtensions) {
      if (name.size() > extension.size() && name.ends_with(extension)) {
        return name.substr(0, name.size() - extension.size());
      }
    }
    return name;
  }

  void add_form(std::string_view text) {
    const auto known = [&](const NameForm& each) { return each.text == text; };
    if (std::ranges::any_of(program_.forms, known)) return;
    program_.forms.push_back({std::string(text), hash_of(text), program_.names.size() - 1});
  }

  Program& program_;
};

const Interpreter* interpreter_at(std::string_view path) {
  auto name = base_name(path);
  if (name.starts_with('-')) name.remove_prefix(1);
  return find_interpreter(folded(name));
}

// Follows interpreters from argv[0] to what they run.
void follow(Program& program, Collector& names, std::string_view first, Source source, Arguments rest) {
  constexpr int kDeepest = 4;  // wine, python, a launcher; nobody nests deeper
  for (int depth = 0; depth < kDeepest && !first.empty(); ++depth) {
    const Interpreter* interpreter = source == Source::module ? nullptr : interpreter_at(first);
    if (!interpreter) return names.add(source == Source::module ? first : base_name(first), source);
    if (!contains(program.interpreters, interpreter->family)) program.interpreters.push_back(interpreter->family);
    const Target target = target_of(*interpreter, rest);
    first = target.text;
    source = target.source;
    rest = target.rest;
  }
}

}  // namespace

std::size_t hash_of(std::string_view folded_name) {
  return std::hash<std::string_view>()(folded_name);
}

Program read_program(const Evidence& evidence) {
  Program program;
  Collector names(program);
  const auto executable = without_deleted(evidence.executable).substr(0, kMaxArgumentBytes);
  const auto words = words_of(evidence);
  if (!executable.empty()) {
    program.paths.push_back(folded(executable));
    if (const Interpreter* interpreter = interpreter_at(executable)) {
      program.interpreters.push_back(interpreter->family);
    } else {
      names.add(base_name(executable), Source::executable);
    }
  }
  if (!words.empty()) {
    program.paths.push_back(folded(words[0]));
    program.arguments.assign(words.begin() + 1, words.end());
    for (const auto argument : program.arguments) program.folded_arguments.push_back(folded(argument));
    follow(program, names, words[0], Source::command_line, program.arguments);
  }
  if (!interpreter_at(evidence.command)) names.add(evidence.command.substr(0, kMaxNameBytes), Source::title);
  return program;
}

}  // namespace gpukeeper::classify
