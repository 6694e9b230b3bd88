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
  bool right;
  std::optional<ProcessOrder> order;  ///< a click on its heading
  ColumnWish wish;
};

constexpr ColumnFacts kFacts[kColumns] = {
    {"GPU", false, {}, {100, 4, 5}},
    {"PID", true, ProcessOrder::pid, {99, 7, 8}},
    {"user", false, ProcessOrder::user, {90, 8, 14}},
    {"class", false, {}, {60, 9, 12}},
    {"where", false, {}, {50, 12, 22}},
    {"memory", true, ProcessOrder::memory, {98, 9, 9}},
    {"SM %", true, ProcessOrder::gpu, {97, 5, 5}},
    {"CPU %", true, ProcessOrder::cpu, {70, 5, 5}},
    {"since", true, ProcessOrder::time, {65, 6, 6}},
    {"command", false, {}, {95, 24, 400}},
};

struct Cells {
  std::array<std::size_t, kColumns> at{}, width{};
};

Cells place(std::size_t width) {
  std::array<ColumnWish, kColumns> wishes{};
  for (std::size_t i = 0; i < kColumns; ++i) wishes[i] = kFacts[i].wish;
  const auto widths = share_out(wishes, width);
  Cells cells;
  std::size_t x = 1;
  for (std::size_t i = 0; i < kColumns; ++i) {
    cells.at[i] = x;
    cells.width[i] = widths[i];
    if (widths[i] > 0) x += widths[i] + 1;
  }
  return cells;
}

void put_cell(const Area& area, const Cells& cells, std::size_t column, std::size_t y, std::string_view text,
              Style style = {}) {
  const std::size_t width = cells.width[column];
  if (width == 0) return;
  if (kFacts[column].right) {
    area.put_right(cells.at[column] + width, y, text, style);
  } else {
    area.put(cells.at[column], y, text, style, width);
  }
}

void draw_row(const Model& model, const ProcessLine& line, const Cells& cells, const Area& area, std::size_t y) {
  const ProcessRow& row = *line.row;
  const GpuProcess& process = *row.process;
  put_cell(area, cells, kGpu, y, row.place, {Role::strong});
  put_cell(area, cells, kPid, y, fmt::format("{}", process.pid));
  put_cell(area, cells, kUser, y, user_of(row));
  const bool mines = row.facts != nullptr && row.facts->classification.kind == ProcessClass::mining;
  put_cell(area, cells, kClass, y, class_of(row), {mines ? Role::critical : Role::text});
  put_cell(area, cells, kPlace, y, place_of(row));
  put_cell(area, cells, kMemory, y, bytes_text(process.memory));
  put_cell(area, cells, kUse, y,
           process.utilization ? fmt::format("{:.0f}", process.utilization->value()) : std::string(kAbsent));
  const bool has_cpu = row.facts != nullptr && row.facts->cpu;
  put_cell(area, cells, kCpu, y, has_cpu ? fmt::format("{:.0f}", row.facts->cpu->value()) : std::string(kAbsent));
  const bool has_start = row.facts != nullptr && row.facts->started;
  put_cell(area, cells, kSince, y, has_start ? age_text(model.now() - *row.facts->started) : std::string(kAbsent));
  std::string command = command_of(row);
  if (line.depth > 0) command = std::string((line.depth - 1) * 2, ' ') + "└ " + command;
  put_cell(area, cells, kCommand, y, command, {command == kAbsent ? Role::faint : Role::text});
}

void draw_group(const ProcessLine& line, const Cells& cells, const Area& area, std::size_t y) {
  area.line(cells.at[kGpu], y, {{line.head, {Role::strong}}, {fmt::format("  {}", line.count), {Role::faint}}});
  // Its sum stands under the memory of its processes, unless the head needs that room.
  put_cell(area, cells, kMemory, y, bytes_text(line.memory), {Role::strong});
}

void draw_headings(const Scene& scene, const Cells& cells, const Area& area, Hots& hots) {
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (cells.width[i] == 0) continue;
    const auto& order = kFacts[i].order;
    const bool sorts = order == scene.preferences.order && !scene.preferences.tree;
    std::string text(kFacts[i].heading);
    // Names and numbers rise, all else falls; reversed, the other way round.
    const bool rises = (order == ProcessOrder::pid || order == ProcessOrder::user) != scene.preferences.reversed;
    if (sorts) text += rises ? "▴" : "▾";
    put_cell(area, cells, i, 0, text, {sorts ? Role::accent : Role::faint});
    if (order) {
      const Rect whole = area.rect();
      hots.push_back(
          {{whole.x + cells.at[i], whole.y, cells.width[i], 1}, Hot::Kind::sort, static_cast<std::size_t>(*order)});
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
  const Cells cells = place(area.width() > 1 ? area.width() - 1 : 0);
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
