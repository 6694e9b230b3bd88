#include "top/keys.hpp"

#include <algorithm>

#include "top/deeds.hpp"
#include "top/process_lines.hpp"
#include "top/theme.hpp"

namespace gpukeeper::top {
namespace {

using Code = Key::Code;

constexpr std::size_t kMostTyped = 64;

// What one key changes.
class Hand {
 public:
  Hand(Model& model, Ui& ui, Preferences& preferences, const Frame& frame)
      : model_(model), ui_(ui), preferences_(preferences), frame_(frame) {}

  Wishes press(const Key& key) {
    if (key.code == Code::click || key.code == Code::double_click) {
      click(key);
    } else if (ui_.dialog) {
      in_dialog(key);
    } else if (ui_.help) {
      in_help(key);
    } else if (ui_.typing != Typing::nothing) {
      typed(key);
    } else {
      ui_.notice.clear();
      if (key.code == Code::character) {
        letter(key.character);
      } else {
        move(key.code);
      }
    }
    return wishes_;
  }

 private:
  std::size_t& row() { return ui_.row[static_cast<std::size_t>(preferences_.pane)]; }

  void go_to_row(std::size_t which) {
    const std::size_t rows = rows_in(preferences_.pane, model_, ui_, preferences_);
    row() = rows == 0 ? 0 : std::min(which, rows - 1);
    if (preferences_.pane == Pane::why) ui_.scroll[static_cast<std::size_t>(Pane::why)] = row();
    if (preferences_.pane == Pane::processes) hold_process();
  }

  // The cursor means the process, not the row.
  void hold_process() {
    const auto lines = process_lines(model_, ui_, preferences_);
    ui_.process.reset();
    if (row() >= lines.size() || lines[row()].row == nullptr) return;
    const ProcessRow& chosen = *lines[row()].row;
    ui_.process = std::pair(chosen.device->device->id.text, chosen.process->pid);
  }

  void by(std::ptrdiff_t rows) {
    if (ui_.screen != Screen::overview) {
      const auto now = static_cast<std::ptrdiff_t>(ui_.detail_scroll) + rows;
      ui_.detail_scroll = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(now, 0, 500));
      return;
    }
    const auto now = static_cast<std::ptrdiff_t>(row()) + rows;
    go_to_row(static_cast<std::size_t>(std::max<std::ptrdiff_t>(now, 0)));
  }

  void choose_gpu(std::ptrdiff_t step) {
    const auto count = static_cast<std::ptrdiff_t>(model_.gpus().size());
    if (count == 0) return;
    ui_.gpu = static_cast<std::size_t>((static_cast<std::ptrdiff_t>(ui_.gpu) + step + count) % count);
    ui_.detail_scroll = 0;
  }

  void show_pane(std::size_t which) {
    preferences_.pane = static_cast<Pane>(which % kPanes);
    ui_.screen = Screen::overview;
  }

  void back() {
    if (ui_.screen != Screen::overview) {
      ui_.screen = Screen::overview;
    } else if (!ui_.filter.empty() || !ui_.search.empty() || ui_.of_gpu) {
      ui_.filter.clear();
      ui_.search.clear();
      ui_.of_gpu = false;
    }
  }

  void enter() {
    if (ui_.screen != Screen::overview) return;
    if (preferences_.pane == Pane::processes) {
      hold_process();
      if (ui_.process) open(Screen::process);
    } else if (preferences_.pane == Pane::why || preferences_.pane == Pane::charts) {
      open(Screen::gpu);
    }
  }

  void open(Screen screen) {
    ui_.screen = screen;
    ui_.detail_scroll = 0;
  }

  void move(Code code) {
    const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(frame_.list_height, 2) - 1);
    switch (code) {
      case Code::up: return by(-1);
      case Code::down: return by(1);
      case Code::wheel_up: return by(-3);
      case Code::wheel_down: return by(3);
      case Code::page_up: return by(-page);
      case Code::page_down: return by(page);
      case Code::home: return by(-1'000'000);
      case Code::end: return by(1'000'000);
      case Code::left: return choose_gpu(-1);
      case Code::right: return choose_gpu(1);
      case Code::tab: return show_pane(static_cast<std::size_t>(preferences_.pane) + 1);
      case Code::back_tab: return show_pane(static_cast<std::size_t>(preferences_.pane) + kPanes - 1);
      case Code::enter: return enter();
      case Code::escape: return back();
      default: return;
    }
  }

  void next_order(std::ptrdiff_t step) {
    constexpr auto kCount = static_cast<std::ptrdiff_t>(std::size(kProcessOrders));
    const auto* now =
        std::ranges::find(kProcessOrders, preferences_.order, &std::pair<std::string_view, ProcessOrder>::second);
    const auto next = (now - std::begin(kProcessOrders) + step + kCount) % kCount;
    preferences_.order = kProcessOrders[next].second;
    preferences_.tree = false;
  }

  void next_range(std::ptrdiff_t step) {
    const auto ranges = chart_ranges();
    const auto now = std::ranges::find(ranges, preferences_.range) - ranges.begin() + step;
    preferences_.range = ranges[static_cast<std::size_t>(
        std::clamp<std::ptrdiff_t>(now, 0, static_cast<std::ptrdiff_t>(ranges.size()) - 1))];
  }

  void find(std::ptrdiff_t step) {
    const auto lines = process_lines(model_, ui_, preferences_);
    const auto count = static_cast<std::ptrdiff_t>(lines.size());
    for (std::ptrdiff_t i = step == 0 ? 0 : 1; i <= count && count > 0; ++i) {
      const auto which = (static_cast<std::ptrdiff_t>(row()) + (step < 0 ? -i : i) % count + count) % count;
      const ProcessLine& line = lines[static_cast<std::size_t>(which)];
      if (line.row != nullptr && matches(*line.row, ui_.search)) return go_to_row(static_cast<std::size_t>(which));
    }
    say_bad("nothing has '" + ui_.search + "' in it");
  }

  void say_bad(std::string text) {
    ui_.notice = std::move(text);
    ui_.notice_bad = true;
  }

  void play(PlayWish::Kind kind, std::chrono::seconds by = {}) {
    if (model_.news().playing) {
      wishes_.play = PlayWish{kind, by};
    } else if (kind == PlayWish::Kind::pause) {
      model_.hold(!model_.held());
    } else {
      say_bad("only a recording can be moved in: --source replay:FILE");
    }
  }

  void ask(Dialog dialog) { ui_.dialog = std::move(dialog); }

  void letter(char32_t c) {
    using Kind = PlayWish::Kind;
    using std::chrono::seconds;
    switch (c) {
      case U'q':
        if (ui_.screen != Screen::overview) return back();
        wishes_.quit = true;
        return;
      case U'?':
      case U'h':
        ui_.help = true;
        ui_.help_scroll = 0;
        return;
      case U'1':
      case U'2':
      case U'3':
      case U'4':
      case U'5': return show_pane(c - U'1');
      case U'g': return ui_.screen == Screen::gpu ? back() : open(Screen::gpu);
      case U'c': return show_pane(static_cast<std::size_t>(Pane::charts));
      case U's': return next_order(1);
      case U'S': return next_order(-1);
      case U'r': preferences_.reversed = !preferences_.reversed; return;
      case U't': preferences_.tree = !preferences_.tree; return;
      case U'/':
        show_pane(0);
        ui_.typing = Typing::search;
        ui_.search.clear();
        return;
      case U'f':
        show_pane(0);
        ui_.typing = Typing::filter;
        return;
      case U'n': return ui_.search.empty() ? void() : find(1);
      case U'N': return ui_.search.empty() ? void() : find(-1);
      case U'G': ui_.of_gpu = !ui_.of_gpu; return;
      case U'b': preferences_.gpus = static_cast<GpuSize>((static_cast<int>(preferences_.gpus) + 1) % 3); return;
      case U'w': preferences_.aside = !preferences_.aside; return;
      case U'C': return next_colours();
      case U'A': preferences_.ascii = !preferences_.ascii; return;
      case U'+':
      case U'=': return next_range(1);
      case U'-': return next_range(-1);
      case U' ': return play(Kind::pause);
      case U'.': return play(Kind::step);
      case U'<': return play(Kind::slower);
      case U'>': return play(Kind::faster);
      case U'[': return play(Kind::seek, seconds(-10));
      case U']': return play(Kind::seek, seconds(10));
      case U'{': return play(Kind::seek, seconds(-300));
      case U'}': return play(Kind::seek, seconds(300));
      case U'(': return play(Kind::begin);
      case U')': return play(Kind::end);
      case U'k': return signal();
      case U'x': return ask(release_dialog(model_, ui_));
      case U'X': return ask(revoke_dialog(model_, ui_));
      case U'a': return ask(care_dialog(model_, ui_));
      case U'z': return ask(silence_dialog(model_, ui_));
      case U'o': return ask(optimize_dialog(model_, ui_));
      case U'T': return ask(threshold_dialog(model_, ui_));
      default: return;
    }
  }

  void signal() {
    if (ui_.screen == Screen::overview && preferences_.pane == Pane::processes) hold_process();
    ask(signal_dialog(model_, ui_));
  }

  void next_colours() {
    const Theme* now = find_theme(preferences_.theme);
    preferences_.theme = next_theme(now == nullptr ? themes()[0] : *now).name;
    ui_.notice = "colours: " + preferences_.theme;
    ui_.notice_bad = false;
  }

  void in_help(const Key& key) {
    if (key.code == Code::up || key.code == Code::wheel_up) {
      ui_.help_scroll -= ui_.help_scroll > 0 ? 1 : 0;
    } else if (key.code == Code::down || key.code == Code::wheel_down) {
      ui_.help_scroll += ui_.help_scroll < 60 ? 1 : 0;
    } else {
      ui_.help = false;
    }
  }

  void typed(const Key& key) {
    std::string& text = ui_.typing == Typing::search ? ui_.search : ui_.filter;
    if (key.code == Code::character && key.character < 0x7f && text.size() < kMostTyped) {
      text += static_cast<char>(key.character);
    } else if (key.code == Code::backspace) {
      if (!text.empty()) text.pop_back();
    } else if (key.code == Code::escape) {
      text.clear();
      ui_.typing = Typing::nothing;
      return;
    } else if (key.code == Code::enter) {
      ui_.typing = Typing::nothing;
      return;
    }
    if (ui_.typing == Typing::search && !text.empty()) find(0);
  }

  void in_dialog(const Key& key) {
    Dialog& dialog = *ui_.dialog;
    if (key.code == Code::escape || dialog.choices.empty()) return ui_.dialog.reset();
    if (dialog.input) return in_input(dialog, key);
    if (dialog.confirming) {
      if (key.code == Code::character && (key.character == U'y' || key.character == U'Y')) {
        do_it(dialog.choices.front().deed);
      } else {
        ui_.dialog.reset();
      }
      return;
    }
    if (key.code == Code::up && dialog.chosen > 0) --dialog.chosen;
    if (key.code == Code::down && dialog.chosen + 1 < dialog.choices.size()) ++dialog.chosen;
    if (key.code == Code::enter) ask(confirm(dialog, dialog.choices[dialog.chosen]));
    if (key.code == Code::character && key.character == U'q') ui_.dialog.reset();
  }

  void in_input(Dialog& dialog, const Key& key) {
    if (key.code == Code::character && dialog.input->size() < 6 &&
        ((key.character >= U'0' && key.character <= U'9') || key.character == U'.')) {
      *dialog.input += static_cast<char>(key.character);
    } else if (key.code == Code::backspace && !dialog.input->empty()) {
      dialog.input->pop_back();
    } else if (key.code == Code::enter) {
      if (const auto deed = typed_deed(dialog)) {
        std::string label = dialog.choices.front().label;
        if (const auto at = label.find("{}"); at != std::string::npos) label.replace(at, 2, *dialog.input);
        ask(confirm(dialog, {label, *deed}));
      }
    }
  }

  void do_it(const Deed& deed) {
    wishes_.deed = deed;
    ui_.dialog.reset();
  }

  void click(const Key& key) {
    const auto hot = std::ranges::find_if(frame_.hots, [&](const Hot& each) { return each.rect.holds(key.x, key.y); });
    if (ui_.help) {
      ui_.help = false;
      return;
    }
    if (ui_.dialog && (hot == frame_.hots.end() || hot->kind != Hot::Kind::choice)) return;
    if (hot == frame_.hots.end()) return;
    switch (hot->kind) {
      case Hot::Kind::gpu:
        ui_.gpu = hot->index;
        if (key.code == Code::double_click) open(Screen::gpu);
        return;
      case Hot::Kind::tab: return show_pane(hot->index);
      case Hot::Kind::row:
        go_to_row(hot->index);
        if (key.code == Code::double_click) enter();
        return;
      case Hot::Kind::sort: {
        const auto order = static_cast<ProcessOrder>(hot->index);
        preferences_.reversed = order == preferences_.order && !preferences_.reversed;
        preferences_.order = order;
        preferences_.tree = false;
        return;
      }
      case Hot::Kind::choice:
        if (ui_.dialog->confirming) return;  // with the hand on the mouse nothing is done: it takes a y
        ui_.dialog->chosen = hot->index;
        ask(confirm(*ui_.dialog, ui_.dialog->choices[hot->index]));
        return;
    }
  }

  Model& model_;
  Ui& ui_;
  Preferences& preferences_;
  const Frame& frame_;
  Wishes wishes_;
};

}  // namespace

Wishes press(const Key& key, Model& model, Ui& ui, Preferences& preferences, const Frame& frame) {
  return Hand(model, ui, preferences, frame).press(key);
}

}  // namespace gpukeeper::top
