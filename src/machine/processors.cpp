#include "machine/processors.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostProcessors = 8192;  // CONFIG_NR_CPUS of x86-64
constexpr std::string_view kPolicies = "/sys/devices/system/cpu/cpufreq";

// Of time that went by: nothing where a counter stood still or went back, as idle time does on some kernels.
std::optional<Percent> share(const CpuTimes& before, const CpuTimes& now) {
  if (now.total <= before.total || now.busy < before.busy) return std::nullopt;
  const double part = static_cast<double>(now.busy - before.busy) / static_cast<double>(now.total - before.total);
  return Percent(std::min(100.0, 100 * part));
}

std::optional<double> number_in(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  return text ? parse_double(*text) : std::nullopt;
}

// What /proc/cpuinfo says of each thread, as far as it is wanted here.
struct CpuInfo {
  std::vector<double> megahertz;
  std::set<std::pair<std::string, std::string>> cores;  // by package and number in it
};

CpuInfo cpu_info(const Files& files) {
  CpuInfo info;
  std::string package;
  static_cast<void>(files.each_line("/proc/cpuinfo", [&](std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    const std::string_view key = trim(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    if (key == "physical id") package = value;
    if (key == "core id") info.cores.emplace(package, value);
    if (key == "cpu MHz") {
      if (const auto mhz = parse_double(value); mhz && *mhz > 0) info.megahertz.push_back(*mhz);
    }
    return info.cores.size() <= kMostProcessors && info.megahertz.size() <= kMostProcessors;
  }));
  return info;
}

// In kHz, of every group of threads that share a clock.
std::vector<double> frequencies(const Files& files, const std::string& file) {
  std::vector<double> result;
  const auto names = files.list(kPolicies);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (!name.starts_with("policy")) continue;
    const auto khz = number_in(files, std::string(kPolicies) + "/" + name + "/" + file);
    if (khz && *khz > 0) result.push_back(*khz);
  }
  return result;
}

std::optional<Megahertz> mean(const std::vector<double>& values, double unit) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return Megahertz(sum / static_cast<double>(values.size()) / unit);
}

bool is_of_a_processor(std::string_view driver) {
  constexpr std::string_view kDrivers[] = {"coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal"};
  return std::ranges::find(kDrivers, driver) != std::end(kDrivers);
}

std::optional<Celsius> temperature(const Files& files) {
  std::optional<Celsius> hottest;
  const std::string root = "/sys/class/hwmon";
  const auto chips = files.list(root);
  for (const std::string& chip : chips ? *chips : std::vector<std::string>()) {
    const std::string folder = root + "/" + chip;
    const auto driver = files.read(folder + "/name");
    if (!driver || !is_of_a_processor(trim(*driver))) continue;
    const auto sensors = files.list(folder);
    for (const std::string& sensor : sensors ? *sensors : std::vector<std::string>()) {
      if (!sensor.starts_with("temp") || !sensor.ends_with("_input")) continue;
      const auto text = files.read(folder + "/" + sensor);
      const auto millidegrees = text ? parse_i64(*text) : std::nullopt;
      if (millidegrees && (!hottest || from_millidegrees(*millidegrees) > *hottest)) {
        hottest = from_millidegrees(*millidegrees);
      }
    }
  }
  return hottest;
}

}  // namespace

ProcessorTimes parse_processor_times(std::string_view stat) {
  ProcessorTimes times;
  times.all = parse_cpu_times(stat);
  for (const std::string_view line : lines(stat)) {
    if (!line.starts_with("cpu")) break;  // they stand first
    const auto blank = line.find(' ');
    const auto number = parse_u64(line.substr(3, blank - std::min<std::size_t>(blank, 3)));
    if (blank == std::string_view::npos || !number || *number >= kMostProcessors) continue;
    if (const auto each = parse_cpu_times("cpu " + std::string(line.substr(blank)))) times.each[*number] = *each;
  }
  return times;
}

std::optional<std::array<double, 3>> parse_load_average(std::string_view text) {
  const auto words = split(trim(text), ' ');
  if (words.size() < 3) return std::nullopt;
  std::array<double, 3> result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto value = parse_double(words[i]);
    if (!value || *value < 0) return std::nullopt;
    result.at(i) = *value;
  }
  return result;
}

ProcessorFacts processor_facts(const Files& files, const ProcessorTimes& before, const ProcessorTimes& now) {
  ProcessorFacts facts;
  if (before.all && now.all) facts.usage = share(*before.all, *now.all);
  for (const auto& [number, times] : now.each) {
    const auto earlier = before.each.find(number);
    facts.each.push_back(earlier == before.each.end() ? std::nullopt : share(earlier->second, times));
  }
  facts.threads = now.each.size();
  const CpuInfo info = cpu_info(files);
  if (!info.cores.empty()) facts.cores = info.cores.size();
  facts.frequency = mean(frequencies(files, "scaling_cur_freq"), 1000);
  if (!facts.frequency) facts.frequency = mean(info.megahertz, 1);
  const auto highest = frequencies(files, "cpuinfo_max_freq");
  if (!highest.empty()) facts.frequency_max = Megahertz(*std::ranges::max_element(highest) / 1000);
  facts.temperature = temperature(files);
  if (const auto load = files.read("/proc/loadavg")) facts.load_average = parse_load_average(*load);
  return facts;
}

}  // namespace gpukeeper
