#include "backend/nvml/process_names.hpp"

#include "proc/pid_namespace.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper::nvml {

using namespace std::chrono_literals;

namespace {

constexpr auto kRecent = 1s;
// How often the start time of a kept name is looked at. A name is forgotten once its pid is missing from a list, so
// only a pid that was given again between two lists keeps a stranger's name until then; and reading /proc/PID/stat
// costs 10 µs.
constexpr auto kNameCheck = 5min;

}  // namespace

RecentProcesses::Facts RecentProcesses::facts(std::int64_t pid, MonotonicTime now) {
  std::call_once(looked_, [&] { ours_ = pids_are_the_hosts(files_); });
  if (!ours_) return {};
  {
    std::scoped_lock lock(mutex_);
    if (now - since_ >= kRecent) {
      read_.clear();
      since_ = now;
    }
    if (const auto known = read_.find(pid); known != read_.end()) return known->second;
  }
  Facts facts = read(pid);
  std::scoped_lock lock(mutex_);
  return read_.insert_or_assign(pid, std::move(facts)).first->second;
}

RecentProcesses::Facts RecentProcesses::read(std::int64_t pid) const {
  const auto text = files_.read("/proc/" + std::to_string(pid) + "/stat");
  auto stat = text ? parse_process_stat(*text) : std::nullopt;
  return stat ? Facts{std::move(stat->name), stat->start_ticks} : Facts{};
}

const std::string& ProcessNames::name(std::int64_t pid, MonotonicTime now) {
  const auto [place, is_new] = entries_.try_emplace(pid);
  Entry& entry = place->second;
  entry.asked = true;
  if (!is_new && now - entry.looked < kNameCheck) return entry.facts.name;
  entry.looked = now;
  entry.facts = recent_->facts(pid, now);
  return entry.facts.name;
}

void ProcessNames::sweep() {
  std::erase_if(entries_, [](const auto& item) { return !item.second.asked; });
  for (auto& [pid, entry] : entries_) entry.asked = false;
}

}  // namespace gpukeeper::nvml
