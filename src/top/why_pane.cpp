#include <fmt/format.h>
#include <fmt/ranges.h>

#include "top/panes.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

Role role_of(Tone tone) {
  switch (tone) {
    case Tone::good: return Role::optimal;
    case Tone::plain: return Role::strong;
    case Tone::notice: return Role::throttled;
    case Tone::bad: return Role::critical;
  }
  return Role::text;
}

// Paragraphs one below the other, of which the first rows are scrolled away.
class Page {
 public:
  Page(const Area& area, std::size_t scroll)
      : canvas_(area.width(), area.height() + scroll, area.utf8()), area_(area), scroll_(scroll) {}
  void say(std::string_view first, std::string_view text, Style style) {
    const Area all(canvas_, {0, 0, canvas_.width(), canvas_.height()});
    y_ = draw_text(all, y_, first, text, style);
  }
  void gap() { ++y_; }

  void show() const {
    for (std::size_t y = scroll_; y < canvas_.height(); ++y) {
      for (std::size_t x = 0; x < canvas_.width(); ++x) {
        const Cell& cell = canvas_.at(x, y);
        if (cell.glyph != U' ') area_.put_glyph(x, y - scroll_, cell);
      }
    }
  }

 private:
  Canvas canvas_;
  const Area& area_;
  const std::size_t scroll_;
  std::size_t y_ = 0;
};

void say_answer(Page& page, const Diagnosis& answer) {
  page.say(" ", question(answer.topic), {Role::faint});
  page.say("   ", answer.verdict, {role_of(answer.tone)});
  for (const std::string& line : answer.evidence) page.say("   · ", line, {});
  if (!answer.other_causes.empty()) {
    page.say("   · ", fmt::format("It could also be: {}.", fmt::join(answer.other_causes, "; ")), {Role::faint});
  }
  for (const std::string& line : answer.advice) page.say("   → ", line, {Role::accent});
}

}  // namespace

void draw_why(const Scene& scene, const Area& area, std::size_t scroll) {
  const auto& gpus = scene.model.gpus();
  if (!scene.model.has_snapshot()) return;
  const DiagnosisReport& report = scene.model.why();
  Page page(area, scroll);
  for (const std::string& warning : report.warnings) page.say(" ! ", warning, {Role::critical});
  const std::string index = scene.ui.gpu < gpus.size() ? index_word(*gpus[scene.ui.gpu].device) : "";
  bool found = false;
  for (const DeviceDiagnosis& device : report.devices) {
    if (device.index != index) continue;
    found = true;
    for (const Diagnosis& answer : device.answers) say_answer(page, answer);
  }
  if (!found) page.say(" ", report.summary, {Role::strong});
  page.show();
}

}  // namespace gpukeeper::top
