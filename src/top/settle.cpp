#include <algorithm>

#include "top/keys.hpp"
#include "top/process_lines.hpp"

namespace gpukeeper::top {
namespace {

void keep_in_view(std::size_t& scroll, std::size_t& row, std::size_t rows, std::size_t height) {
  row = rows == 0 ? 0 : std::min(row, rows - 1);
  if (row < scroll) scroll = row;
  if (height > 0 && row >= scroll + height) scroll = row + 1 - height;
  scroll = std::min(scroll, rows > height ? rows - height : 0);
}

// The cursor stays on its process when the order changes.
void follow_process(const Model& model, Ui& ui, const Preferences& preferences) {
  auto& row = ui.row[static_cast<std::size_t>(Pane::processes)];
  const auto lines = process_lines(model, ui, preferences);
  const auto is_it = [&](const ProcessLine& line) {
    return ui.process && line.row != nullptr && line.row->process->pid == ui.process->second &&
           line.row->device->device->id.text == ui.process->first;
  };
  const auto found = std::ranges::find_if(lines, is_it);
  if (found != lines.end()) row = static_cast<std::size_t>(found - lines.begin());
}

}  // namespace

std::size_t rows_in(Pane pane, const Model& model, const Ui& ui, const Preferences& preferences) {
  switch (pane) {
    case Pane::processes: return process_lines(model, ui, preferences).size();
    case Pane::leases: return model.news().leases ? model.news().leases->leases.size() : 0;
    case Pane::alerts: return model.alerts().size();
    case Pane::why: return 200;  // paragraphs: how many rows they fill depends on the width
    case Pane::charts: return 0;
  }
  return 0;
}

void settle(const Model& model, Ui& ui, const Preferences& preferences, std::size_t width, std::size_t height) {
  if (width < kLeastWidth || height < kLeastHeight) return;
  const std::size_t gpus = model.gpus().size();
  const Layout layout = layout_of(width, height, gpus, preferences);
  ui.gpu = gpus == 0 ? 0 : std::min(ui.gpu, gpus - 1);
  const std::size_t heading = layout.gpu_lines > 1 ? 0 : 1;
  const std::size_t rows = layout.gpus.height > heading ? (layout.gpus.height - heading) / layout.gpu_lines : 0;
  keep_in_view(ui.gpu_scroll, ui.gpu, gpus, rows * layout.gpu_columns);
  const Pane pane = preferences.pane;
  const auto index = static_cast<std::size_t>(pane);
  if (pane == Pane::why || pane == Pane::charts) return;
  if (pane == Pane::processes) follow_process(model, ui, preferences);
  // A heading above, and of alerts the remedy below.
  const std::size_t taken = pane != Pane::alerts ? 1 : layout.list.height >= 6 ? 3 : 0;
  keep_in_view(ui.scroll[index], ui.row[index], rows_in(pane, model, ui, preferences),
               layout.list.height > taken ? layout.list.height - taken : 0);
}

}  // namespace gpukeeper::top
