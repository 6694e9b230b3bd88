#include "cli/feed.hpp"

#include <array>

#include <unistd.h>

#include "telemetry/sampler.hpp"

namespace gpukeeper::cli {
namespace {

std::string host_name() {
  std::array<char, 256> name{};  // POSIX: at most 255 bytes
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

SamplerOptions sampler_options(const FeedOptions& feed) {
  SamplerOptions options;
  options.host = host_name();
  options.process_period = feed.process_period;
  return options;
}

class SampledFeed final : public Feed {
 public:
  SampledFeed(Sources sources, std::shared_ptr<Clock> clock, const FeedOptions& options)
      : clock_(std::move(clock)),
        findings_(std::move(sources.findings)),
        sampler_(std::move(sources.backends), *clock_, runner_, published_, sampler_options(options)) {}

  std::shared_ptr<const Snapshot> next() override {
    sampler_.tick();
    return published_.read();
  }
  std::span<const Finding> findings() const override { return findings_; }

 private:
  std::shared_ptr<Clock> clock_;
  std::vector<Finding> findings_;
  ThreadRunner runner_;
  Published<Snapshot> published_;
  Sampler sampler_;
};

}  // namespace

Result<std::unique_ptr<Feed>> open_feed(const FeedOptions& options, std::shared_ptr<Clock> clock) {
  auto sources = open_sources(options.sources, clock, {.wake = options.wake});
  if (!sources) return tl::make_unexpected(sources.error());
  return std::unique_ptr<Feed>(std::make_unique<SampledFeed>(std::move(*sources), std::move(clock), options));
}

}  // namespace gpukeeper::cli
