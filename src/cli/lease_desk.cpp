#include "cli/lease_desk.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "booking/book_settings.hpp"
#include "booking/reality_of.hpp"
#include "cli/document.hpp"
#include "cli/leases_page.hpp"
#include "client/daemon.hpp"
#include "client/exchange.hpp"
#include "config/session_options.hpp"
#include "core/display_text.hpp"
#include "engine/open_book.hpp"
#include "engine/playback.hpp"
#include "engine/state_dir.hpp"
#include "format/snapshot_json.hpp"
#include "service/leases_answer.hpp"
#include "service/memory_reclaim.hpp"
#include "service/peer_process.hpp"
#include "service/reclaim_answer.hpp"
#include "service/router.hpp"
#include "service/target.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::string_view kSnapshot = "/api/v1/snapshot";
constexpr auto kLockPatience = 3s;   // other commands hold the ledger for milliseconds
constexpr auto kLockPause = 20ms;    // from try to try
constexpr auto kBeginPatience = 3s;  // a daemon that has just begun grants nothing until it has looked at the GPUs
constexpr auto kBeginPause = 200ms;
constexpr unsigned kUnavailable = 503;
constexpr auto kLook = 1s;            // from look to look of who waits for room
constexpr auto kWhoPatience = 100ms;  // who the processes are takes two looks 20 ms apart

Errc code_of(unsigned status) {
  switch (status) {
    case 400: return Errc::invalid_argument;
    case 401: return Errc::unauthenticated;
    case 403: return Errc::not_permitted;
    case 404: return Errc::not_found;
    case 409: return Errc::resource_exhausted;
    default: return Errc::unavailable;
  }
}

class DaemonDesk final : public LeaseDesk {
 public:
  explicit DaemonDesk(const client::Daemon& daemon)
      : address_(daemon.address()), token_(daemon.token()), trust_(daemon.trust()) {}

  Result<DeskReply> ask(const DeskQuestion& question) override {
    client::Limits limits;
    limits.answer += std::chrono::ceil<std::chrono::milliseconds>(question.patience);
    std::string body = question.body;
    if (question.wait > 0ns) {
      Json json = parse_document(body);
      json["wait_seconds"] = std::chrono::duration<double>(question.wait).count();
      body = dump(json, false);
      limits.answer += std::chrono::ceil<std::chrono::milliseconds>(question.wait);
    }
    const auto until = clock_.now() + kBeginPatience;
    for (;;) {
      const client::Question asked{
          .method = question.method, .target = question.target, .json = body, .token = token_, .trust = trust_.get()};
      auto reply = client::exchange(address_, asked, limits);
      if (!reply) {
        return fail(reply.error().code, fmt::format("the gpukeeper daemon at {}: {}", harmless(address_.to_string()),
                                                    reply.error().message));
      }
      if (reply->status != kUnavailable || clock_.now() >= until) {
        return DeskReply{reply->status, std::move(reply->body)};
      }
      clock_.sleep_until(clock_.now() + kBeginPause, {});
    }
  }
  std::optional<Bytes> observed(const std::string& id, const std::string&) override {
    const auto reply = ask({.method = "GET", .target = "/api/v1/leases/" + id});
    if (!reply || !reply->good()) return std::nullopt;
    const Json document = parse_document(reply->body);
    const Json& leases = list_in(document, "leases");
    const auto bytes = leases.empty() ? std::nullopt : count_in(leases.front(), "observed_bytes");
    return bytes ? std::optional(Bytes(*bytes)) : std::nullopt;
  }
  bool of_daemon() const override { return true; }

 private:
  const ListenAddress address_;
  const std::string token_;
  const std::shared_ptr<const client::Trust> trust_;
  SystemClock clock_;
};

// The ledger of the state directory is opened for each question and closed with it: whoever comes next sees what was
// done, and nobody is kept waiting while a command runs under a lease.
class OwnDesk final : public LeaseDesk {
 public:
  OwnDesk(std::string folder, BookSettings settings, reclaim::ReclaimSettings reclaim, Clock& time)
      : folder_(std::move(folder)), settings_(std::move(settings)), reclaim_(std::move(reclaim)), time_(time) {}

  Result<void> open(Context& context) {
    auto options = config::session_options(context.settings, true);
    if (!options) return tl::make_unexpected(options.error());
    options->engine.who_patience = kWhoPatience;
    options->begin_at_end = true;
    options->prepare = [this](Sources& sources, EngineOptions&) -> Result<void> {
      sources_.machine = sources.machine;
      return {};
    };
    auto session = context.open_session(std::move(*options));
    if (!session) return tl::make_unexpected(session.error());
    session_ = std::move(*session);
    return {};
  }

  Result<DeskReply> ask(const DeskQuestion& question) override {
    const auto until = clock_.now() + question.wait;
    for (;;) {
      auto reply = look_and_answer(question);
      if (!reply || !may_come(*reply) || clock_.now() >= until) return reply;
      clock_.sleep_until(std::min(until, clock_.now() + kLook), {});
    }
  }
  std::optional<Bytes> observed(const std::string& id, const std::string& device) override {
    if (!seen_ || !sources_.machine) return std::nullopt;
    for (const DeviceReality& there : reality_of(*seen_).devices) {
      if (there.id == device && there.processes) return sum_of_ours(*there.processes, id);
    }
    return std::nullopt;
  }
  bool of_daemon() const override { return false; }

 private:
  static std::optional<Bytes> sum_of_ours(const std::vector<ObservedProcess>& processes, const std::string& id) {
    Bytes sum{0};
    for (const ObservedProcess& process : processes) {
      const auto& forebears = process.forebears;
      if (process.elsewhere) return std::nullopt;  // its pid names somebody else here
      const bool descends = std::ranges::find(forebears, ::getpid()) != forebears.end();
      if (!descends && std::to_string(number(process.lease)) != id) continue;
      if (!process.memory) return std::nullopt;
      sum = sum + *process.memory;
    }
    return sum;
  }

  static bool may_come(const DeskReply& reply) {
    return !reply.good() && flag_in(member(parse_document(reply.body), "refusal"), "may_come");
  }

  Result<DeskReply> look_and_answer(const DeskQuestion& question) {
    // Before the lock is taken: drivers take their time.
    const auto snapshot = session_->step();
    seen_ = snapshot;
    if (question.target == kSnapshot) return DeskReply{200, snapshot_json(*snapshot, false)};
    const auto request = request_of(question);
    if (!request) return tl::make_unexpected(request.error());
    const auto directory = claim();
    if (!directory) return tl::make_unexpected(directory.error());
    const auto book = open_book(settings_for(settings_, *snapshot), &*directory, sources_, clock_);
    book->observe(reality_of(*snapshot));
    book->tick();
    const auto answers = std::make_shared<service::LeaseAnswers>(
        service::LeaseDesk{.book = *book, .snapshot = [snapshot] { return snapshot; }, .own_uid = ::geteuid()});
    service::MemoryReclaim reclaim(reclaim_, [&book] { return book.get(); }, {std::shared_ptr<Clock>(), &time_});
    reclaim.open(&*directory, sources_, false);
    const auto giving_back =
        std::make_shared<const service::ReclaimAnswers>(service::ReclaimDesk{.book = *book,
                                                                             .snapshot = [this] { return seen_; },
                                                                             .reclaimer = reclaim.reclaimer(),
                                                                             .holders = reclaim.holders(),
                                                                             .hands = &reclaim.hands(),
                                                                             .own_uid = ::geteuid()});
    auto routes = service::lease_routes([answers] { return answers; });
    for (auto& route : service::reclaim_routes([giving_back] { return giving_back; }))
      routes.push_back(std::move(route));
    const service::Router router(std::move(routes));
    const auto response = reclaim.settle(router.answer(*request), [&] { return look_again(*book); });
    return DeskReply{response.status, response.body ? *response.body : std::string()};
  }

  // A second after the look before.
  std::shared_ptr<const Snapshot> look_again(Bookkeeper& book) {
    time_.sleep_until(seen_->monotonic + kLook, {});
    seen_ = session_->step();
    book.observe(reality_of(*seen_));
    book.tick();
    return seen_;
  }

  static Result<service::Request> request_of(const DeskQuestion& question) {
    auto target = service::parse_target(question.target);
    if (!target) return tl::make_unexpected(target.error());
    service::Request request;
    request.method = question.method;
    request.target = question.target;
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    request.body = question.body;
    request.peer = service::this_process();
    request.who = {.role = auth::Role::admin, .name = "this command", .known = true};  // the ledger is its own
    return request;
  }

  Result<StateDirectory> claim() const {
    const auto until = clock_.now() + kLockPatience;
    for (;;) {
      auto directory = StateDirectory::claim(folder_);
      if (directory || directory.error().code != Errc::unavailable) return directory;
      if (clock_.now() >= until) {
        return fail(Errc::unavailable,
                    fmt::format("{}; if that is 'gpukeeper serve', say with --host where it listens, as it keeps the "
                                "ledger",
                                directory.error().message));
      }
      clock_.sleep_until(clock_.now() + kLockPause, {});
    }
  }

  const std::string folder_;
  const BookSettings settings_;
  const reclaim::ReclaimSettings reclaim_;
  Clock& time_;                // of the devices
  mutable SystemClock clock_;  // leases live by real time, whatever is played
  Sources sources_;            // only the machine of it: whether it is a real one
  std::unique_ptr<Session> session_;
  std::shared_ptr<const Snapshot> seen_;  // the latest; null before the first
};

Result<std::unique_ptr<LeaseDesk>> open_own_desk(Context& context) {
  auto folder = context.settings.state_dir ? Result<std::string>(*context.settings.state_dir)
                                           : StateDirectory::usual_path(context.environment, ::geteuid() == 0);
  if (!folder) return tl::make_unexpected(folder.error());
  auto desk =
      std::make_unique<OwnDesk>(std::move(*folder), context.settings.book, context.settings.reclaim, context.clock);
  if (auto opened = desk->open(context); !opened) return tl::make_unexpected(opened.error());
  return std::unique_ptr<LeaseDesk>(std::move(desk));
}

}  // namespace

Error DeskReply::error(std::size_t width, bool utf8) const {
  return {code_of(status), render_refusal(body, width, utf8)};
}

Result<std::unique_ptr<LeaseDesk>> open_desk(const DeskOptions& options, Context& context) {
  if (options.sources.empty() || !options.daemon.empty()) {
    const auto daemon = client::Daemon::find(options.daemon, context.environment);
    if (daemon) return std::unique_ptr<LeaseDesk>(std::make_unique<DaemonDesk>(*daemon));
    const bool named = client::Daemon::is_named(options.daemon, context.environment);
    if (daemon.error().code != Errc::not_found || named) {
      return tl::make_unexpected(daemon.error());
    }
  }
  return open_own_desk(context);
}

Result<std::string> ask(LeaseDesk& desk, const DeskQuestion& question, const Context& context) {
  auto reply = desk.ask(question);
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->good()) return std::move(reply->body);
  return tl::make_unexpected(reply->error(context.screen().width, is_utf8(context.environment)));
}

}  // namespace gpukeeper::cli
