#include "cli/status.hpp"

#include <algorithm>
#include <utility>

#include "cli/status_table.hpp"
#include "format/columns.hpp"
#include "format/columns_text.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper::cli {
namespace {

using Form = StatusOptions::Form;

// Long enough for a driver to have counted something new, short enough that nobody minds.
constexpr auto kSecondLook = std::chrono::milliseconds(250);

// The alternate screen, no cursor, and no wrapping: a character that is wider here than in our table spoils its own
// line only. All of it is undone by kLeave, also when the program is suspended.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

bool needs_second_look(const Snapshot& snapshot) {
  return std::ranges::any_of(snapshot.devices, [](const DeviceSnapshot& d) {
    return d.available && std::ranges::any_of(metric_table(), [&](const MetricRow& row) {
             const auto value = row.value(*d.device, d.reading);
             return !value && value.error() == Missing::not_yet_read;
           });
  });
}

// The chosen form of a snapshot, as text.
class Page {
 public:
  Page(const StatusOptions& options, std::vector<ColumnKey> keys, std::span<const Finding> findings,
       const Context& context)
      : options_(options), keys_(std::move(keys)), findings_(findings), context_(context) {}

  /// `height`: rows that a table may fill; 0 for any number.
  std::string text(const Snapshot& snapshot, std::size_t height = 0) {
    if (options_.form == Form::json) return snapshot_json(snapshot, !options_.watch) + "\n";
    if (options_.form == Form::query) return query_lines(snapshot, keys_);
    if (options_.form == Form::csv) return (std::exchange(first_, false) ? csv_header() : "") + csv_rows(snapshot);
    RenderOptions render = render_options(context_);
    render.height = height;
    render.steady = height > 0;
    return render_status(snapshot, findings_, render);
  }

 private:
  const StatusOptions& options_;
  std::vector<ColumnKey> keys_;
  std::span<const Finding> findings_;
  const Context& context_;
  bool first_ = true;
};

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
  Display(Page& page, Context& context, bool drawn) : page_(page), context_(context), drawn_(drawn) {}

  Result<bool> show(const Snapshot& snapshot) {
    if (!drawn_) return context_.out.write(page_.text(snapshot));
    std::string text(std::exchange(entered_, true) ? "" : kEnter);
    text += frame(page_.text(snapshot, context_.screen().height));
    return context_.out.write(text);
  }

  /// The window has another size, or the program is back in the foreground.
  Result<bool> show_again(const Snapshot& snapshot) { return drawn_ ? show(snapshot) : true; }

  /// Gives the terminal back as it was.
  Result<bool> leave() { return std::exchange(entered_, false) ? context_.out.write(kLeave) : true; }

  /// Gives the terminal back with the last page on it.
  Result<bool> leave_behind(const Snapshot& snapshot) {
    return entered_
               ? leave().and_then([&](bool) -> Result<bool>::Base { return context_.out.write(page_.text(snapshot)); })
               : Result<bool>::Base(true);
  }

 private:
  Page& page_;
  Context& context_;
  const bool drawn_;
  bool entered_ = false;
};

Exit watch(const StatusOptions& options, Page& page, Feed& feed, Context& context, Interrupts& interrupts) {
  Display display(page, context, options.form == Form::table && context.screen().terminal);
  const auto ended = [](const Result<bool>& written) -> Exit {
    return written ? Exit(0) : Exit(tl::make_unexpected(written.error()));
  };
  auto due = context.clock.now();
  for (;;) {
    const auto snapshot = select_devices(*feed.next(), options.devices);
    if (!snapshot) {
      static_cast<void>(display.leave());  // the error that follows says more than a second one would
      return tl::make_unexpected(snapshot.error());
    }
    auto written = display.show(*snapshot);
    due = std::max(due + *options.watch, context.clock.now());  // a late page is skipped, not made up for
    for (bool waiting = true; waiting && written && *written;) {
      switch (interrupts.wait_until(due)) {
        case Interrupts::Event::due: waiting = false; break;
        case Interrupts::Event::resized: written = display.show_again(*snapshot); break;
        case Interrupts::Event::stop: return ended(display.leave_behind(*snapshot));
        case Interrupts::Event::suspend:
          written = display.leave();
          interrupts.suspend();
          if (written && *written) written = display.show_again(*snapshot);
          break;
      }
    }
    if (!written || !*written) return ended(written);  // a reader that has gone has had enough
  }
}

}  // namespace

Exit status(const StatusOptions& options, Context& context) {
  if (options.form == Form::schema) return print(context, snapshot_schema());
  std::vector<ColumnKey> keys;
  for (const std::string& name : options.query) {
    const auto key = find_key(name);
    if (!key) return tl::make_unexpected(key.error());
    keys.push_back(*key);
  }
  const auto interrupts = options.watch ? context.interrupts() : nullptr;
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  Page page(options, std::move(keys), (*feed)->findings(), context);
  if (options.watch) return watch(options, page, **feed, context, *interrupts);

  auto snapshot = (*feed)->next();
  if (options.form == Form::table && needs_second_look(*snapshot)) {
    context.clock.sleep_until(context.clock.now() + kSecondLook, {});
    snapshot = (*feed)->next();
  }
  const auto chosen = select_devices(*snapshot, options.devices);
  if (!chosen) return tl::make_unexpected(chosen.error());
  return print(context, page.text(*chosen));
}

}  // namespace gpukeeper::cli
