#include "cli/record.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/record_sinks.hpp"
#include "config/session_options.hpp"

namespace gpukeeper::cli {
namespace {

std::string counted(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

/// What was recorded.
struct Count {
  std::uint64_t frames = 0;
  std::size_t devices = 0;  ///< the most that were there at once
};

/// Puts tick after tick into the sink, beginning with this one, until the end.
Result<Count> keep(std::shared_ptr<const Snapshot> snapshot, const RecordOptions& options, Session& session, Sink& sink,
                   Context& context, Interrupts& interrupts) {
  const auto end = options.length ? std::optional(context.clock.now() + *options.length) : std::nullopt;
  // A recording has its own pace.
  const auto period =
      options.period || session.replay() ? options.period : std::optional(context.settings.engine.sample_interval);
  Count count;
  for (;;) {
    const auto added = sink.add(*snapshot);
    if (!added) return tl::make_unexpected(added.error());
    ++count.frames;
    count.devices = std::max(count.devices, snapshot->devices.size());
    const auto due = session.next_due(period);
    if (!*added || !due || (end && *due > *end) || !wait_until_due(interrupts, *due)) return count;
    snapshot = session.step();
  }
}

}  // namespace

Exit record(const RecordOptions& options, Context& context) {
  if (const auto form = form_of(options); !form) return tl::make_unexpected(form.error());
  const auto interrupts = context.interrupts();
  const auto recorder = std::make_shared<recording::Recorder>(context.clock);
  auto configured = config::session_options(context.settings, true);
  if (!configured) return tl::make_unexpected(configured.error());
  configured->prepare = [&](Sources& sources, EngineOptions&) -> Result<void> {
    recording::Recorder::listen(recorder, sources.backends, sources.events);
    return {};
  };
  const auto session = context.open_session(std::move(*configured));
  if (!session) return tl::make_unexpected(session.error());

  // Only what can be read makes a file.
  auto first = (*session)->step();
  const auto sink = open_sink(options, recorder, first->host, context.out);
  if (!sink) return tl::make_unexpected(sink.error());
  const auto count = keep(std::move(first), options, **session, **sink, context, *interrupts);
  if (!count) return tl::make_unexpected(count.error());
  if (const auto closed = (*sink)->close(); !closed) return tl::make_unexpected(closed.error());
  const std::string summary = (*sink)->summary();
  if (summary.empty()) return 0;
  return print(context, fmt::format("recorded {} of {}: {}\n", counted(count->frames, "frame"),
                                    counted(count->devices, "GPU"), summary));
}

}  // namespace gpukeeper::cli
