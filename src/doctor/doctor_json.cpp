#include <algorithm>
#include <iterator>
#include <utility>

#include "doctor/doctor.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::doctor {
namespace {

std::string_view word(Check::Mark mark) {
  switch (mark) {
    case Check::Mark::good: return "good";
    case Check::Mark::note: return "note";
    case Check::Mark::hint: return "hint";
    case Check::Mark::problem: return "problem";
  }
  return "note";
}

}  // namespace

std::vector<Check> examine_all(const Files& files, const Machine& machine, const Snapshot& snapshot,
                               const config::Settings& settings) {
  auto checks = examine(files, machine, snapshot);
  std::ranges::move(examine(settings, files, machine), std::back_inserter(checks));
  return checks;
}

std::size_t count(const std::vector<Check>& checks, Check::Mark mark) {
  return static_cast<std::size_t>(std::ranges::count(checks, mark, &Check::mark));
}

std::string doctor_json(const std::vector<Check>& checks, bool pretty) {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back({{"mark", word(check.mark)},
                    {"area", check.area},
                    {"text", check.text},
                    {"remedy", text_or_null(check.remedy)}});
  }
  return dump({{"schema", "gpukeeper.doctor/1"},
               {"problems", count(checks, Check::Mark::problem)},
               {"hints", count(checks, Check::Mark::hint)},
               {"checks", std::move(list)}},
              pretty);
}

}  // namespace gpukeeper::doctor
