#include "cli/top.hpp"

#include <fmt/format.h>

#include "cli/top_feeder.hpp"
#include "core/display_text.hpp"
#include "top/app.hpp"
#include "top/screen.hpp"
#include "top/theme.hpp"

namespace gpukeeper::cli {
namespace {

top::AppOptions app_options(const TopOptions& options, const std::optional<std::string>& path, const Context& context) {
  top::AppOptions app;
  if (path) app.preferences = top::load_preferences(*path, app.remarks);
  if (!options.theme.empty()) app.preferences.theme = options.theme;
  if (options.ascii || !is_utf8(context.environment)) app.preferences.ascii = true;
  app.utc_offset = local_offset;
  return app;
}

// What was said for this time only is not kept.
void keep(const std::string& path, const top::Preferences& left, const top::AppOptions& begun,
          const TopOptions& options, const Context& context) {
  std::vector<std::string> troubles;
  const top::Preferences saved = top::load_preferences(path, troubles);
  top::Preferences preferences = left;
  if (!options.theme.empty() && left.theme == begun.preferences.theme) preferences.theme = saved.theme;
  if (left.ascii == begun.preferences.ascii) preferences.ascii = saved.ascii;
  if (preferences == saved) return;  // a file that somebody wrote by hand stays as it is
  if (const auto written = top::save_preferences(path, preferences); !written) context.remark(written.error().message);
}

}  // namespace

Exit top(const TopOptions& options, Context& context) {
  const auto path = top::preferences_path(context.environment);
  const top::AppOptions app = app_options(options, path, context);
  const bool colour = use_colour(context.colour, true, context.environment);
  auto screen = top::open_screen({.term = context.environment("TERM").value_or(""),
                                  .colour = colour,
                                  .utf8 = !app.preferences.ascii,
                                  .mouse = app.preferences.mouse});
  if (!screen) return tl::make_unexpected(screen.error());
  Result<top::Preferences> left = [&] {
    const auto feeder = make_top_feeder(options, context);
    const SystemClock clock;
    auto ended = top::run(app, *feeder, **screen, clock);
    screen->reset();  // the terminal is given back at once, however long a thread takes to end
    return ended;
  }();
  if (!left) return tl::make_unexpected(left.error());
  if (path) keep(*path, *left, app, options, context);
  return 0;
}

}  // namespace gpukeeper::cli
