#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "classify/evidence.hpp"
#include "classify/pool.hpp"
#include "classify/program.hpp"
#include "classify/rule.hpp"

namespace gpukeeper::classify {

/// A process as rules see it. Views point into the evidence.
struct Observed {
  Program program;
  PoolFacts pool;
  ProcessType type;
  std::optional<std::chrono::seconds> busy_for;
};

Observed observe(const Evidence& evidence);

/// What a rule was matched by, where it asked for it.
struct Why {
  std::optional<std::size_t> name;        ///< an index into Program::names
  std::string_view interpreter;           ///< the family
  const std::string* path = nullptr;      ///< the pattern
  const std::string* argument = nullptr;  ///< the pattern
};

/// Nothing when the rule does not match.
std::optional<Why> match(const Rule& rule, const Observed& observed);

/// One line, safe to print: "the executable is 'xmrig' and its arguments name the mining pool pool.example:3333".
std::string reason(const Rule& rule, const Why& why, const Observed& observed);

/// The same where no rule matched.
std::string no_reason(const Observed& observed);

}  // namespace gpukeeper::classify
