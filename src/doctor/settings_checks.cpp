#include <algorithm>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "doctor/doctor.hpp"
#include "sinks/sink_settings.hpp"

// Whether what the configuration asks for can work here: as this user, who need not be the one that `serve` runs as.

namespace gpukeeper::doctor {
namespace {

using enum Check::Mark;

constexpr std::string_view kHands = "Hands";
constexpr std::string_view kSinks = "Sinks";

bool is_root(const Files& files) {
  const std::string status = files.read("/proc/self/status").value_or("");
  for (const auto line : lines(status)) {
    if (line.starts_with("Uid:")) return leading_number(trim(line.substr(4))) == 0.0;
  }
  return false;
}

void look_at_hands(const ActuatorSettings& settings, const Files& files, std::vector<Check>& checks) {
  if (!settings.any()) return;
  const auto say = [&](Check::Mark mark, std::string text, std::string remedy = {}) {
    checks.push_back({mark, std::string(kHands), std::move(text), std::move(remedy)});
  };
  if (is_root(files)) {
    say(good, "what the configuration allows to be changed may be changed by this user");
  } else {
    say(hint, "power limits, clocks, fans and what others run are changed by root only: gpukeeper would only advise",
        "run 'gpukeeper serve' as root");
  }
  if (!settings.freeze) return;
  const auto mount = cgroup2_mount(files.read("/proc/self/mountinfo").value_or(""));
  if (mount) {
    say(good, fmt::format("processes are frozen through the control groups at {}", *mount));
  } else {
    say(note, "there are no control groups of version 2: processes are stopped one by one");
  }
}

void look_at_file(const SinkSettings& sink, const std::string& path, const Machine& machine,
                  std::vector<Check>& checks) {
  if (path.empty()) return;
  const auto node = machine.node(path);
  if (node && node->readable) return;
  checks.push_back(
      {hint, std::string(kSinks),
       fmt::format("the sink {}: {} {}", sink.name, harmless(path),
                   node ? "may not be read by this user" : "is not there"),
       fmt::format("{} {}", node ? "sudo ls -l" : "write it, or correct the configuration:", harmless(path))});
}

bool needs_curl(const SinkSettings& sink) {
  return sink.kind != SinkKind::log && sink.kind != SinkKind::command;
}

void look_at_sinks(SinkList sinks, const Machine& machine, std::vector<Check>& checks) {
  std::erase_if(sinks, [](const SinkSettings& sink) { return !sink.enabled; });
  if (sinks.empty()) return;
  const std::size_t before = checks.size();
  if (std::ranges::any_of(sinks, needs_curl) && !machine.library("libcurl.so.4") &&
      !machine.library("libcurl-gnutls.so.4")) {
    checks.push_back({hint, std::string(kSinks), "libcurl is not there, which sends alerts over the network",
                      "sudo apt install libcurl4"});
  }
  for (const SinkSettings& sink : sinks) {
    for (const auto& path : {sink.url_file, sink.token_file, sink.password_file, sink.ca_file}) {
      look_at_file(sink, path, machine, checks);
    }
    if (sink.command.empty() || sink.command.front().starts_with('/') || machine.program(sink.command.front()))
      continue;
    checks.push_back(
        {hint, std::string(kSinks),
         fmt::format("the sink {}: there is no program {} in PATH", sink.name, harmless(sink.command.front())),
         "name it by its whole path"});
  }
  if (checks.size() > before) return;
  checks.push_back({good, std::string(kSinks),
                    fmt::format("{} sink{} configured; 'gpukeeper alerts test {}' tries one", sinks.size(),
                                sinks.size() == 1 ? " is" : "s are", sinks.front().name)});
}

}  // namespace

std::vector<Check> examine(const config::Settings& settings, const Files& files, const Machine& machine) {
  std::vector<Check> checks;
  look_at_hands(settings.actuators, files, checks);
  look_at_sinks(settings.sinks, machine, checks);
  return checks;
}

}  // namespace gpukeeper::doctor
