#include "cli/lease_desk.hpp"

#include <chrono>
#include <utility>

#include <unistd.h>

#include "cli/leases_page.hpp"
#include "client/daemon.hpp"
#include "config/session_options.hpp"
#include "desk/daemon_desk.hpp"
#include "desk/own_book.hpp"
#include "desk/own_desk.hpp"
#include "engine/playback.hpp"
#include "engine/state_dir.hpp"

namespace gpukeeper::cli {
namespace {

constexpr auto kWhoPatience = std::chrono::milliseconds(100);  // who the processes are takes two looks 20 ms apart

// A desk over a session of its own: the ledger is opened for each question and closed with it, so that nobody is kept
// waiting while a command runs under a lease.
class CommandDesk final : public LeaseDesk {
 public:
  static Result<std::unique_ptr<LeaseDesk>> open(Context& context) {
    auto folder = context.settings.state_dir ? Result<std::string>(*context.settings.state_dir)
                                             : StateDirectory::usual_path(context.environment, ::geteuid() == 0);
    if (!folder) return tl::make_unexpected(folder.error());
    auto options = config::session_options(context.settings, true);
    if (!options) return tl::make_unexpected(options.error());
    desk::OwnBook::Place place{.folder = std::move(*folder), .machine = nullptr};
    options->engine.who_patience = kWhoPatience;
    options->begin_at_end = true;
    options->prepare = [&place](Sources& sources, EngineOptions&) -> Result<void> {
      place.machine = sources.machine;
      return {};
    };
    auto session = context.open_session(std::move(*options));
    if (!session) return tl::make_unexpected(session.error());
    return std::unique_ptr<LeaseDesk>(new CommandDesk(std::move(*session), std::move(place), context));
  }

  Result<DeskReply> ask(const DeskQuestion& question) override { return desk_.ask(question); }
  std::optional<Bytes> observed(const std::string& id, const std::string& device) override {
    return desk_.observed(id, device);
  }
  bool of_daemon() const override { return false; }

 private:
  CommandDesk(std::unique_ptr<Session> session, desk::OwnBook::Place place, const Context& context)
      : session_(std::move(session)),
        book_(std::move(place), context.settings.book, clock_),
        desk_(
            book_, context.settings.reclaim, [this] { return session_->step(); }, context.clock) {}

  SystemClock clock_;  // leases live by real time, whatever is played
  const std::unique_ptr<Session> session_;
  desk::OwnBook book_;
  desk::OwnDesk desk_;
};

}  // namespace

Error refusal_of(const DeskReply& reply, std::size_t width, bool utf8) {
  return {desk::code_of(reply.status), render_refusal(reply.body, width, utf8)};
}

Result<std::unique_ptr<LeaseDesk>> open_desk(const DeskOptions& options, Context& context) {
  if (options.sources.empty() || !options.daemon.empty()) {
    const auto daemon = client::Daemon::find(options.daemon, context.environment);
    if (daemon) return std::unique_ptr<LeaseDesk>(std::make_unique<desk::DaemonDesk>(*daemon));
    const bool named = client::Daemon::is_named(options.daemon, context.environment);
    if (daemon.error().code != Errc::not_found || named) {
      return tl::make_unexpected(daemon.error());
    }
  }
  return CommandDesk::open(context);
}

Result<std::string> ask(LeaseDesk& desk, const DeskQuestion& question, const Context& context) {
  auto reply = desk.ask(question);
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->good()) return std::move(reply->body);
  return tl::make_unexpected(refusal_of(*reply, context.screen().width, is_utf8(context.environment)));
}

}  // namespace gpukeeper::cli
