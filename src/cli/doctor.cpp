#include "cli/doctor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "doctor/system_machine.hpp"

namespace gpukeeper::cli {
namespace {

using gpukeeper::doctor::Check;
using gpukeeper::doctor::count;

Span sign(Check::Mark mark, bool utf8) {
  switch (mark) {
    case Check::Mark::good: return {utf8 ? "✓" : "+", Ink::good};
    case Check::Mark::note: return {utf8 ? "·" : "-", Ink::faint};
    case Check::Mark::hint: return {"!", Ink::warn};
    case Check::Mark::problem: return {utf8 ? "✗" : "X", Ink::bad};
  }
  return {" "};
}

std::string plural(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

}  // namespace

std::string render_doctor(const std::vector<Check>& checks, const RenderOptions& options) {
  std::string page;
  std::string_view area;
  const auto say = [&](std::string_view text, std::string first, std::size_t indent, Span mark, Ink ink) {
    const std::size_t room = options.width > indent + 20 ? options.width - indent : 20;
    for (std::string& line : wrap(harmless(text, options.utf8), room)) {
      page += paint({{first},
                     mark,
                     {std::string(indent - first.size() - display_width(mark.text), ' ')},
                     {std::move(line), ink}},
                    options) +
              "\n";
      mark.text.clear();
      first.clear();
    }
  };
  for (const Check& check : checks) {
    if (check.area != area) {
      if (!area.empty()) page += "\n";
      area = check.area;
      page += paint({{check.area, Ink::strong}}, options) + "\n";
    }
    say(check.text, "  ", 4, sign(check.mark, options.utf8), Ink::plain);
    // A command is copied as it is: never broken at the page's edge by us.
    if (!check.remedy.empty()) {
      const std::string arrow = options.utf8 ? "→ " : "> ";
      RenderOptions wide = options;
      wide.width = std::max<std::size_t>(options.width, 1000);
      page += paint({{"      " + arrow, Ink::faint}, {harmless(check.remedy, options.utf8), Ink::good}}, wide) + "\n";
    }
  }
  const auto problems = count(checks, Check::Mark::problem);
  const auto hints = count(checks, Check::Mark::hint);
  page += "\n";
  const std::string sum = problems + hints == 0 ? "Nothing is wrong."
                          : problems == 0       ? fmt::format("No problem; {}.", plural(hints, "hint"))
                          : hints == 0          ? fmt::format("{}.", plural(problems, "problem"))
                                       : fmt::format("{}, {}.", plural(problems, "problem"), plural(hints, "hint"));
  return page + paint({{sum, problems > 0 ? Ink::bad : Ink::strong}}, options) + "\n";
}

Exit doctor(bool json, Context& context) {
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  const gpukeeper::doctor::SystemMachine machine(context.environment("PATH").value_or(""));
  const auto checks = gpukeeper::doctor::examine_all(context.files, machine, *(*feed)->next(), context.settings);
  const int status = count(checks, Check::Mark::problem) > 0 ? 1 : 0;
  if (json) return print(context, gpukeeper::doctor::doctor_json(checks) + "\n", status);
  return print(context, render_doctor(checks, render_options(context)), status);
}

}  // namespace gpukeeper::cli
