#include "classify/rule.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace gpukeeper::classify {
namespace {

void add(std::string& text, std::string_view what, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return;
  text += fmt::format("{}{} {}", text.empty() ? "" : " · ", what, fmt::join(patterns, ", "));
}

}  // namespace

std::string_view to_string(Use use) {
  return use == Use::compute ? "compute" : "graphics";
}

std::string_view to_string(Need need) {
  switch (need) {
    case Need::pool: return "pool";
    case Need::stratum: return "stratum";
    case Need::wallet: return "wallet";
  }
  return "?";
}

bool Conditions::empty() const {
  return program.empty() && interpreters.empty() && path.empty() && arguments.empty() && !type && needs.empty() &&
         !busy_for;
}

std::string describe(const Conditions& conditions) {
  std::vector<std::string> needs;
  for (const Need need : conditions.needs) needs.emplace_back(to_string(need));
  std::string text;
  add(text, "program", conditions.program.written());
  add(text, "interpreter", conditions.interpreters);
  add(text, "path", conditions.path.written());
  add(text, "arguments", conditions.arguments.written());
  if (conditions.type) add(text, "type", {std::string(to_string(*conditions.type))});
  add(text, "needs", needs);
  if (conditions.busy_for) add(text, "busy for", {fmt::format("{}", *conditions.busy_for)});
  return text;
}

}  // namespace gpukeeper::classify
