#include "machine/processes.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "attribution/command_line.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostProcesses = 65'536;
constexpr Percent kNoteworthy{1};

std::optional<Percent> cpu_share(const ProcessReader& reader, const ProcessLook& before, const ProcessStat& now,
                                 std::chrono::nanoseconds between) {
  const auto earlier = before.find(now.pid);
  if (earlier == before.end() || earlier->second.start_ticks != now.start_ticks || between.count() <= 0) {
    return std::nullopt;
  }
  const auto used = reader.cpu_time(now) - reader.cpu_time(earlier->second);
  if (used.count() < 0) return std::nullopt;
  return Percent(100.0 * static_cast<double>(used.count()) / static_cast<double>(between.count()));
}

std::string_view text_or_empty(const Metric<std::string>& text) {
  return text ? std::string_view(*text) : std::string_view();
}

// Who it is. Of one that has gone meanwhile only its name is left.
void identify(BusyProcess& process, ProcessReader& reader, const Classifier& classifier, MonotonicTime at) {
  auto identity = reader.identity(process.stat, at);
  if (!identity) {
    process.facts.pid = process.stat.pid;
    return;
  }
  process.facts = std::move(identity->facts);
  process.facts.classification = classifier.classify({.command = text_or_empty(process.facts.command),
                                                      .executable = text_or_empty(process.facts.executable),
                                                      .arguments = arguments_of(identity->cmdline),
                                                      .type = {},
                                                      .busy_for = std::nullopt});
}

// The largest first, by what `key` says, but for those that it leaves out.
template <class Key>
std::vector<BusyProcess> largest(const std::vector<BusyProcess>& all, const Key& key) {
  std::vector<const BusyProcess*> chosen;
  for (const BusyProcess& each : all) {
    if (key(each) > kNoteworthy) chosen.push_back(&each);
  }
  const std::size_t count = std::min(chosen.size(), ProcessesFacts::kMost);
  std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(count), chosen.end(),
                    [&](const BusyProcess* a, const BusyProcess* b) {
                      return key(*a) != key(*b) ? key(*a) > key(*b) : a->stat.pid < b->stat.pid;
                    });
  std::vector<BusyProcess> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(*chosen[i]);
  return result;
}

}  // namespace

ProcessLook look_at_processes(const Files& files) {
  ProcessLook result;
  const auto names = files.list("/proc");
  if (!names) return result;
  for (const std::string& name : *names) {
    const auto pid = parse_i64(name);
    if (!pid || *pid <= 0 || result.size() >= kMostProcesses) continue;
    const auto text = files.read("/proc/" + name + "/stat");
    auto stat = text ? parse_process_stat(*text) : std::nullopt;
    if (stat && stat->pid == *pid) result.emplace(*pid, std::move(*stat));
  }
  return result;
}

ProcessesFacts processes_facts(ProcessReader& reader, const Classifier& classifier, const ProcessLook& before,
                               const ProcessLook& now, std::chrono::nanoseconds between, Bytes memory,
                               MonotonicTime at) {
  ProcessesFacts facts;
  std::vector<BusyProcess> all;
  for (const auto& [pid, stat] : now) {
    BusyProcess process{.stat = stat, .cpu = cpu_share(reader, before, stat, between)};
    process.resident = reader.resident(stat);
    if (memory.value() > 0) {
      process.memory =
          Percent(100.0 * static_cast<double>(process.resident.value()) / static_cast<double>(memory.value()));
    }
    if (process.is_intensive()) ++facts.intensive;
    all.push_back(std::move(process));
  }
  facts.count = all.size();
  facts.by_cpu = largest(all, [](const BusyProcess& each) { return each.cpu.value_or(Percent(0)); });
  facts.by_memory = largest(all, [](const BusyProcess& each) { return each.memory; });
  reader.begin_round();
  for (BusyProcess& each : facts.by_cpu) identify(each, reader, classifier, at);
  for (BusyProcess& each : facts.by_memory) identify(each, reader, classifier, at);
  return facts;
}

}  // namespace gpukeeper
