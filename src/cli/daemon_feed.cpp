#include "cli/daemon_feed.hpp"

#include <mutex>
#include <stop_token>
#include <thread>
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
constexpr std::string_view kEvents = "/api/v1/events/stream?types=snapshot";
constexpr client::Limits kLimits{.connect = 2s, .answer = 5s};
constexpr auto kBeginPatience = 3s;  // a daemon that has just begun has no snapshot yet
constexpr auto kBeginPause = 200ms;
constexpr auto kPause = 1s;  // from question to question, where the daemon tells nothing by itself

// A daemon's snapshots, one question after the other.
class Questions {
 public:
  explicit Questions(Daemon daemon) : daemon_(std::move(daemon)) {}

  const Daemon& daemon() const { return daemon_; }
  const std::shared_ptr<const Snapshot>& latest() const { return latest_; }

  /// Waits for the first snapshot.
  Result<void> begin() {
    SystemClock clock;
    const auto until = clock.now() + kBeginPatience;
    for (;;) {
      auto asked = ask();
      if (asked || asked.error().code != Errc::unavailable || clock.now() >= until) return asked;
      clock.sleep_until(clock.now() + kBeginPause, {});
    }
  }

  Result<void> ask() {
    auto document = daemon_.get(kTarget, etag_);
    if (!document) return tl::make_unexpected(document.error());
    if (!*document) return {};  // it is still the one that is here
    auto taken = take(parse_snapshot((*document)->body));
    if (taken) etag_ = std::move((*document)->etag);
    return taken;
  }

  Result<void> take(Result<Snapshot> snapshot) {
    if (snapshot) {
      latest_ = std::make_shared<const Snapshot>(std::move(*snapshot));
      return {};
    }
    return fail(Errc::internal, fmt::format("the gpukeeper daemon at {}: its answer {}",
                                            harmless(daemon_.address().to_string()), snapshot.error().message));
  }

 private:
  Daemon daemon_;
  std::shared_ptr<const Snapshot> latest_ = std::make_shared<const Snapshot>();
  std::string etag_;  // of `latest_`
};

std::string origin_of(const Daemon& daemon) {
  return daemon.address().is_local() ? std::string() : daemon.address().to_string();
}

class AskingFeed final : public Feed {
 public:
  explicit AskingFeed(Questions begun) : questions_(std::move(begun)) {}

  std::shared_ptr<const Snapshot> next() override {
    if (std::exchange(fresh_, false)) return questions_.latest();
    const auto asked = questions_.ask();
    trouble_ = asked ? std::string() : asked.error().message;
    return questions_.latest();
  }
  std::string origin() const override { return origin_of(questions_.daemon()); }
  std::string trouble() const override { return trouble_; }
  std::span<const Finding> findings() const override { return {}; }

 private:
  Questions questions_;
  bool fresh_ = true;  // nobody has had the first one yet
  std::string trouble_;
};

// Never keeps its caller waiting, so that Ctrl-C ends a watch at once, whatever the daemon does.
class FollowingFeed final : public Feed {
 public:
  FollowingFeed(Questions begun, std::function<void()> changed)
      : changed_(std::move(changed)),
        origin_(origin_of(begun.daemon())),
        latest_(begun.latest()),
        thread_([this, questions = std::make_shared<Questions>(std::move(begun))](std::stop_token stop) {
          run(*questions, stop);
        }) {}

  std::shared_ptr<const Snapshot> next() override {
    std::scoped_lock lock(mutex_);
    return latest_;
  }
  std::string origin() const override { return origin_; }
  std::string trouble() const override {
    std::scoped_lock lock(mutex_);
    return trouble_;
  }
  std::span<const Finding> findings() const override { return {}; }

 private:
  void run(Questions& questions, const std::stop_token& stop) {
    SystemClock clock;
    bool has_events = true;
    while (!stop.stop_requested()) {
      auto ended = has_events ? follow(questions, stop) : questions.ask();
      if (stop.stop_requested()) return;
      const bool no_such =
          !ended && (ended.error().code == Errc::not_found || ended.error().code == Errc::not_supported);
      if (std::exchange(has_events, !no_such) && no_such) continue;  // no stream; or nobody, as the question will say
      note(questions, ended);
      clock.sleep_until(clock.now() + kPause, stop);
    }
  }

  Result<void> follow(Questions& questions, const std::stop_token& stop) {
    Result<void> taken;
    const auto followed = questions.daemon().follow(kEvents, stop, [&](const client::StreamEvent& event) {
      if (event.type != "snapshot") return true;  // it skipped some of them: what counts is the next
      taken = questions.take(parse_snapshot_event(event.data));
      note(questions, taken);
      return taken.has_value();
    });
    return taken ? followed : taken;
  }

  void note(const Questions& questions, const Result<void>& asked) {
    {
      std::scoped_lock lock(mutex_);
      latest_ = questions.latest();
      trouble_ = asked ? std::string() : asked.error().message;
    }
    changed_();
  }

  const std::function<void()> changed_;
  const std::string origin_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> latest_;  // guarded by mutex_, as is what follows
  std::string trouble_;
  std::jthread thread_;  // last: it uses all of these
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
    Questions questions(std::move(*daemon));
    begun = questions.begin();
    if (begun && options.follows) {
      return std::unique_ptr<Feed>(std::make_unique<FollowingFeed>(std::move(questions), options.changed));
    }
    if (begun) return std::unique_ptr<Feed>(std::make_unique<AskingFeed>(std::move(questions)));
  }
  const Error& error = daemon ? begun.error() : daemon.error();
  if (named) return tl::make_unexpected(error);
  if (!is_no_news(error)) options.remark(error.message + "; the GPUs are looked at without it");
  return std::unique_ptr<Feed>();
}

}  // namespace gpukeeper::cli
