#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "format/human.hpp"
#include "top/columns.hpp"
#include "top/panes.hpp"
#include "top/process_lines.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

enum Column : std::size_t { kGpu, kPid, kUser, kClass, kPlace, kMemory, kUse, kCpu, kSince, kCommand, kColumns };

struct ColumnFacts {
  std::string_view heading;
  std::optional<ProcessOrder> order;  ///< a click on its heading
  ColumnWish wish;
};

constexpr ColumnFacts kFacts[kColumns] = {
    {"GPU", {}, {100, 4, 5}},
    {"PID", ProcessOrder::pid, {99, 7, 8, true}},
    {"user", ProcessOrder::user, {90, 8, 14}},
    {"class", {}, {60, 9, 12}},
    {"where", {}, {50, 12, 22}},
    {"memory", ProcessOrder::memory, {98, 9, 9, true}},
    {"SM %", ProcessOrder::gpu, {97, 5, 5, true}},
    {"CPU %", ProcessOrder::cpu, {70, 5, 5, true}},
    {"since", ProcessOrder::time, {65, 6, 6, true}},
    {"command", {}, {95, 24, 400}},
};

std::array<ColumnWish, kColumns> wishes() {
  std::array<ColumnWish, kColumns> all{};
  for (std::size_t i = 0; i < kColumns; ++i) all[i] = kFacts[i].wish;
  return all;
}

void draw_row(const Model& model, const ProcessLine& line, const Cells& cells, const Area& area, std::size_t y) {
  const ProcessRow& row = *line.row;
  const GpuProcess& process = *row.process;
  cells.put(area, kGpu, y, row.place, {Role::strong});
  cells.put(area, kPid, y, fmt::format("{}", process.pid));
  cells.put(area, kUser, y, user_of(row));
  const bool mines = row.facts != nullptr && row.facts->classification.kind == ProcessClass::mining;
  cells.put(area, kClass, y, class_of(row), {mines ? Role::critical : Role::text});
  cells.put(area, kPlace, y, place_of(row));
  cells.put(area, kMemory, y, bytes_text(process.memory));
  cells.put(area, kUse, y,
            process.utilization ? fmt::format("{:.0f}", process.utilization->value()) : std::string(kAbsent));
  const bool has_cpu = row.facts != nullptr && row.facts->cpu;
  cells.put(area, kCpu, y, has_cpu ? fmt::format("{:.0f}", row.facts->cpu->value()) : std::string(kAbsent));
  const bool has_start = row.facts != nullptr && row.facts->started;
  cells.put(area, kSince, y, has_start ? age_text(model.now() - *row.facts->started) : std::string(kAbsent));
  std::string command = command_of(row);
  if (line.depth > 0) command = std::string((line.depth - 1) * 2, ' ') + "└ " + command;
  cells.put(area, kCommand, y, command, {command == kAbsent ? Role::faint : Role::text});
}

void draw_group(const ProcessLine& line, const Cells& cells, const Area& area, std::size_t y) {
  area.line(cells.at(kGpu), y, {{line.head, {Role::strong}}, {fmt::format("  {}", line.count), {Role::faint}}});
  // Its sum stands under the memory of its processes, unless the head needs that room.
  cells.put(area, kMemory, y, bytes_text(line.memory), {Role::strong});
}

void draw_headings(const Scene& scene, const Cells& cells, const Area& area, Hots& hots) {
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (cells.width(i) == 0) continue;
    const auto& order = kFacts[i].order;
    const bool sorts = order == scene.preferences.order && !scene.preferences.tree;
    std::string text(kFacts[i].heading);
    // Names and numbers rise, all else falls; reversed, the other way round.
    const bool rises = (order == ProcessOrder::pid || order == ProcessOrder::user) != scene.preferences.reversed;
    if (sorts) text += rises ? "▴" : "▾";
    cells.put(area, i, 0, text, {sorts ? Role::accent : Role::faint});
    if (order) {
      const Rect whole = area.rect();
      hots.push_back(
          {{whole.x + cells.at(i), whole.y, cells.width(i), 1}, Hot::Kind::sort, static_cast<std::size_t>(*order)});
    }
  }
}

// Why there is no line.
std::string why_empty(const Scene& scene) {
  const Model& model = scene.model;
  if (!model.has_snapshot()) return "";
  if (!scene.ui.filter.empty())
    return fmt::format("No process has '{}' in its name, user, place or command.", scene.ui.filter);
  if (scene.ui.of_gpu && !model.processes().empty()) return "No process uses this GPU.";
  for (const DeviceSnapshot& d : model.snapshot().devices) {
    if (d.available && !d.processes_reason.empty()) return d.processes_reason;
  }
  return "No process uses a GPU.";
}

}  // namespace

void draw_processes(const Scene& scene, const Area& area, Hots& hots) {
  const Cells cells(wishes(), area.width() > 1 ? area.width() - 1 : 0, 1);
  draw_headings(scene, cells, area, hots);
  const auto lines = process_lines(scene.model, scene.ui, scene.preferences);
  if (lines.empty()) {
    draw_text(area, 1, " ", why_empty(scene), {Role::faint});
    return;
  }
  constexpr auto kIndex = static_cast<std::size_t>(Pane::processes);
  const std::size_t first = scene.ui.scroll[kIndex];
  for (std::size_t y = 1; y < area.height() && first + y - 1 < lines.size(); ++y) {
    const std::size_t which = first + y - 1;
    if (lines[which].row != nullptr) {
      draw_row(scene.model, lines[which], cells, area, y);
    } else {
      draw_group(lines[which], cells, area, y);
    }
    if (which == scene.ui.row[kIndex]) area.select(y);
    hots.push_back({{area.rect().x, area.rect().y + y, area.width(), 1}, Hot::Kind::row, which});
  }
}

}  // namespace gpukeeper::top
