#include "cli/context.hpp"

namespace gpukeeper::cli {

RenderOptions render_options(const Context& context) {
  const Screen screen = context.screen();
  RenderOptions options;
  options.width = screen.width;
  options.colour = use_colour(context.colour, screen.terminal, context.environment);
  options.utf8 = is_utf8(context.environment);
  options.now = context.clock.wall();
  options.utc_offset = local_offset(options.now);
  return options;
}

RenderOptions render_options(const Context& context, const Feed& feed, const Snapshot& snapshot) {
  RenderOptions options = render_options(context);
  options.from = feed.origin();
  if (!options.from.empty()) options.now = snapshot.taken_at;
  return options;
}

Exit print(Context& context, std::string_view text, int status) {
  const auto written = context.out.write(text);
  if (!written) return tl::make_unexpected(written.error());
  return status;
}

}  // namespace gpukeeper::cli
