#include "classify/match.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper::classify {
namespace {

bool holds(Need need, const PoolFacts& pool) {
  switch (need) {
    case Need::pool: return !pool.address.empty();
    case Need::stratum: return pool.stratum;
    case Need::wallet: return pool.wallet;
  }
  return false;
}

bool holds(Use use, const ProcessType& type) {
  return use == Use::compute ? type.compute || type.mps : type.graphics;
}

std::string_view family(const Conditions& wanted, const Observed& observed) {
  for (const auto each : observed.program.interpreters) {
    if (std::ranges::find(wanted.interpreters, each) != wanted.interpreters.end()) return each;
  }
  return {};
}

bool all_needed(const Conditions& wanted, const Observed& observed) {
  return std::ranges::all_of(wanted.needs, [&](Need need) { return holds(need, observed.pool); });
}

bool busy_enough(const Conditions& wanted, const Observed& observed) {
  return observed.busy_for && *observed.busy_for >= *wanted.busy_for;
}

// The cheap conditions first: most rules end at the program's name.
std::optional<Why> all_of(const Conditions& wanted, const Observed& observed) {
  Why why;
  if (wanted.type && !holds(*wanted.type, observed.type)) return std::nullopt;
  if (!wanted.interpreters.empty()) {
    why.interpreter = family(wanted, observed);
    if (why.interpreter.empty()) return std::nullopt;
  }
  if (!all_needed(wanted, observed)) return std::nullopt;
  if (wanted.busy_for && !busy_enough(wanted, observed)) return std::nullopt;
  if (!wanted.program.empty()) {
    why.name = wanted.program.match(observed.program);
    if (!why.name) return std::nullopt;
  }
  if (!wanted.path.empty()) {
    why.path = wanted.path.match(observed.program.paths);
    if (!why.path) return std::nullopt;
  }
  if (!wanted.arguments.empty()) {
    why.argument = wanted.arguments.match(observed.program.folded_arguments);
    if (!why.argument) return std::nullopt;
  }
  return why;
}

bool any_of(const Conditions& wanted, const Observed& observed) {
  return (wanted.type && holds(*wanted.type, observed.type)) || !family(wanted, observed).empty() ||
         (!wanted.needs.empty() && all_needed(wanted, observed)) ||
         (wanted.busy_for && busy_enough(wanted, observed)) || wanted.program.match(observed.program) ||
         wanted.path.match(observed.program.paths) || wanted.arguments.match(observed.program.folded_arguments);
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kWidest = 60;
  return fmt::format("'{}'", fit(harmless(text), kWidest));
}

// Programs that write their state over their name ("ray::Train(key=…)") may write anything there, and everybody is told
// the clause: only what stands before it is quoted.
std::string quoted_title(std::string_view text) {
  return quoted(text.substr(0, text.find_first_of("(=")));
}

std::string clause(const ProgramName& name) {
  using enum ProgramName::Source;
  switch (name.source) {
    case executable: return "the executable is " + quoted(name.text);
    case command_line: return "it was started as " + quoted_title(name.text);
    case script: return "the script is " + quoted(name.text);
    case module: return "the module is " + quoted(name.text);
    case title: return "it calls itself " + quoted_title(name.text);
  }
  return {};
}

std::string clause(std::chrono::seconds busy) {
  const auto minutes = busy.count() / 60;
  if (minutes < 1) return fmt::format("it has kept the GPU busy for {} s", busy.count());
  if (minutes < 120) return fmt::format("it has kept the GPU busy for {} min", minutes);
  return fmt::format("it has kept the GPU busy for {} h", minutes / 60);
}

std::string pool_clause(const Conditions& wanted, const PoolFacts& pool) {
  const bool wallet = std::ranges::find(wanted.needs, Need::wallet) != wanted.needs.end();
  if (pool.address.empty()) return "its arguments name a wallet";
  return fmt::format("its arguments name the mining pool {}{}", pool.address, wallet ? " and a wallet" : "");
}

// "a", "a and b", "a, b and c".
std::string sentence(const std::vector<std::string>& clauses) {
  std::string text;
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    if (i > 0) text += i + 1 == clauses.size() ? " and " : ", ";
    text += clauses[i];
  }
  return text;
}

}  // namespace

Observed observe(const Evidence& evidence) {
  Observed observed;
  observed.program = read_program(evidence);
  observed.pool = find_pool(observed.program.arguments);
  observed.type = evidence.type;
  observed.busy_for = evidence.busy_for;
  return observed;
}

std::optional<Why> match(const Rule& rule, const Observed& observed) {
  auto why = all_of(rule.when, observed);
  if (why && !rule.unless.empty() && any_of(rule.unless, observed)) return std::nullopt;
  return why;
}

std::string reason(const Rule& rule, const Why& why, const Observed& observed) {
  std::vector<std::string> clauses;
  if (why.name) clauses.push_back(clause(observed.program.names[*why.name]));
  if (!why.interpreter.empty()) clauses.push_back(fmt::format("{} runs it", why.interpreter));
  if (why.path) clauses.push_back(fmt::format("its path is like {}", quoted(*why.path)));
  if (why.argument) clauses.push_back(fmt::format("it has an argument like {}", quoted(*why.argument)));
  if (!rule.when.needs.empty()) clauses.push_back(pool_clause(rule.when, observed.pool));
  if (rule.when.type) {
    clauses.emplace_back(*rule.when.type == Use::compute ? "it computes on the GPU" : "it draws on the GPU");
  }
  if (rule.when.busy_for) clauses.push_back(clause(*observed.busy_for));
  return rule.note.empty() ? sentence(clauses) : sentence(clauses) + ", " + harmless(rule.note);
}

std::string no_reason(const Observed& observed) {
  if (!observed.program.names.empty()) return "no rule matches: " + clause(observed.program.names.front());
  if (!observed.program.interpreters.empty()) {
    return fmt::format("no rule matches: {} runs code without a name", observed.program.interpreters.back());
  }
  return "no rule matches: neither its executable nor its arguments are known";
}

}  // namespace gpukeeper::classify
