#include "cli/watch.hpp"

#include <algorithm>
#include <utility>

#include "cli/notes.hpp"

namespace gpukeeper::cli {
namespace {

// The alternate screen, no cursor, and no wrapping: a character that is wider here than in our table spoils its own
// line only. All of it is undone by kLeave, also when the program is suspended.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

// A page drawn over the one before it: every line is cleared before it is written, so nothing of the old one stays. Not
// behind its end: a line that fills the row leaves the cursor on its last character, and clearing would take that too.
std::string frame(std::string_view page) {
  if (page.ends_with('\n')) page.remove_suffix(1);  // the last line of the screen must not scroll it
  std::string text = "\x1b[H";
  for (bool more = true; more;) {
    const auto end = page.find('\n');
    more = end != std::string_view::npos;
    text += more ? "\x1b[K" : "\x1b[J";  // with the last line goes what is below it
    text += page.substr(0, end);
    if (more) text += "\r\n";
    page.remove_prefix(more ? end + 1 : page.size());
  }
  return text;
}

// Where --watch shows its pages: drawn over each other on a terminal, one after the other elsewhere.
class Display {
 public:
  Display(const PageMaker& page, Context& context, bool drawn) : page_(page), context_(context), drawn_(drawn) {}

  /// Pages that are appended end while there is trouble, which is remarked once: an old one again would be taken for
  /// news. Of what is drawn the last page stays, with the trouble below it.
  Result<bool> show(const Snapshot& snapshot, const std::string& trouble) {
    if (!drawn_ && !trouble.empty()) {
      if (std::exchange(trouble_, trouble).empty()) context_.remark(trouble);
      return true;
    }
    if (!std::exchange(trouble_, trouble).empty() && !drawn_) context_.remark("it answers again");
    const auto below =
        trouble.empty() ? std::vector<std::string>() : wrapped({}, {trouble, Ink::bad}, render_options(context_));
    const std::size_t height = drawn_ ? context_.screen().height : 0;
    auto page = page_(snapshot, height > below.size() + 1 ? height - below.size() : height);
    if (!page) {
      static_cast<void>(leave());  // the error that follows says more than a second one would
      return tl::make_unexpected(page.error());
    }
    if (!drawn_) return context_.out.write(*page);
    for (const std::string& line : below) *page += line + '\n';
    return context_.out.write(std::string(std::exchange(entered_, true) ? "" : kEnter) + frame(*page));
  }

  /// The window has another size, or the program is back in the foreground.
  Result<bool> show_again(const Snapshot& snapshot, const std::string& trouble) {
    return drawn_ ? show(snapshot, trouble) : true;
  }

  /// Gives the terminal back as it was.
  Result<bool> leave() { return std::exchange(entered_, false) ? context_.out.write(kLeave) : true; }

  /// Gives the terminal back with the last page on it.
  Result<bool> leave_behind(const Snapshot& snapshot) {
    if (!entered_) return true;
    if (const auto left = leave(); !left || !*left) return left;
    const auto page = page_(snapshot, 0);
    if (!page) return tl::make_unexpected(page.error());
    return context_.out.write(*page);
  }

 private:
  const PageMaker& page_;
  Context& context_;
  const bool drawn_;
  bool entered_ = false;
  std::string trouble_;  // at the page before
};

}  // namespace

Exit watch(const WatchOptions& options, const PageMaker& page, Feed& feed, Context& context, Interrupts& interrupts) {
  Display display(page, context, options.drawn);
  const auto ended = [](const Result<bool>& written) -> Exit {
    return written ? Exit(0) : Exit(tl::make_unexpected(written.error()));
  };
  auto due = context.clock.now();
  for (;;) {
    const auto snapshot = feed.next();
    auto written = display.show(*snapshot, feed.trouble());
    if (written && feed.ended()) return ended(display.leave_behind(*snapshot));
    due = std::max(due + options.pause, context.clock.now());  // a late page is skipped, not made up for
    for (bool waiting = true; waiting && written && *written;) {
      switch (interrupts.wait_until(due)) {
        case Interrupts::Event::due: waiting = false; break;
        case Interrupts::Event::resized: written = display.show_again(*snapshot, feed.trouble()); break;
        case Interrupts::Event::stop: return ended(display.leave_behind(*snapshot));
        case Interrupts::Event::suspend:
          written = display.leave();
          interrupts.suspend();
          if (written && *written) written = display.show_again(*snapshot, feed.trouble());
          break;
      }
    }
    if (!written || !*written) return ended(written);  // a reader that has gone has had enough
  }
}

}  // namespace gpukeeper::cli
