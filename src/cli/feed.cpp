#include "cli/feed.hpp"

#include <algorithm>

#include "engine/engine.hpp"

namespace gpukeeper::cli {
namespace {

class EngineFeed final : public Feed {
 public:
  EngineFeed(Sources sources, std::shared_ptr<Clock> clock, const FeedOptions& options)
      : engine_(std::move(sources), std::move(clock),
                {.sampler = {.process_period = options.process_period},
                 .attribute = options.attribute,
                 .who_patience = options.who_patience}) {}

  std::shared_ptr<const Snapshot> next() override { return engine_.step(); }
  std::span<const Finding> findings() const override { return engine_.findings(); }

 private:
  Engine engine_;
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
  auto sources = open_sources(options.sources, clock, {.wake = options.wake, .machine_root = options.machine_root});
  if (!sources) return tl::make_unexpected(sources.error());
  return std::unique_ptr<Feed>(std::make_unique<EngineFeed>(std::move(*sources), std::move(clock), options));
}

}  // namespace gpukeeper::cli
