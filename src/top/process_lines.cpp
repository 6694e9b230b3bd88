#include "top/process_lines.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "core/text.hpp"
#include "format/human.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

// Where a process belongs, as the head of a group.
std::string group_of(const ProcessRow& row) {
  const std::string user = user_of(row), place = place_of(row);
  return place == kAbsent || place.empty() ? user : fmt::format("{}, {}", user, place);
}

bool is_forebear(const ProcessRow& row, const ProcessRow& of) {
  if (of.facts == nullptr || row.process->pid == of.process->pid) return false;
  return std::ranges::find(of.facts->forebears, row.process->pid) != of.facts->forebears.end();
}

// A process below the nearest of its forebears that is in the group.
void add_family(const std::vector<const ProcessRow*>& group, const ProcessRow* parent, std::size_t depth,
                std::vector<ProcessLine>& lines) {
  for (const ProcessRow* row : group) {
    const ProcessRow* nearest = nullptr;
    if (row->facts != nullptr) {
      for (const std::int64_t pid : row->facts->forebears) {
        const auto found = std::ranges::find_if(
            group, [&](const ProcessRow* other) { return other->process->pid == pid && is_forebear(*other, *row); });
        if (found != group.end()) {
          nearest = *found;
          break;
        }
      }
    }
    const bool below = parent == nullptr
                           ? nearest == nullptr
                           : nearest != nullptr && nearest->process->pid == parent->process->pid && nearest == parent;
    if (!below) continue;
    lines.push_back({.row = row, .depth = depth});
    if (depth < 8) add_family(group, row, depth + 1, lines);
  }
}

std::vector<ProcessLine> tree_of(const std::vector<const ProcessRow*>& rows) {
  std::vector<std::string> order;  // of groups: that of their first
  std::map<std::string, std::vector<const ProcessRow*>> groups;
  for (const ProcessRow* row : rows) {
    const std::string name = group_of(*row);
    if (groups[name].empty()) order.push_back(name);
    groups[name].push_back(row);
  }
  std::vector<ProcessLine> lines;
  for (const std::string& name : order) {
    ProcessLine head{.head = name, .count = groups[name].size()};
    std::uint64_t sum = 0;
    for (const ProcessRow* row : groups[name]) {
      if (!row->process->memory) continue;
      sum += row->process->memory->value();
      head.memory = Bytes(sum);
    }
    lines.push_back(std::move(head));
    add_family(groups[name], nullptr, 1, lines);
  }
  return lines;
}

}  // namespace

std::string command_of(const ProcessRow& row) {
  std::string text = row.facts != nullptr && row.facts->command_line ? *row.facts->command_line : row.process->name;
  if (text.empty()) return std::string(kAbsent);
  if (text.front() == '/') {
    const auto name = text.rfind('/', text.find(' '));
    if (name + 1 < text.size()) text.erase(0, name + 1);
  }
  return text;
}

std::string user_of(const ProcessRow& row) {
  return row.facts != nullptr && row.facts->user ? *row.facts->user : std::string(kAbsent);
}

std::string place_of(const ProcessRow& row) {
  return row.facts != nullptr && row.facts->place ? place_text(*row.facts->place) : std::string(kAbsent);
}

std::string class_of(const ProcessRow& row) {
  return row.facts != nullptr ? std::string(class_text(row.facts->classification.kind)) : std::string();
}

bool matches(const ProcessRow& row, const std::string& text) {
  if (text.empty()) return true;
  const std::string wanted = to_lower(text);
  for (const std::string& part : {fmt::format("{}", row.process->pid), user_of(row), class_of(row), place_of(row),
                                  command_of(row), row.process->name}) {
    if (to_lower(part).find(wanted) != std::string::npos) return true;
  }
  return false;
}

std::vector<ProcessLine> process_lines(const Model& model, const Ui& ui, const Preferences& preferences) {
  std::vector<ProcessRow> sorted = model.processes();
  sort_processes(sorted, preferences.order, preferences.reversed);
  std::unordered_map<const GpuProcess*, const ProcessRow*> own;  // the model's rows, which outlive the sorted copy
  for (const ProcessRow& row : model.processes()) own.emplace(row.process, &row);
  std::vector<const ProcessRow*> rows;
  const GpuRow* gpu = ui.of_gpu && ui.gpu < model.gpus().size() ? &model.gpus()[ui.gpu] : nullptr;
  for (const ProcessRow& each : sorted) {
    if (!matches(each, ui.filter)) continue;
    if (gpu != nullptr) {
      const DeviceSnapshot* owner = gpu->parent != nullptr ? gpu->parent : gpu->device;
      if (each.device != owner) continue;
      if (gpu->parent != nullptr && each.process->partition != gpu->device->device->id) continue;
    }
    rows.push_back(own.at(each.process));
  }
  if (preferences.tree) return tree_of(rows);
  std::vector<ProcessLine> lines;
  for (const ProcessRow* row : rows) lines.push_back({.row = row});
  return lines;
}

}  // namespace gpukeeper::top
