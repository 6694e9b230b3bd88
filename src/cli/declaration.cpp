#include "cli/declaration.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.hpp"

namespace gpukeeper::cli {
namespace {

// The shortest pause of --watch: drivers renew their values between 6 and 60 times a second (nvmlUtilization_t: 1/6 s
// to 1 s).
constexpr double kShortestWatch = 0.1;
constexpr double kLongestWatch = 86'400;

std::string check_watch(const std::string& text) {
  const auto seconds = parse_double(text);
  if (seconds && *seconds >= kShortestWatch && *seconds <= kLongestWatch) return {};
  return fmt::format("takes a number of seconds from {} to {}, not '{}'", kShortestWatch, kLongestWatch, text);
}

}  // namespace

std::string check_duration(const std::string& text) {
  if (duration(text)) return {};
  return fmt::format("takes seconds or a duration such as 90s or 1h30m, not '{}'", text);
}

Declaration::Declaration(const std::string& name, const std::string& help) : app_(help) {
  app_.name(name);
}

CLI::Option* Declaration::add_choice(CLI::App& app, const std::string& name, std::string& target,
                                     const std::string& value, std::vector<std::string> choices,
                                     const std::string& help) {
  auto* option = app.add_option(name, target, help);
  option->check(one_of(choices));
  add(option, {.value = value, .choices = std::move(choices)});
  return option;
}

CLI::Validator Declaration::one_of(std::vector<std::string> choices) {
  return {[choices = std::move(choices)](const std::string& text) -> std::string {
            if (std::ranges::find(choices, text) != choices.end()) return {};
            return fmt::format("takes {}, not '{}'", fmt::join(choices, ", "), text);
          },
          ""};
}

CLI::Option* Declaration::add_checked(CLI::App& app, const std::string& name, std::string& target,
                                      const std::string& value, Check check, const std::string& help) {
  auto* option = app.add_option(name, target, help);
  option->check(CLI::Validator(check, ""));
  add(option, {.value = value});
  return option;
}

CLI::Option* Declaration::add_text(CLI::App& app, const std::string& name, std::string& target,
                                   const std::string& value, const std::string& help) {
  auto* option = app.add_option(name, target, help);
  add(option, {.value = value});
  return option;
}

CLI::Option* Declaration::add_file(CLI::App& app, const std::string& name, std::string& target,
                                   const std::string& value, const std::string& help) {
  auto* option = app.add_option(name, target, help);
  add(option, {.value = value, .file = true});
  return option;
}

// "--json=false" would be taken for "--json": a flag has no value.
CLI::Option* Declaration::add_flag(CLI::App& app, const std::string& name, bool& target, const std::string& help) {
  return app.add_flag(name, target, help)->disable_flag_override();
}

void Declaration::add_device(CLI::App& app, Arguments& arguments, const std::string& names) {
  auto* option = app.add_option(names, arguments.devices,
                                "Only this GPU: its index (0; 0:1 for a partition), UUID or PCI address. May be given "
                                "several times.")
                     ->allow_extra_args(false);
  add(option, {.value = "GPU"});
}

void Declaration::add_rules(CLI::App& app, Arguments& arguments) {
  auto* option = app.add_option("--rules", arguments.rules,
                                "A rule file of your own (docs/classes.md), tried before the built-in rules. Else "
                                "GPUKEEPER_RULES names one.");
  add(option, {.value = "FILE", .file = true});
}

void Declaration::add_state_dir(CLI::App& app, Arguments& arguments) {
  add_file(app, "--state-dir", arguments.state_dir, "FOLDER",
           "Without a daemon: where the leases are kept. Else STATE_DIRECTORY says it, else the usual places.");
}

void Declaration::add_watch(CLI::App& app, Arguments& arguments) {
  auto* watch = app.add_option("--watch", arguments.watch, "Again every so many seconds, until interrupted.");
  watch->check(CLI::Validator(check_watch, ""));
  add(watch, {.value = "SECONDS"});
}

void Declaration::add_wake(CLI::App& app, Arguments& arguments) {
  add_flag(app, "--wake", arguments.wake, "Read sleeping GPUs too. This wakes them; they are left alone otherwise.");
}

std::vector<OptionFacts> Declaration::options_of(const CLI::App& app, bool positional) const {
  std::vector<OptionFacts> result;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != positional) continue;
    OptionFacts facts;
    if (!positional) {
      for (const auto& name : option->get_snames()) facts.names.push_back("-" + name);
      for (const auto& name : option->get_lnames()) facts.names.push_back("--" + name);
    }
    facts.help = option->get_description();
    if (const auto extras = extras_.find(option); extras != extras_.end()) {
      facts.value = extras->second.value;
      facts.choices = extras->second.choices;
      facts.choices_separated = extras->second.choices_separated;
      facts.file = extras->second.file;
    }
    result.push_back(std::move(facts));
  }
  return result;
}

}  // namespace gpukeeper::cli
