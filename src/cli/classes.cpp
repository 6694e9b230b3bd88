#include "cli/classes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "classify/classifier.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "core/files.hpp"
#include "format/json_text.hpp"
#include "yaml/tree.hpp"

namespace gpukeeper::cli {
namespace {

using classify::Conditions;
using classify::Rule;

Json as_json(const Conditions& conditions) {
  Json result = Json::object();
  const auto add = [&](const char* key, const std::vector<std::string>& patterns) {
    if (!patterns.empty()) result[key] = patterns;
  };
  add("program", conditions.program.written());
  add("interpreter", conditions.interpreters);
  add("path", conditions.path.written());
  add("arguments", conditions.arguments.written());
  if (conditions.type) result["type"] = to_string(*conditions.type);
  for (const auto need : conditions.needs) result["needs"].push_back(to_string(need));
  if (conditions.busy_for) result["busy_for_seconds"] = conditions.busy_for->count();
  return result;
}

std::string as_json(const std::vector<Rule>& rules) {
  Json rows = Json::array();
  for (const Rule& rule : rules) {
    rows.push_back({{"name", rule.name},
                    {"class", to_string(rule.kind)},
                    {"confidence", rule.confidence},
                    {"file", rule.file},
                    {"note", text_or_null(rule.note)},
                    {"when", as_json(rule.when)},
                    {"unless", rule.unless.empty() ? Json() : as_json(rule.unless)}});
  }
  return dump({{"schema", "gpukeeper.classes/1"}, {"rules", std::move(rows)}}, true) + "\n";
}

std::string as_table(const std::vector<Rule>& rules, const RenderOptions& options) {
  Table table({{.header = "RULE"}, {.header = "CLASS"}, {.header = "MATCHES", .shrinks_to = 20}});
  for (const Rule& rule : rules) {
    std::string matches = describe(rule.when);
    if (!rule.unless.empty()) matches += fmt::format(" · unless {}", describe(rule.unless));
    table.add_row({{rule.name, Ink::strong}, std::string(to_string(rule.kind)), {harmless(matches, options.utf8)}});
  }
  std::string text;
  for (const std::string& line : table.render(options)) text += line + "\n";
  return text;
}

Exit check(const std::string& path, Context& context) {
  const auto text = read_file(path, yaml::kMaxYamlBytes);
  if (!text) return tl::make_unexpected(text.error());
  const auto own = Classifier::parse(*text, path);
  if (!own) return tl::make_unexpected(own.error());
  const auto count = own->rules().size();
  std::string answer = fmt::format("{}: {} rule{}, no mistake\n", harmless(path), count, count == 1 ? "" : "s");
  for (const Rule& rule : own->rules()) {
    const auto& built_in = Classifier::built_in().rules();
    if (std::ranges::find(built_in, rule.name, &Rule::name) == built_in.end()) continue;
    answer += fmt::format("'{}' replaces the built-in rule of that name\n", rule.name);
  }
  return print(context, answer);
}

Exit show(const Classifier& classifier, bool json, Context& context) {
  if (json) return print(context, as_json(classifier.rules()));
  RenderOptions render = render_options(context);
  if (!context.screen().terminal && !context.environment("COLUMNS")) render.width = 10'000;  // a pipe has no edge
  return print(context, as_table(classifier.rules(), render));
}

}  // namespace

Exit classes(const ClassesOptions& options, Context& context) {
  if (!options.check.empty()) return check(options.check, context);
  if (options.rules.empty()) return show(Classifier::built_in(), options.json, context);
  const auto loaded = Classifier::load(options.rules);
  if (!loaded) return tl::make_unexpected(loaded.error());
  return show(*loaded, options.json, context);
}

}  // namespace gpukeeper::cli
