#include "format/process_list.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/columns.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper {
namespace {

constexpr ProcessClass kClasses[] = {ProcessClass::unknown,      ProcessClass::mining, ProcessClass::ml_training,
                                     ProcessClass::ml_inference, ProcessClass::ml,     ProcessClass::video,
                                     ProcessClass::gaming,       ProcessClass::desktop};

std::string place_of(const DeviceSnapshot& device, const GpuProcess& process) {
  for (const DeviceSnapshot& partition : device.partitions) {
    if (process.partition == partition.device->id) return index_text({&partition, &device});
  }
  return index_text({&device});
}

bool is_same_process(const ProcessRow& a, const ProcessRow& b) {
  return a.process->pid == b.process->pid && same_machine(*a.device->device, *b.device->device);
}

const ProcessPlace* place_of(const ProcessRow& row) {
  return row.facts != nullptr && row.facts->place ? &*row.facts->place : nullptr;
}

bool is_container(const ProcessRow& row, std::string_view wanted) {
  const ProcessPlace* place = place_of(row);
  if (place == nullptr || !place->container) return false;
  const auto& [runtime, id] = *place->container;
  return id.starts_with(wanted) || fmt::format("{}:{}", runtime, id).starts_with(wanted);
}

bool is_pod(const ProcessPlace& place, const std::string& wanted) {
  if (place.pod_uid && place.pod_uid->starts_with(wanted)) return true;
  return place.pod && (wanted == place.pod->pod || wanted == pod_title(*place.pod));
}

std::optional<std::string> pod_of(const ProcessRow& row) {
  const ProcessPlace* place = place_of(row);
  if (place == nullptr) return std::nullopt;
  return place->pod ? pod_title(*place->pod) : place->pod_uid;
}

// What a sort compares: nothing for what is absent.
std::optional<double> key_of(const ProcessRow& row, ProcessOrder order) {
  const auto number = [](const auto& metric) {
    return metric ? std::optional(static_cast<double>(metric->value())) : std::nullopt;
  };
  switch (order) {
    case ProcessOrder::memory: return number(row.process->memory);
    case ProcessOrder::gpu: return number(row.process->utilization);
    case ProcessOrder::pid: return static_cast<double>(row.process->pid);
    case ProcessOrder::cpu: return row.facts ? number(row.facts->cpu) : std::nullopt;
    case ProcessOrder::time:
      if (row.facts == nullptr || !row.facts->started) return std::nullopt;
      return std::chrono::duration<double>(row.facts->started->time_since_epoch()).count();
    case ProcessOrder::user: break;
  }
  return std::nullopt;
}

std::optional<std::string> user_of(const ProcessRow& row) {
  if (row.facts == nullptr || !row.facts->user) return std::nullopt;
  return *row.facts->user;
}

template <class Key>
void sort_by(std::vector<ProcessRow>& rows, bool falling, Key key) {
  std::ranges::stable_sort(rows, [&](const ProcessRow& a, const ProcessRow& b) {
    const auto left = key(a);
    const auto right = key(b);
    if (!left || !right) return left.has_value() && !right.has_value();
    return falling ? *left > *right : *left < *right;
  });
}

std::string listed(const std::set<std::string>& words) {
  constexpr std::size_t kMost = 8;
  std::string text;
  std::size_t at = 0;
  for (const std::string& word : words) {
    if (at == kMost) return text + fmt::format(" and {} more", words.size() - kMost);
    if (at > 0) text += at + 1 == words.size() ? " and " : ", ";
    text += word;
    ++at;
  }
  return text;
}

// "no process of user 'bob' uses a GPU", and what there is instead of what was asked for.
template <class Value>
std::string none_of(std::string_view what, std::string_view wanted, const std::vector<ProcessRow>& all, Value value) {
  std::set<std::string> there;
  for (const ProcessRow& row : all) {
    if (std::optional<std::string> word = value(row)) there.insert(harmless(fit(*word, 40)));
  }
  const auto head = fmt::format("no process of {} '{}' uses a GPU", what, harmless(wanted));
  if (there.empty()) return fmt::format("{}: of no process here a {} is known", head, what);
  return fmt::format("{}: there {} {}", head, there.size() == 1 ? "is only" : "are", listed(there));
}

}  // namespace

std::vector<ProcessRow> process_rows(const Snapshot& snapshot) {
  std::vector<ProcessRow> rows;
  for (const DeviceSnapshot& device : snapshot.devices) {
    const auto begin = static_cast<std::ptrdiff_t>(rows.size());
    for (const GpuProcess& process : *device.processes) {
      rows.push_back({&device, place_of(device, process), &process, facts_of(snapshot, device, process), {}});
    }
    std::stable_sort(rows.begin() + begin, rows.end(), [](const ProcessRow& a, const ProcessRow& b) {
      return a.process->memory.value_or(Bytes(0)) > b.process->memory.value_or(Bytes(0));
    });
  }
  for (ProcessRow& row : rows) {
    for (const ProcessRow& other : rows) {
      if (other.device != row.device && is_same_process(row, other)) row.also_on.push_back(other.place);
    }
  }
  return rows;
}

bool ProcessFilter::holds(const ProcessRow& row) const {
  const ProcessPlace* place = place_of(row);
  if (user && user_of(row) != user && !(row.facts && row.facts->uid && fmt::format("{}", *row.facts->uid) == *user)) {
    return false;
  }
  if (container && !is_container(row, *container)) return false;
  if (kind && (row.facts == nullptr ? ProcessClass::unknown : row.facts->classification.kind) != *kind) return false;
  if (pod && !(place != nullptr && is_pod(*place, *pod))) return false;
  return !job || (place != nullptr && place->slurm_job == *job);
}

Result<ProcessClass> parse_process_class(std::string_view name) {
  for (const ProcessClass kind : kClasses) {
    if (to_string(kind) == name) return kind;
  }
  return fail(Errc::invalid_argument, fmt::format("there is no class '{}': there are {}", harmless(name),
                                                  fmt::join(process_class_names(), ", ")));
}

std::vector<std::string_view> process_class_names() {
  std::vector<std::string_view> names;
  for (const ProcessClass kind : kClasses) names.push_back(to_string(kind));
  return names;
}

std::string nothing_holds(const std::vector<ProcessRow>& all, const ProcessFilter& filter) {
  using Word = std::optional<std::string>;
  const auto alone = [&](auto member) {  // the rows that only this condition leaves out
    ProcessFilter one;
    one.*member = filter.*member;
    return filter.*member && std::ranges::none_of(all, [&](const ProcessRow& row) { return one.holds(row); });
  };
  if (alone(&ProcessFilter::user)) return none_of("user", *filter.user, all, user_of);
  if (alone(&ProcessFilter::container)) {
    return none_of("container", *filter.container, all, [](const ProcessRow& row) -> Word {
      const ProcessPlace* place = place_of(row);
      if (place == nullptr || !place->container) return std::nullopt;
      return fmt::format("{}:{}", place->container->runtime, place->container->id.substr(0, 12));
    });
  }
  if (alone(&ProcessFilter::kind)) {
    return none_of("class", to_string(*filter.kind), all, [](const ProcessRow& row) -> Word {
      return std::string(to_string(row.facts == nullptr ? ProcessClass::unknown : row.facts->classification.kind));
    });
  }
  if (alone(&ProcessFilter::pod)) {
    return none_of("pod", *filter.pod, all, pod_of);
  }
  if (alone(&ProcessFilter::job)) {
    return none_of("job", *filter.job, all, [](const ProcessRow& row) -> Word {
      const ProcessPlace* place = place_of(row);
      return place == nullptr ? std::nullopt : place->slurm_job;
    });
  }
  return "no process fits all that was asked for; each condition alone is met by some";
}

void sort_processes(std::vector<ProcessRow>& rows, ProcessOrder order, bool reversed) {
  const bool largest_first = order == ProcessOrder::memory || order == ProcessOrder::gpu || order == ProcessOrder::cpu;
  const bool falling = largest_first != reversed;
  if (order == ProcessOrder::user) {
    sort_by(rows, falling, user_of);
  } else {
    sort_by(rows, falling, [order](const ProcessRow& row) { return key_of(row, order); });
  }
}

std::size_t count_processes(const std::vector<ProcessRow>& rows) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    count += std::none_of(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(i),
                          [&](const ProcessRow& before) { return is_same_process(before, rows[i]); });
  }
  return count;
}

std::optional<Bytes> unattributed_memory(const DeviceSnapshot& device) {
  if (!device.available || !device.processes_reason.empty() || !device.reading.memory_used) return std::nullopt;
  Bytes held(0);
  for (const GpuProcess& process : *device.processes) {
    if (!process.memory) return std::nullopt;
    held = held + *process.memory;
  }
  return remaining(*device.reading.memory_used, held);
}

}  // namespace gpukeeper
