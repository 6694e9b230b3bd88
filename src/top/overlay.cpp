#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

// What a key does, for the foot and for the page of help: one table.
struct KeyHelp {
  std::string_view keys;
  std::string_view text;
};

constexpr KeyHelp kHelp[] = {
    {"", "Looking"},
    {"← →", "the GPU before, the next one; with a click, too"},
    {"↑ ↓ PgUp PgDn Home End", "the row; with the wheel, too"},
    {"1 2 3 4 5  Tab", "processes, leases, alerts, why, charts"},
    {"Enter", "all about the process"},
    {"g", "all about the GPU"},
    {"Esc  q", "back; at the overview q ends"},
    {"", "The list of processes"},
    {"s  S  r", "sorts by the next column, the one before; the other way round"},
    {"t", "as a tree: who they belong to, who started whom"},
    {"/  n  N", "searches; the next one, the one before"},
    {"f", "only those in which a text is found"},
    {"G", "only those of the chosen GPU"},
    {"", "Doing, each after it was confirmed"},
    {"k", "sends the process a signal"},
    {"x  X", "gives the lease back; takes it away from its holder"},
    {"a  z", "takes care of the alert; silences it"},
    {"o", "asks for memory of the GPU back (optimize)"},
    {"T", "changes the temperature from which work shall slow down"},
    {"", "The picture"},
    {"c  + -", "charts; of a longer, of a shorter time"},
    {"b", "GPUs as rows, as blocks, as fits"},
    {"w", "alerts and reasons beside the list, where there is room"},
    {"C", "other colours: standard, light, colour-blind, contrast, mono"},
    {"A", "only ASCII"},
    {"Space", "holds the picture still; of a recording, pauses it"},
    {"", "A recording"},
    {".", "the next reading, while it is paused"},
    {"< >", "slower, faster"},
    {"[ ]  { }", "10 s, 5 min back and on"},
    {"( )", "to its begin, to its end"},
    {"", "Bars"},
    {"█", "memory of leases, or in use where nobody keeps a book"},
    {"▓ ▒ ░", "in use without a lease; promised and not in use; free"},
    {"╎ ┃", "where gpukeeper slows work down; where the hardware does"},
};

std::vector<Span> keys_of(const Scene& scene) {
  const auto key = [](std::string_view keys) { return Span(std::string(keys), {Role::accent, true}); };
  const auto word = [](std::string_view text) { return Span(" " + std::string(text) + "  ", {Role::faint}); };
  std::vector<Span> spans{{" "}};
  const auto add = [&](std::string_view keys, std::string_view text) {
    spans.push_back(key(keys));
    spans.push_back(word(text));
  };
  if (scene.model.news().playing) {
    add("Space", "pause");
    add("< >", "speed");
    if (scene.model.news().playing->seeks) add("[ ]", "seek");
  }
  if (scene.ui.screen != Screen::overview) {
    add("Esc", "back");
    add("← →", "GPU");
  }
  if (scene.ui.screen == Screen::process) add("k", "signal");
  if (scene.ui.screen == Screen::overview) {
    add("q", "quit");
    add("?", "help");
    add("← →", "GPU");
    add("g", "details");
    switch (scene.preferences.pane) {
      case Pane::processes:
        add("s", "sort");
        add("/", "search");
        add("f", "filter");
        add("t", "tree");
        add("k", "signal");
        break;
      case Pane::leases:
        add("x", "release");
        add("X", "revoke");
        break;
      case Pane::alerts:
        add("a", "take care");
        add("z", "silence");
        break;
      case Pane::charts: add("+ -", "time"); break;
      case Pane::why: break;
    }
    add("Tab", "next pane");
  }
  return spans;
}

}  // namespace

void draw_footer(const Scene& scene, const Area& area) {
  const Ui& ui = scene.ui;
  if (ui.typing != Typing::nothing) {
    const bool searches = ui.typing == Typing::search;
    const std::size_t end = area.line(1, 0,
                                      {{searches ? "search: " : "filter: ", {Role::accent, true}},
                                       {searches ? ui.search : ui.filter},
                                       {"█", {Role::accent}}});
    area.put(end + 2, 0, "Enter keeps it, Esc drops it", {Role::faint});
    return;
  }
  if (!ui.notice.empty()) {
    area.put(1, 0, ui.notice, {ui.notice_bad ? Role::critical : Role::optimal, true});
    return;
  }
  if (const std::string& trouble = scene.model.news().trouble; !trouble.empty()) {
    area.put(1, 0, trouble, {Role::critical, true});
    return;
  }
  area.line(0, 0, keys_of(scene));
}

void draw_help(const Scene& scene, const Area& area) {
  const std::size_t width = std::min<std::size_t>(area.width() - 2, 84);
  const std::size_t height = std::min(area.height(), std::size(kHelp) + 3);
  const Area box = area.part({(area.width() - width) / 2, (area.height() - height) / 2, width, height});
  box.clear();
  draw_rule(box, 0, "gpukeeper top: keys");
  const std::size_t rows = height - 2;
  const std::size_t most = std::size(kHelp) > rows ? std::size(kHelp) - rows : 0;
  const std::size_t first = std::min(scene.ui.help_scroll, most);
  for (std::size_t y = 0; y < rows && first + y < std::size(kHelp); ++y) {
    const KeyHelp& line = kHelp[first + y];
    if (line.keys.empty()) {
      box.put(2, y + 1, line.text, {Role::strong, true});
    } else {
      box.put(4, y + 1, line.keys, {Role::accent}, 23);
      box.put(28, y + 1, line.text);
    }
  }
  draw_rule(box, height - 1, most > 0 ? "↑ ↓ for more, any other key closes this" : "any key closes this");
}

void draw_dialog(const Dialog& dialog, const Area& area, Hots& hots) {
  const std::size_t width = std::min<std::size_t>(area.width() - 2, 72);
  std::size_t rows = 0;
  for (const std::string& text : dialog.text) rows += wrap(harmless(text), width - 5).size();
  const std::size_t height = std::min(area.height(), rows + std::max<std::size_t>(dialog.choices.size(), 1) + 4);
  const Area box = area.part({(area.width() - width) / 2, (area.height() - height) / 2, width, height});
  box.clear();
  draw_rule(box, 0, dialog.title);
  std::size_t y = 1;
  for (const std::string& text : dialog.text) y = draw_text(box, y, "  ", text, {});
  ++y;
  if (dialog.input) {
    const std::size_t end =
        box.line(4, y++, {{"> ", {Role::accent, true}}, {*dialog.input, {Role::strong}}, {"█", {Role::accent}}});
    box.put(end + 2, y - 1, fmt::format("{:g} to {:g}", dialog.least, dialog.most), {Role::faint});
  } else {
    for (std::size_t i = 0; i < dialog.choices.size() && y + 1 < height; ++i, ++y) {
      const bool chosen = i == dialog.chosen;
      box.line(4, y,
               {{chosen ? "▶ " : "  ", {Role::accent, true}},
                {dialog.choices[i].label, {chosen ? Role::strong : Role::text}}});
      if (chosen) box.select(y);
      hots.push_back({{box.rect().x, box.rect().y + y, width, 1}, Hot::Kind::choice, i});
    }
  }
  const std::string_view keys = dialog.choices.empty() ? "any key closes this"
                                : dialog.confirming    ? "y does it, Esc does not"
                                                       : "Enter chooses, Esc does nothing";
  draw_rule(box, height - 1, keys);
}

}  // namespace gpukeeper::top
