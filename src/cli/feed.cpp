#include "cli/feed.hpp"

#include <algorithm>

#include "engine/playback.hpp"

namespace gpukeeper::cli {
namespace {

class SessionFeed final : public Feed {
 public:
  explicit SessionFeed(std::unique_ptr<Session> session) : session_(std::move(session)) {}

  std::shared_ptr<const Snapshot> next() override { return session_->step(); }
  bool ended() override { return session_->ended(); }
  std::span<const Finding> findings() const override { return session_->findings(); }

 private:
  const std::unique_ptr<Session> session_;
};

// Long enough for a driver to have counted something new, short enough that nobody minds.
constexpr auto kSecondLook = std::chrono::milliseconds(250);

}  // namespace

std::shared_ptr<const Snapshot> settled(Feed& feed, Clock& clock, bool (*unsettled)(const Snapshot&)) {
  auto snapshot = feed.next();
  if (!unsettled(*snapshot)) return snapshot;
  clock.sleep_until(clock.now() + kSecondLook, {});
  return feed.next();
}

bool lacks_process_rates(const Snapshot& snapshot) {
  return std::ranges::any_of(snapshot.devices, [](const DeviceSnapshot& d) {
    return std::ranges::any_of(*d.processes, [](const GpuProcess& process) {
      return !process.utilization && process.utilization.error() == Missing::not_yet_read;
    });
  });
}

Result<std::unique_ptr<Feed>> open_feed(const FeedOptions& options, std::shared_ptr<Clock> clock) {
  std::shared_ptr<const Classifier> classifier;  // null: the built-in rules
  if (options.attribute && !options.rules.empty()) {
    auto loaded = Classifier::load(options.rules);
    if (!loaded) return tl::make_unexpected(loaded.error());
    classifier = std::make_shared<const Classifier>(std::move(*loaded));
  }
  auto session = Session::open(options.sources, std::move(clock),
                               {.detect = {.wake = options.wake, .machine_root = options.machine_root},
                                .engine = {.sampler = {.process_period = options.process_period},
                                           .attribute = options.attribute,
                                           .who_patience = options.who_patience,
                                           .classifier = std::move(classifier),
                                           .governor = options.settings.governor,
                                           .andon = options.settings.andon},
                                .at = options.at,
                                .begin_at_end = !options.goes_on,
                                .prepare = [&options](Sources& sources, EngineOptions&) -> Result<void> {
                                  options.prepare(sources);
                                  return {};
                                }});
  if (!session) return tl::make_unexpected(session.error());
  return std::unique_ptr<Feed>(std::make_unique<SessionFeed>(std::move(*session)));
}

}  // namespace gpukeeper::cli
