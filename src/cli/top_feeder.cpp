#include "cli/top_feeder.hpp"

#include <thread>
#include <utility>

#include "cli/daemon_feed.hpp"
#include "cli/top_board.hpp"
#include "cli/top_daemon.hpp"
#include "cli/top_session.hpp"

namespace gpukeeper::cli {
namespace {

class TopFeeder final : public top::Feeder {
 public:
  TopFeeder(TopOptions options, Context& context) : options_(std::move(options)), context_(context) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  int descriptor() const override { return board_.descriptor(); }
  top::News news() override { return board_.news(); }
  void need(const top::Needs& needs) override { board_.need(needs); }
  void play(const top::PlayWish& wish) override { board_.wish(wish); }
  void act(const top::Deed& deed) override { board_.wish(deed); }

 private:
  void run(const std::stop_token& stop) {
    if (options_.asks) {
      auto feed = open_daemon_feed({.follows = true,
                                    .host = options_.daemon,
                                    .environment = context_.environment,
                                    .remark = [this](std::string_view why) { board_.reply(false, std::string(why)); },
                                    .changed = [this] { changed(); }});
      if (!feed) return board_.tell([&](top::News& news) { news.failed = feed.error(); });
      if (*feed) return follow(**feed, stop);
    }
    feed_from_session(board_, options_.devices, context_, stop);
  }

  void follow(Feed& feed, const std::stop_token& stop) {
    {
      std::scoped_lock lock(mutex_);
      feed_ = &feed;
    }
    changed();
    ask_daemon_for_view(board_, options_.daemon, context_, stop);
    std::scoped_lock lock(mutex_);
    feed_ = nullptr;
  }

  // On the thread of the daemon's feed, which may call before it is known here, and until it is gone.
  void changed() {
    std::scoped_lock lock(mutex_);
    if (feed_ != nullptr) take_snapshot(board_, options_.devices, *feed_);
  }

  const TopOptions options_;
  Context& context_;
  TopBoard board_;
  std::mutex mutex_;
  Feed* feed_ = nullptr;  // guarded by mutex_
  std::jthread thread_;   // last: it uses all of these
};

}  // namespace

std::unique_ptr<top::Feeder> make_top_feeder(const TopOptions& options, Context& context) {
  return std::make_unique<TopFeeder>(options, context);
}

}  // namespace gpukeeper::cli
