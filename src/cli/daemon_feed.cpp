#include "cli/daemon_feed.hpp"

#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/display_text.hpp"
#include "format/snapshot_reader.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using client::Daemon;

constexpr std::string_view kTarget = "/api/v1/snapshot";
constexpr client::Limits kLimits{.connect = 2s, .answer = 5s};
constexpr auto kBeginPatience = 3s;  // a daemon that has just begun has no snapshot yet
constexpr auto kBeginPause = 200ms;

class DaemonFeed final : public Feed {
 public:
  explicit DaemonFeed(Daemon daemon) : daemon_(std::move(daemon)) {}

  /// Takes the first snapshot, which next() gives.
  Result<void> begin() {
    SystemClock clock;
    const auto until = clock.now() + kBeginPatience;
    for (;;) {
      auto asked = ask();
      if (asked || asked.error().code != Errc::unavailable || clock.now() >= until) {
        fresh_ = asked.has_value();
        return asked;
      }
      clock.sleep_until(clock.now() + kBeginPause, {});
    }
  }

  std::shared_ptr<const Snapshot> next() override {
    if (std::exchange(fresh_, false)) return latest_;
    const auto asked = ask();
    trouble_ = asked ? std::string() : asked.error().message;
    return latest_;
  }
  std::string origin() const override {
    return daemon_.address().is_local() ? std::string() : daemon_.address().to_string();
  }
  std::string trouble() const override { return trouble_; }
  std::span<const Finding> findings() const override { return {}; }

 private:
  Result<void> ask() {
    const auto document = daemon_.get(kTarget, etag_);
    if (!document) return tl::make_unexpected(document.error());
    if (!*document) return {};  // it is still the one that is here
    auto snapshot = parse_snapshot((*document)->body);
    if (!snapshot) {
      return fail(Errc::internal, fmt::format("the gpukeeper daemon at {}: its answer {}",
                                              harmless(daemon_.address().to_string()), snapshot.error().message));
    }
    latest_ = std::make_shared<const Snapshot>(std::move(*snapshot));
    etag_ = (*document)->etag;
    return {};
  }

  const Daemon daemon_;
  std::shared_ptr<const Snapshot> latest_ = std::make_shared<const Snapshot>();
  std::string etag_;  // of `latest_`
  std::string trouble_;
  bool fresh_ = false;  // nobody has had `latest_` yet
};

// Over a unix socket the daemon knows who asks: what it shows is what it lets this user see.
std::vector<ListenAddress> usual_sockets(const Daemon::Variable& environment) {
  auto addresses = client::usual_addresses(environment, ::geteuid());
  std::erase_if(addresses, [](const ListenAddress& address) { return !address.is_unix(); });
  return addresses;
}

// Nobody there, or nobody for us: that is how most machines are, and no news.
bool is_no_news(const Error& error) {
  return error.code == Errc::not_found || error.code == Errc::not_permitted;
}

}  // namespace

Result<std::unique_ptr<Feed>> open_daemon_feed(const DaemonFeedOptions& options) {
  const bool named = Daemon::is_named(options.host, options.environment);
  auto daemon = named ? Daemon::find(options.host, options.environment, kLimits)
                      : Daemon::find(usual_sockets(options.environment), kLimits);
  Result<void> begun;
  if (daemon) {
    auto feed = std::make_unique<DaemonFeed>(std::move(*daemon));
    begun = feed->begin();
    if (begun) return std::unique_ptr<Feed>(std::move(feed));
  }
  const Error& error = daemon ? begun.error() : daemon.error();
  if (named) return tl::make_unexpected(error);
  if (!is_no_news(error)) options.remark(error.message + "; the GPUs are looked at without it");
  return std::unique_ptr<Feed>();
}

}  // namespace gpukeeper::cli
