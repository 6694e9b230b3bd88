#include "cli/top_daemon.hpp"

#include <utility>

#include <fmt/format.h>

#include "cli/past_of_daemon.hpp"
#include "cli/top_session.hpp"
#include "client/daemon.hpp"
#include "format/bounded_json.hpp"
#include "format/json_object.hpp"
#include "top/lease_book.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using client::Daemon;
using Steady = std::chrono::steady_clock;

constexpr auto kLeasesAge = 2s;
constexpr auto kRoleAge = 60s;
constexpr auto kAgain = 3s;  // after it could not be found
constexpr client::Limits kLimits{.connect = 2s, .answer = 5s};

// What is asked beside the snapshots, one question after the other.
class Questions {
 public:
  Questions(TopBoard& board, std::string named, Context& context)
      : board_(board), named_(std::move(named)), context_(context) {}

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const top::Needs needs = board_.needs();
      while (const auto deed = board_.next_deed()) act(*deed);
      while (board_.next_wish()) board_.reply(false, "only a recording can be moved in");
      const auto now = Steady::now();
      if (now >= role_due_) ask_role();
      if (needs.leases && now >= leases_due_) ask_leases();
      if (needs.past && (needs != asked_ || now >= past_due_)) ask_past(needs);
      board_.wait(next_due(needs), needs, stop);
    }
  }

 private:
  Result<std::string> ask(std::string_view method, const std::string& target, const std::string& body = {}) {
    if (!daemon_) {
      auto found = Daemon::find(named_, context_.environment, kLimits);
      if (!found) return tl::make_unexpected(found.error());
      daemon_ = std::move(*found);
    }
    auto answer = daemon_->ask(method, target, body);
    if (!answer && answer.error().code == Errc::not_found && !answer.error().message.empty()) daemon_.reset();
    return answer;
  }

  Steady::time_point next_due(const top::Needs& needs) const {
    auto due = std::min(role_due_, leases_due_);
    if (needs.past) due = std::min(due, past_due_);
    return due;
  }

  // Daemons of older releases do not tell it: then what they refuse is said in their words.
  void ask_role() {
    const auto answer = ask("GET", "/api/v1/whoami");
    role_due_ = Steady::now() + (answer ? std::chrono::seconds(kRoleAge) : std::chrono::seconds(kAgain));
    top::May may = top::May::all;
    if (answer) {
      const Json document = parse_bounded(*answer);
      const std::string role = JsonObject(document).text("role");
      may = role == "admin" ? top::May::all : role == "operator" ? top::May::operate : top::May::look;
    } else if (answer.error().code != Errc::not_found) {
      return;
    }
    board_.tell([&](top::News& news) { news.may = may; });
  }

  void ask_leases() {
    const auto answer = ask("GET", "/api/v1/leases");
    leases_due_ = Steady::now() + (answer ? std::chrono::seconds(kLeasesAge) : std::chrono::seconds(kAgain));
    auto book = answer ? top::parse_lease_book(*answer) : Result<top::LeaseBook>(tl::make_unexpected(answer.error()));
    board_.tell([&](top::News& news) {
      if (book) news.leases = std::make_shared<const top::LeaseBook>(std::move(*book));
      news.leases_reason = book ? std::string() : book.error().message;
    });
  }

  void ask_past(const top::Needs& needs) {
    asked_ = needs;
    const auto step = std::max<std::chrono::milliseconds>(
        std::chrono::milliseconds(needs.range) / static_cast<int>(needs.buckets), 1s);
    const auto answer = ask(
        "GET",
        target_of("/api/v1/history", {{"device", needs.device},
                                      {"since", fmt::format("{}s", needs.range.count())},
                                      {"step", fmt::format("{:.3f}s", std::chrono::duration<double>(step).count())}}));
    past_due_ = Steady::now() + std::max<std::chrono::milliseconds>(step, answer ? 1s : kAgain);
    auto view = answer ? parse_history(*answer) : Result<HistoryView>(tl::make_unexpected(answer.error()));
    board_.tell([&](top::News& news) {
      if (view) news.past = std::make_shared<const HistoryView>(std::move(*view));
      news.past_reason = view ? std::string() : view.error().message;
    });
  }

  void act(const top::Deed& deed) {
    if (deed.kind == top::Deed::Kind::signal) {
      const auto sent = send_signal(deed, context_.files);
      return board_.reply(sent.has_value(), sent ? deed.done : sent.error().message);
    }
    const auto answer = ask(deed.method, deed.target, deed.body);
    board_.reply(answer.has_value(), answer ? deed.done : answer.error().message);
    leases_due_ = {};  // what was done is to be seen
  }

  TopBoard& board_;
  const std::string named_;
  Context& context_;
  std::optional<Daemon> daemon_;
  Steady::time_point role_due_{}, leases_due_{}, past_due_{};
  top::Needs asked_;
};

}  // namespace

void take_snapshot(TopBoard& board, const std::vector<std::string>& devices, Feed& feed) {
  const auto snapshot = feed.next();
  const std::string trouble = feed.trouble();
  const std::string origin = feed.origin();
  const auto now = Steady::now();
  board.tell_snapshot(snapshot, devices, [&](top::News& news, const std::shared_ptr<const Snapshot>& chosen) {
    const bool fresh = !news.snapshot || news.snapshot->sequence != snapshot->sequence ||
                       news.snapshot->taken_at != snapshot->taken_at;
    if (fresh && snapshot->sequence > 0) {
      news.snapshot = chosen;
      news.came = now;
    }
    news.way = top::Way::daemon;
    news.here = origin.empty();
    news.origin = origin;
    news.trouble = trouble;
  });
}

void ask_daemon_for_view(TopBoard& board, const std::string& named, Context& context, const std::stop_token& stop) {
  Questions(board, named, context).run(stop);
}

}  // namespace gpukeeper::cli
