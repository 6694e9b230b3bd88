#include "cli/doctor.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <iterator>

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

class SystemMachine final : public Machine {
 public:
  explicit SystemMachine(const Environment& environment) : environment_(environment) {}

  std::optional<Node> node(const std::string& path) const override {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
    return Node{.gid = facts.st_gid,
                .mode = facts.st_mode & 07777u,
                .readable = ::access(path.c_str(), R_OK) == 0,
                .writable = ::access(path.c_str(), W_OK) == 0};
  }

  // Loading it calls nothing of it that speaks to a driver; that begins with nvmlInit.
  Result<std::string> library(const std::string& name) const override {
    void* handle = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* why = ::dlerror();
      return fail(Errc::not_found, why != nullptr ? why : "no reason was given");
    }
    link_map* map = nullptr;
    std::string path = name;
    if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr) path = map->l_name;
    std::array<char, PATH_MAX> real{};
    if (::realpath(path.c_str(), real.data()) != nullptr) path = real.data();
    ::dlclose(handle);
    return path;
  }

  std::optional<std::string> program(const std::string& name) const override {
    const std::string path = environment_("PATH").value_or("");
    for (const auto folder : split(path, ':')) {
      std::string full = fmt::format("{}/{}", folder, name);
      if (folder.starts_with('/') && ::access(full.c_str(), X_OK) == 0) return full;
    }
    return std::nullopt;
  }

 private:
  const Environment& environment_;
};

std::string_view word(Check::Mark mark) {
  switch (mark) {
    case Check::Mark::good: return "good";
    case Check::Mark::note: return "note";
    case Check::Mark::hint: return "hint";
    case Check::Mark::problem: return "problem";
  }
  return "note";
}

Span sign(Check::Mark mark, bool utf8) {
  switch (mark) {
    case Check::Mark::good: return {utf8 ? "✓" : "+", Ink::good};
    case Check::Mark::note: return {utf8 ? "·" : "-", Ink::faint};
    case Check::Mark::hint: return {"!", Ink::warn};
    case Check::Mark::problem: return {utf8 ? "✗" : "X", Ink::bad};
  }
  return {" "};
}

std::ptrdiff_t count(const std::vector<Check>& checks, Check::Mark mark) {
  return std::ranges::count(checks, mark, &Check::mark);
}

std::string plural(std::ptrdiff_t n, std::string_view noun) {
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

std::string doctor_json(const std::vector<Check>& checks) {
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
              true);
}

Exit doctor(bool json, Context& context) {
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  const SystemMachine machine(context.environment);
  auto checks = examine(context.files, machine, *(*feed)->next());
  std::ranges::move(examine(context.settings, context.files, machine), std::back_inserter(checks));
  const int status = count(checks, Check::Mark::problem) > 0 ? 1 : 0;
  return print(context, json ? doctor_json(checks) + "\n" : render_doctor(checks, render_options(context)), status);
}

}  // namespace gpukeeper::cli
