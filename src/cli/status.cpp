#include "cli/status.hpp"

#include <algorithm>
#include <utility>

#include "cli/status_table.hpp"
#include "cli/watch.hpp"
#include "format/columns.hpp"
#include "format/columns_text.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper::cli {
namespace {

using Form = StatusOptions::Form;

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
  Page(const StatusOptions& options, std::vector<ColumnKey> keys, const Feed& feed, const Context& context)
      : options_(options), keys_(std::move(keys)), feed_(feed), context_(context) {}

  /// `height`: rows that a table may fill; 0 for any number.
  std::string text(const Snapshot& snapshot, std::size_t height = 0) {
    if (options_.form == Form::json) return snapshot_json(snapshot, !options_.watch) + "\n";
    if (options_.form == Form::query) return query_lines(snapshot, keys_);
    if (options_.form == Form::csv) return (std::exchange(first_, false) ? csv_header() : "") + csv_rows(snapshot);
    RenderOptions render = render_options(context_, feed_, snapshot);
    render.height = height;
    render.steady = height > 0;
    return render_status(snapshot, feed_.findings(), render);
  }

 private:
  const StatusOptions& options_;
  std::vector<ColumnKey> keys_;
  const Feed& feed_;
  const Context& context_;
  bool first_ = true;
};

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
  Page page(options, std::move(keys), **feed, context);
  if (options.watch) {
    const auto chosen_page = [&](const Snapshot& snapshot, std::size_t height) -> Result<std::string> {
      const auto chosen = select_devices(snapshot, options.devices);
      if (!chosen) return tl::make_unexpected(chosen.error());
      return page.text(*chosen, height);
    };
    const bool drawn = options.form == Form::table && context.screen().terminal;
    return watch({*options.watch, drawn}, chosen_page, **feed, context, *interrupts);
  }

  const auto snapshot =
      options.form == Form::table ? settled(**feed, context.clock, needs_second_look) : (*feed)->next();
  const auto chosen = select_devices(*snapshot, options.devices);
  if (!chosen) return tl::make_unexpected(chosen.error());
  return print(context, page.text(*chosen));
}

}  // namespace gpukeeper::cli
