#include "top/view.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

std::string tab_text(const Scene& scene, Pane pane) {
  const Model& model = scene.model;
  switch (pane) {
    case Pane::processes: return fmt::format("processes {}", count_processes(model.processes()));
    case Pane::leases:
      return model.news().leases ? fmt::format("leases {}", model.news().leases->leases.size()) : "leases";
    case Pane::alerts: return fmt::format("alerts {}", grave_alerts(model).size());
    case Pane::why: return "why";
    case Pane::charts: return "charts";
  }
  return {};
}

// Right of the tabs: how the list is narrowed and sorted, or which GPU and time it is about.
std::string state_of_list(const Scene& scene) {
  const Ui& ui = scene.ui;
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : " · ") + more; };
  if (scene.preferences.pane == Pane::processes) {
    if (ui.of_gpu && ui.gpu < scene.model.gpus().size()) add("GPU " + index_word(*scene.model.gpus()[ui.gpu].device));
    if (!ui.filter.empty()) add("filter: " + ui.filter);
    if (!ui.search.empty()) add("search: " + ui.search);
    if (scene.preferences.tree) add("tree");
  } else if (scene.preferences.pane == Pane::why || scene.preferences.pane == Pane::charts) {
    if (ui.gpu < scene.model.gpus().size()) add("GPU " + index_word(*scene.model.gpus()[ui.gpu].device));
    if (scene.preferences.pane == Pane::charts) add(range_text(scene.preferences.range));
  } else if (scene.preferences.pane == Pane::leases && scene.model.news().leases) {
    if (scene.model.news().leases->waiting > 0) add(fmt::format("{} waiting", scene.model.news().leases->waiting));
  }
  return text;
}

void draw_overview(const Scene& scene, Frame& frame) {
  const Layout layout =
      layout_of(frame.canvas.width(), frame.canvas.height(), scene.model.gpus().size(), scene.preferences);
  const auto area = [&](const Rect& rect) { return Area(frame.canvas, rect); };
  draw_gpus(scene, layout, area(layout.gpus), frame.hots);
  draw_tabs(scene, area(layout.tabs), frame.hots);
  draw_list(scene, area(layout.list), frame.hots);
  if (layout.aside.width > 0) draw_aside(scene, area(layout.aside));
  frame.list_height = layout.list.height;
}

}  // namespace

void draw_tabs(const Scene& scene, const Area& area, Hots& hots) {
  area.fill(0, U'─', {Role::track});
  std::size_t x = 1;
  for (std::size_t i = 0; i < kPanes; ++i) {
    const auto pane = static_cast<Pane>(i);
    const bool active = pane == scene.preferences.pane;
    const bool alarm = pane == Pane::alerts && scene.model.firing(AlertLevel::critical) > 0;
    const Role role = alarm ? Role::critical : active ? Role::strong : Role::faint;
    const std::size_t begin = x;
    x = area.line(x, 0,
                  {{active ? "▶" : " ", {Role::accent}},
                   {fmt::format("{} ", i + 1), {Role::accent}},
                   {tab_text(scene, pane), {role, active}},
                   {" "}});
    hots.push_back({{area.rect().x + begin, area.rect().y, x - begin, 1}, Hot::Kind::tab, i});
  }
  const std::string state = state_of_list(scene);
  if (!state.empty() && x + state.size() + 4 < area.width())
    area.put_right(area.width() - 2, 0, " " + state + " ", {Role::accent});
}

void draw_list(const Scene& scene, const Area& area, Hots& hots) {
  switch (scene.preferences.pane) {
    case Pane::processes: return draw_processes(scene, area, hots);
    case Pane::leases: return draw_leases(scene, area, hots);
    case Pane::alerts: return draw_alerts(scene, scene.model.alerts(), area, hots);
    case Pane::why: return draw_why(scene, area, scene.ui.scroll[static_cast<std::size_t>(Pane::why)]);
    case Pane::charts: return draw_charts(scene, area);
  }
}

void draw_aside(const Scene& scene, const Area& area) {
  for (std::size_t y = 0; y < area.height(); ++y) area.put(0, y, "│", {Role::track});
  const Area inner = area.part({2, 0, area.width() - 2, area.height()});
  std::size_t top = 0;
  const auto alerts = grave_alerts(scene.model);
  if (scene.preferences.pane != Pane::alerts && !alerts.empty()) {
    const std::size_t room = std::min<std::size_t>(alerts.size() + 5, inner.height() / 2);
    Hots unused;  // the list of alerts itself takes clicks
    draw_rule(inner, 0, "alerts");
    draw_alerts(scene, alerts, inner.part({0, 1, inner.width(), room - 1}), unused);
    top = room;
  }
  const std::string gpu = scene.ui.gpu < scene.model.gpus().size()
                              ? "why, GPU " + index_word(*scene.model.gpus()[scene.ui.gpu].device)
                              : "why";
  const Area rest = inner.part({0, top, inner.width(), inner.height() - top});
  if (scene.preferences.pane == Pane::why) {
    draw_rule(rest, 0, "charts");
    draw_charts(scene, rest.part({0, 1, rest.width(), rest.height() - 1}));
  } else {
    draw_rule(rest, 0, gpu);
    draw_why(scene, rest.part({0, 1, rest.width(), rest.height() - 1}), 0);
  }
}

Frame draw(const Scene& scene, std::size_t width, std::size_t height) {
  Frame frame{Canvas(width, height, !scene.preferences.ascii), {}, 0};
  const Area whole(frame.canvas, {0, 0, width, height});
  if (width < kLeastWidth || height < kLeastHeight) {
    whole.put(0, 0,
              fmt::format("This needs {} columns and {} rows; here are {} and {}.", kLeastWidth, kLeastHeight, width,
                          height));
    return frame;
  }
  const Layout layout = layout_of(width, height, scene.model.gpus().size(), scene.preferences);
  draw_header(scene, Area(frame.canvas, layout.header));
  const Area body(frame.canvas, {0, layout.header.height, width, height - layout.header.height - 1});
  switch (scene.ui.screen) {
    case Screen::overview: draw_overview(scene, frame); break;
    case Screen::gpu: draw_gpu_screen(scene, body); break;
    case Screen::process: draw_process_screen(scene, body); break;
  }
  draw_footer(scene, Area(frame.canvas, layout.footer));
  if (scene.ui.help) draw_help(scene, whole);
  if (scene.ui.dialog) {
    frame.hots.clear();
    draw_dialog(*scene.ui.dialog, whole, frame.hots);
  }
  return frame;
}

}  // namespace gpukeeper::top
