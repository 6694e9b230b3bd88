#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "classify/evidence.hpp"

namespace gpukeeper::classify {

/// A name that a process goes by, and where it stood.
struct ProgramName {
  enum class Source { executable, command_line, script, module, title };
  std::string text;  ///< as written, at most 256 bytes; may hold anything
  Source source = Source::executable;
};

/// A name as it is compared: folded, then also without its extension, without its version, or a module's parents.
struct NameForm {
  std::string text;
  std::size_t hash = 0;
  std::size_t name = 0;  ///< whose form it is: an index into Program::names
};

/// Which program a process runs. Behind an interpreter it is what that runs: of `python3 -m
/// vllm.entrypoints.api_server` the module, of `bash run.sh` the script, of `wine64-preloader C:\Game\game.exe` the
/// game.
struct Program {
  std::vector<ProgramName> names;  ///< without the interpreters', the surest first; empty when nothing is known
  std::vector<NameForm> forms;
  std::vector<std::string_view> interpreters;  ///< families, the outermost first: wine, then python
  std::vector<std::string> paths;              ///< folded: the executable's, and argv[0]
  std::vector<std::string_view> arguments;     ///< all that stands behind argv[0]
  std::vector<std::string> folded_arguments;   ///< the same, folded once for all patterns
};

/// Views point into the evidence. Of a hostile command line only the beginning is read: see the limits.
Program read_program(const Evidence& evidence);

inline constexpr std::size_t kMaxArguments = 256;
inline constexpr std::size_t kMaxArgumentBytes = 4096;
inline constexpr std::size_t kMaxNameBytes = 256;

std::size_t hash_of(std::string_view folded_name);

}  // namespace gpukeeper::classify
