#include "format/alert_rules.hpp"

#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kDocumentWidth = 120;

std::string with_unit(const Rule& rule, double value) {
  return rule.unit.empty() ? fmt::format("{:g}", value) : fmt::format("{:g} {}", value, rule.unit);
}

std::string after(nanoseconds time) {
  return time == nanoseconds::zero() ? "at once" : "after " + age_text(time);
}

// "Warning from 80 °C after 2 min, critical from 90 °C at once; ends 3 °C below; told again every 1 h."
std::string limits_text(const Rule& rule) {
  const RuleLimits& l = rule.limits;
  std::string text = fmt::format("Level {}", to_string(rule.level));
  if (l.warning) text += fmt::format(" from {}", with_unit(rule, *l.warning));
  text += " " + after(l.sustain);
  if (l.critical) text += fmt::format(", critical from {} {}", with_unit(rule, *l.critical), after(l.sustain_critical));
  if (l.clear > 0) text += fmt::format("; ends {} behind the border", with_unit(rule, l.clear));
  if (l.clear_after > nanoseconds::zero())
    text += fmt::format("; ends when it is over for {}", age_text(l.clear_after));
  text += l.repeat == nanoseconds::zero() ? "; told once" : fmt::format("; told again every {}", age_text(l.repeat));
  return text + ".";
}

}  // namespace

std::string rules_json(bool indented) {
  const auto seconds = [](std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); };
  Json list = Json::array();
  for (const Rule& rule : rule_table()) {
    const RuleLimits& l = rule.limits;
    list.push_back({{"id", rule.id},
                    {"title", rule.title},
                    {"condition", rule.condition},
                    {"unit", rule.unit},
                    {"level", to_string(rule.level)},
                    {"warning", or_null(l.warning)},
                    {"critical", or_null(l.critical)},
                    {"sustain_seconds", seconds(l.sustain)},
                    {"clear", l.clear},
                    {"clear_after_seconds", seconds(l.clear_after)},
                    {"repeat_seconds", seconds(l.repeat)},
                    {"remedy", rule.remedy}});
  }
  return dump({{"schema", "gpukeeper.alert-rules/1"}, {"rules", std::move(list)}}, indented);
}

std::string rule_section(const Rule& rule) {
  std::string text = fmt::format("### {}\n", rule.id);
  for (const std::string& paragraph :
       {fmt::format("Fires when {}.", rule.condition), limits_text(rule), fmt::format("To do: {}", rule.remedy)}) {
    text += fmt::format("\n{}\n", fmt::join(wrap(paragraph, kDocumentWidth), "\n"));
  }
  return text;
}

}  // namespace gpukeeper
