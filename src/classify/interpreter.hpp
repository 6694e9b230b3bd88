#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace gpukeeper::classify {

/// A program that runs another one: what it runs is the program that a rule judges.
struct Interpreter {
  std::string_view family;                             ///< as rules name it: "python"
  std::span<const std::string_view> names;             ///< of its executables, folded, without version
  std::span<const std::string_view> takes_value = {};  ///< options that the next argument belongs to
  std::span<const std::string_view> inline_code = {};  ///< options after which there is a text instead of a file
  std::span<const std::string_view> module = {};       ///< options after which a module's name stands, or "" for always
};

std::span<const Interpreter> interpreters();

/// By a folded base name such as "python3.11" or "wine64-preloader"; null for every other program.
const Interpreter* find_interpreter(std::string_view base_name);

/// The name without the version at its end: "python" of "python3.11", "xmrig" of "xmrig-6.21.0".
std::string_view without_version(std::string_view name);

}  // namespace gpukeeper::classify
