#include "cli/ps.hpp"

#include <algorithm>
#include <utility>

#include "cli/ps_table.hpp"
#include "cli/watch.hpp"
#include "format/columns.hpp"
#include "format/process_list_text.hpp"

namespace gpukeeper::cli {
namespace {

using Form = PsOptions::Form;

// The chosen form of a snapshot, as text.
class Page {
 public:
  Page(const PsOptions& options, const Feed& feed, const Context& context)
      : options_(options), feed_(feed), context_(context) {}

  Result<std::string> text(const Snapshot& whole, std::size_t height) {
    const auto snapshot = select_devices(whole, options_.devices);
    if (!snapshot) return tl::make_unexpected(snapshot.error());
    if (options_.form == Form::table) {
      RenderOptions render = render_options(context_, feed_, *snapshot);
      render.height = height;
      return render_ps(*snapshot, feed_.findings(), options_, render);
    }
    const auto rows = chosen(*snapshot);
    if (options_.form == Form::json) return processes_json(*snapshot, rows, !options_.watch) + '\n';
    return (std::exchange(first_, false) ? processes_csv_header() : "") + processes_csv(rows);
  }

 private:
  std::vector<ProcessRow> chosen(const Snapshot& snapshot) const {
    auto rows = process_rows(snapshot);
    std::erase_if(rows, [&](const ProcessRow& row) { return !options_.filter.holds(row); });
    if (options_.order) sort_processes(rows, *options_.order, options_.reversed);
    return rows;
  }

  const PsOptions& options_;
  const Feed& feed_;
  const Context& context_;
  bool first_ = true;
};

}  // namespace

Exit ps(const PsOptions& options, Context& context) {
  const auto interrupts = options.watch ? context.interrupts() : nullptr;
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  Page page(options, **feed, context);
  if (options.watch) {
    const bool drawn = options.form == Form::table && context.screen().terminal;
    const auto make = [&](const Snapshot& snapshot, std::size_t height) { return page.text(snapshot, height); };
    return watch({*options.watch, drawn}, make, **feed, context, *interrupts);
  }
  const auto snapshot =
      options.form == Form::table ? settled(**feed, context.clock, lacks_process_rates) : (*feed)->next();
  const auto text = page.text(*snapshot, 0);
  if (!text) return tl::make_unexpected(text.error());
  return print(context, *text);
}

}  // namespace gpukeeper::cli
