#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "classify/pattern.hpp"
#include "device/process_facts.hpp"

namespace gpukeeper::classify {

/// How a process uses the GPU, as a rule may ask for it.
enum class Use { compute, graphics };

/// Facts of a command line that need more than a pattern.
enum class Need { pool, stratum, wallet };

std::string_view to_string(Use use);
std::string_view to_string(Need need);

/// What a rule looks at. A condition that is empty asks for nothing.
struct Conditions {
  NamePatterns program;
  std::vector<std::string> interpreters;  ///< families; one of them runs the program
  PathPatterns path;
  ArgumentPatterns arguments;
  std::optional<Use> type;
  std::vector<Need> needs;                         ///< all of them
  std::optional<std::chrono::seconds> busy_for{};  ///< at least

  bool empty() const;
};

/// One rule: all of `when` holds and nothing of `unless` does.
struct Rule {
  std::string name;
  std::string file;  ///< where it stands; the built-in rules are in "built-in"
  ProcessClass kind = ProcessClass::unknown;
  double confidence = 0;  ///< 0..1
  std::string note;       ///< what the reason says after a comma: "but …"; may be empty
  Conditions when;
  Conditions unless;
};

/// What the conditions ask for in a line: "program xmrig, lolminer · needs pool". Without any: empty.
std::string describe(const Conditions& conditions);

}  // namespace gpukeeper::classify
