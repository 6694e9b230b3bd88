#include "cli/sink_trial.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/log_target.hpp"
#include "core/nearest.hpp"
#include "sinks/real_sink_world.hpp"
#include "sinks/try_sink.hpp"

namespace gpukeeper::cli {
namespace {

Error unknown(const std::string& name, const SinkList& sinks) {
  if (sinks.empty()) {
    return {Errc::not_found, "no sinks are configured: docs/sinks.md shows how, and --config names another file"};
  }
  std::vector<std::string_view> names;
  for (const SinkSettings& sink : sinks) names.push_back(sink.name);
  const auto meant = nearest(name, names);
  return {Errc::not_found, fmt::format("there is no sink '{}': {}", fit(harmless(name), 64),
                                       meant.empty() ? fmt::format("the configuration has {}", fmt::join(names, ", "))
                                                     : fmt::format("did you mean {}?", meant))};
}

}  // namespace

Exit try_sink_of(const std::string& name, const SinkWorld& world, Context& context) {
  const SinkList& sinks = context.settings.sinks;
  const auto sink = std::ranges::find(sinks, name, &SinkSettings::name);
  if (sink == sinks.end()) return tl::make_unexpected(unknown(name, sinks));
  const auto answer = try_sink(*sink, world);
  if (!answer) {
    return fail(answer.error().code == Errc::invalid_argument ? Errc::unavailable : answer.error().code,
                fmt::format("the test did not arrive at the sink {}: {}", name, answer.error().message));
  }
  return print(context, fmt::format("the test has arrived at the sink {}: {}{}\n", name, *answer,
                                    sink->enabled ? "" : "; it is not enabled, so that 'serve' sends it nothing"));
}

Exit try_sink_of(const std::string& name, Context& context) {
  auto target = open_log_target({});
  if (!target) return tl::make_unexpected(target.error());
  const SystemClock clock;
  Log log(clock, std::move(*target));
  const RealSinkWorld world(log, context.environment);
  return try_sink_of(name, world.world(), context);
}

}  // namespace gpukeeper::cli
