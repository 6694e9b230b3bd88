#include "cli/top_session.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "actuators/process_freezer.hpp"
#include "config/session_options.hpp"
#include "core/playback_clock.hpp"
#include "core/text.hpp"
#include "engine/playback.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using Steady = std::chrono::steady_clock;
using top::PlayWish;

constexpr auto kProcessPeriod = 3s;  // a watch needs no new process list every second: they cost a driver most
constexpr auto kSecondLook = 250ms;  // what needs two looks is known soon
constexpr auto kLeastGap = 50ms;     // from picture to picture: nobody sees more, however fast time is played
constexpr auto kPastAge = 1s;        // the history is read anew so often, while somebody looks at it
constexpr double kSpeeds[] = {0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600};
constexpr auto kWorthStepping = 600s;  // longer ways are jumped

// One session, live or played, and the time in which it is shown.
class SessionFeeder {
 public:
  SessionFeeder(TopBoard& board, const std::vector<std::string>& devices, Context& context)
      : board_(board), devices_(devices), context_(context), playback_(dynamic_cast<PlaybackClock*>(&context.clock)) {
    if (playback_ != nullptr) speed_ = playback_->speed().value_or(kSpeeds[std::size(kSpeeds) - 1]);
  }

  void run(const std::stop_token& stop) {
    if (!open(std::nullopt)) return;
    step();
    auto due = Steady::now() + (playback_ == nullptr ? nanoseconds(kSecondLook) : gap());
    while (!stop.stop_requested()) {
      const top::Needs needs = board_.needs();
      board_.wait(std::min(due, Steady::now() + kPastAge), needs, stop);
      if (stop.stop_requested()) return;
      bool moved = false;
      while (const auto wish = board_.next_wish()) moved |= play(*wish);
      while (const auto deed = board_.next_deed()) act(*deed);
      const auto now = Steady::now();
      if (moved) due = now + gap();
      if (now >= due && !standing()) {
        step();
        due = std::max(due + gap(), now);  // a late step is skipped, not made up for
      } else if (now >= due) {
        due = now + 1s;
      }
      tell_past();
      tell_names(needs);
    }
  }

 private:
  bool standing() const { return paused_ || (session_->replay() && session_->ended()); }

  bool open(std::optional<std::string> at) {
    auto options = config::session_options(context_.settings, true);
    if (!options) return fail_with(options.error());
    options->engine.sampler.process_period = playback_ == nullptr ? nanoseconds(kProcessPeriod) : nanoseconds(0);
    options->engine.wait_for_cpu_shares = false;
    options->at = std::move(at);
    auto session = context_.open_session(std::move(*options));
    if (!session) return fail_with(session.error());
    session_ = std::move(*session);
    return true;
  }

  bool fail_with(const Error& error) {
    board_.tell([&](top::News& news) { news.failed = error; });
    return false;
  }

  // From this step to the next, by real time.
  nanoseconds gap() {
    if (playback_ == nullptr) return session_->engine().period();
    next_ = session_->next_due(session_->replay() ? std::nullopt : std::optional(session_->engine().period()));
    if (!next_) return 1s;
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double, std::nano>(*next_ - playback_->now()) /
                                                   speed_);
  }

  void step() {
    if (playback_ != nullptr && next_) playback_->move_to(*std::exchange(next_, std::nullopt));
    show(session_->step());
  }

  // Steps that follow each other faster than anybody sees are made, and shown later.
  void show(std::shared_ptr<const Snapshot> snapshot, bool at_once = false) {
    latest_ = std::move(snapshot);
    const auto now = Steady::now();
    if (!at_once && playback_ != nullptr && speed_ > 10 && now - shown_ < kLeastGap && !session_->ended()) return;
    shown_ = now;
    std::string nothing;
    if (latest_->devices.empty()) nothing = why_nothing();
    board_.tell_snapshot(latest_, devices_, [&](top::News& news, const std::shared_ptr<const Snapshot>& chosen) {
      news.snapshot = chosen;
      news.came = now;
      news.jumps = jumps_;
      news.way = session_->replay() ? top::Way::replay : top::Way::direct;
      news.nothing = nothing;
      news.playing = playing();
      news.leases_reason =
          session_->replay()
              ? "A recording tells nothing of leases."
              : "Leases are shown by a daemon: gpukeeper serve. 'gpukeeper leases' reads the book without one.";
    });
  }

  std::string why_nothing() const {
    std::string text = "No GPU was found.";
    for (const SourceStatus& source : latest_->sources) {
      if (!source.message.empty()) text += fmt::format(" {}: {}.", source.name, source.message);
    }
    return text + " 'gpukeeper doctor' says more.";
  }

  std::optional<top::Playing> playing() const {
    if (playback_ == nullptr) return std::nullopt;
    top::Playing playing{.at = latest_->taken_at, .speed = speed_, .paused = paused_};
    if (const auto& replay = session_->replay()) {
      const auto now = playback_->now();
      const auto date_of = [&](recording::Offset at) {
        return latest_->taken_at + std::chrono::duration_cast<WallTime::duration>(replay->time_of(at) - now);
      };
      playing.begin = date_of(replay->begin());
      playing.end = date_of(replay->end());
      playing.ended = session_->ended();
    } else {
      playing.seeks = false;
    }
    return playing;
  }

  // Whether time was moved or goes another way now.
  bool play(const PlayWish& wish) {
    if (playback_ == nullptr) return false;
    switch (wish.kind) {
      case PlayWish::Kind::pause: paused_ = !paused_; break;
      case PlayWish::Kind::faster: change_speed(1); break;
      case PlayWish::Kind::slower: change_speed(-1); break;
      case PlayWish::Kind::step:
        paused_ = true;
        if (!next_) static_cast<void>(gap());
        if (next_) step();
        break;
      case PlayWish::Kind::seek: seek(wish.by); break;
      case PlayWish::Kind::begin: jump_to(recording::Offset(0)); break;
      case PlayWish::Kind::end: jump_to(recording::Offset::max()); break;
    }
    show(latest_, true);
    return true;
  }

  void change_speed(int step) {
    const auto* now = std::ranges::lower_bound(kSpeeds, speed_);
    const auto at = std::clamp<std::ptrdiff_t>(now - std::begin(kSpeeds) + step, 0, std::ssize(kSpeeds) - 1);
    speed_ = kSpeeds[at];
  }

  void seek(std::chrono::seconds by) {
    const auto& replay = session_->replay();
    if (!replay) return board_.reply(false, "a simulated machine's time can be paused and made faster, not moved in");
    const auto now = playback_->now();
    const auto position = now - replay->time_of(recording::Offset(0));
    if (by.count() < 0 || by > kWorthStepping)
      return jump_to(std::chrono::duration_cast<recording::Offset>(position + by));
    for (auto next = replay->next_frame(); next && *next <= now + by; next = replay->next_frame()) {
      playback_->move_to(*next);
      latest_ = session_->step();
    }
    next_.reset();
  }

  // Opens it anew: a recording is read forwards.
  void jump_to(recording::Offset at) {
    const auto& replay = session_->replay();
    if (!replay) return board_.reply(false, "a simulated machine's time can be paused and made faster, not moved in");
    at = std::clamp(at, replay->begin(), replay->end());
    const double seconds = std::chrono::duration<double>(at - replay->begin()).count();
    next_.reset();
    if (!open(fmt::format("{:.3f}", seconds))) return;
    ++jumps_;
    latest_ = session_->step();
  }

  void act(const top::Deed& deed) {
    if (deed.kind != top::Deed::Kind::signal) return;  // there is no daemon to be asked
    const auto sent = send_signal(deed, context_.files);
    board_.reply(sent.has_value(), sent ? deed.done : sent.error().message);
  }

  void tell_past() {
    const top::Needs needs = board_.needs();
    const auto now = Steady::now();
    if (!needs.past || (needs == told_ && now - past_told_ < kPastAge)) return;
    told_ = needs;
    past_told_ = now;
    HistoryQuery query{.devices = {needs.device}, .usual_length = needs.range, .usual_buckets = needs.buckets};
    auto view = gather_history(*session_->engine().history(), *latest_, query);
    board_.tell([&](top::News& news) {
      if (view) news.past = std::make_shared<const HistoryView>(std::move(*view));
      news.past_reason = view ? std::string() : view.error().message;
    });
  }

  void tell_names(const top::Needs& needs) {
    if (needs.pids == named_) return;
    named_ = needs.pids;
    std::map<std::int64_t, std::string> names;
    for (const std::int64_t pid : needs.pids) {
      if (const auto name = context_.files.read(fmt::format("/proc/{}/comm", pid)))
        names[pid] = std::string(trim(*name));
    }
    board_.tell([&](top::News& news) { news.names = std::move(names); });
  }

  TopBoard& board_;
  const std::vector<std::string>& devices_;
  Context& context_;
  PlaybackClock* const playback_;  // null where time is not played
  std::unique_ptr<Session> session_;
  std::shared_ptr<const Snapshot> latest_;
  std::optional<MonotonicTime> next_;  // of what is played: when the next step is, by its time
  double speed_ = 1;
  bool paused_ = false;
  std::uint64_t jumps_ = 0;
  Steady::time_point shown_{};
  top::Needs told_;
  std::vector<std::int64_t> named_;
  Steady::time_point past_told_{};
};

// Of a process of which only the time is known at which it began: when it began, if it is still that one.
std::optional<std::uint64_t> ticks_of(const top::Deed& deed, const Files& machine) {
  constexpr auto kSame = 2s;  // the time of boot is known in seconds
  const auto text = machine.read(fmt::format("/proc/{}/stat", deed.pid));
  const auto stat = text ? parse_process_stat(*text) : std::nullopt;
  if (!stat || !deed.started) return std::nullopt;
  std::optional<std::uint64_t> boot;
  const auto read = machine.each_line("/proc/stat", [&](std::string_view line) {
    if (!line.starts_with("btime ")) return true;
    boot = parse_u64(line.substr(6));
    return false;
  });
  const auto a_second = static_cast<std::uint64_t>(std::max(::sysconf(_SC_CLK_TCK), 1L));
  if (!read || !boot || *boot > 1ull << 33 || stat->start_ticks / a_second > 1ull << 33) return std::nullopt;
  const WallTime began{std::chrono::seconds(*boot + stat->start_ticks / a_second)};
  return std::chrono::abs(began - *deed.started) <= kSame ? std::optional(stat->start_ticks) : std::nullopt;
}

}  // namespace

Result<void> send_signal(const top::Deed& deed, const Files& machine) {
  const auto ticks = deed.start_ticks ? deed.start_ticks : ticks_of(deed, machine);
  if (!ticks)
    return fail(Errc::not_found, fmt::format("process {} has ended; another one may have its number", deed.pid));
  // The files outlive this call: nobody owns them here.
  RealSignals signals(std::shared_ptr<const Files>(std::shared_ptr<const Files>(), &machine));
  return signals.send({.pid = deed.pid, .start_ticks = *ticks}, deed.signal);
}

void feed_from_session(TopBoard& board, const std::vector<std::string>& devices, Context& context,
                       const std::stop_token& stop) {
  SessionFeeder(board, devices, context).run(stop);
}

}  // namespace gpukeeper::cli
