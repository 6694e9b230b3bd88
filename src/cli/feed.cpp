#include "cli/feed.hpp"

#include <algorithm>

#include "config/session_options.hpp"
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
  auto configured = config::session_options(options.settings, options.attribute);
  if (!configured) return tl::make_unexpected(configured.error());
  configured->detect.wake = options.wake;
  configured->detect.machine_root = options.machine_root;
  configured->engine.sampler.process_period = options.process_period;
  configured->engine.who_patience = options.who_patience;
  configured->engine.wait_for_cpu_shares = options.wait_for_cpu_shares;
  configured->at = options.at;
  configured->begin_at_end = !options.goes_on;
  configured->prepare = [&options](Sources& sources, EngineOptions&) -> Result<void> {
    options.prepare(sources);
    return {};
  };
  auto session = Session::open(options.sources, std::move(clock), std::move(*configured));
  if (!session) return tl::make_unexpected(session.error());
  return std::unique_ptr<Feed>(std::make_unique<SessionFeed>(std::move(*session)));
}

}  // namespace gpukeeper::cli
