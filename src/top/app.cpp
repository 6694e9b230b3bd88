#include "top/app.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "top/theme.hpp"
#include "top/view.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

using namespace std::chrono_literals;

constexpr auto kNoticeTime = 6s;  // how long a sentence stands at the foot

class App {
 public:
  App(const AppOptions& options, Feeder& feeder, Terminal& terminal, const Clock& clock)
      : options_(options),
        preferences_(options.preferences),
        feeder_(feeder),
        terminal_(terminal),
        clock_(clock),
        frame_{Canvas(1, 1), {}, 0} {
    if (!options.remarks.empty()) notice(options.remarks.front(), true);
  }

  Result<Preferences> run() {
    for (;;) {
      take_news();
      if (failed_) return tl::make_unexpected(*failed_);
      show();
      const Happening happening = terminal_.wait(next_look(), feeder_.descriptor());
      if (happening.kind == Happening::Kind::stop) return preferences_;
      if (happening.kind == Happening::Kind::suspend) terminal_.suspend();
      if (happening.kind == Happening::Kind::key && !pressed(happening.key)) return preferences_;
    }
  }

 private:
  void take_news() {
    News news = feeder_.news();
    failed_ = news.failed;
    if (news.reply.number != replies_) {
      replies_ = news.reply.number;
      notice(news.reply.text, !news.reply.good);
    }
    model_.take(std::move(news));
    const auto now = clock_.now();
    const auto wall = clock_.wall();
    model_.look_at(now, wall, options_.utc_offset(wall));
    if (notice_until_ && now >= *notice_until_) {
      ui_.notice.clear();
      notice_until_.reset();
    }
  }

  void notice(std::string text, bool bad) {
    ui_.notice = std::move(text);
    ui_.notice_bad = bad;
    notice_until_ = clock_.now() + kNoticeTime;
  }

  void show() {
    const Size size = terminal_.size();
    settle(model_, ui_, preferences_, size.width, size.height);
    feeder_.need(needs(size));
    frame_ = draw({model_, ui_, preferences_}, size.width, size.height);
    const Theme* theme = find_theme(preferences_.theme);
    terminal_.show(frame_.canvas, theme == nullptr ? themes()[0] : *theme);
  }

  Needs needs(const Size& size) const {
    Needs needs;
    const bool wide =
        layout_of(size.width, std::max(size.height, kLeastHeight), model_.gpus().size(), preferences_).aside.width > 0;
    needs.leases = true;
    needs.past =
        preferences_.pane == Pane::charts || ui_.screen == Screen::gpu || (wide && preferences_.pane == Pane::why);
    if (needs.past && ui_.gpu < model_.gpus().size()) {
      needs.device = model_.gpus()[ui_.gpu].device->device->id.text;
      needs.range = preferences_.range;
      needs.buckets = std::clamp<std::size_t>(2 * size.width, 60, 600);
    } else {
      needs.past = false;
    }
    if (ui_.screen == Screen::process && ui_.process) needs.pids = forebears();
    return needs;
  }

  // Of the chosen process; of this machine's own only.
  std::vector<std::int64_t> forebears() const {
    for (const ProcessRow& row : model_.processes()) {
      if (row.process->pid != ui_.process->second || row.device->device->id.text != ui_.process->first) continue;
      const bool ours = model_.news().here && origin_word(*row.device->device).empty();
      return ours && row.facts != nullptr ? row.facts->forebears : std::vector<std::int64_t>();
    }
    return {};
  }

  // The age of the picture is told in seconds; a picture that comes by itself is drawn when it comes.
  MonotonicTime next_look() const { return clock_.now() + 1s; }

  bool pressed(const Key& key) {
    const Wishes wishes = press(key, model_, ui_, preferences_, frame_);
    if (!ui_.notice.empty() && !notice_until_) notice_until_ = clock_.now() + kNoticeTime;
    if (wishes.play) feeder_.play(*wishes.play);
    if (wishes.deed) feeder_.act(*wishes.deed);
    return !wishes.quit;
  }

  const AppOptions& options_;
  Preferences preferences_;
  Feeder& feeder_;
  Terminal& terminal_;
  const Clock& clock_;
  Model model_;
  Ui ui_;
  Frame frame_;
  std::optional<Error> failed_;
  std::uint64_t replies_ = 0;
  std::optional<MonotonicTime> notice_until_;
};

}  // namespace

Result<Preferences> run(const AppOptions& options, Feeder& feeder, Terminal& terminal, const Clock& clock) {
  return App(options, feeder, terminal, clock).run();
}

}  // namespace gpukeeper::top
