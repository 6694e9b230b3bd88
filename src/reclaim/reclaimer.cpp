#include "reclaim/reclaimer.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::reclaim {
namespace {

constexpr std::chrono::seconds kIdle{1};
constexpr std::chrono::milliseconds kBusy{100};  // deadlines of holders that do not answer

}  // namespace

Reclaimer::Reclaimer(World world, ReclaimSettings settings)
    : world_(std::move(world)), settings_(std::move(settings)) {}

Reclaimer::~Reclaimer() {
  ask_to_stop();
}

void Reclaimer::start() {
  std::scoped_lock lock(mutex_);
  if (stopping_) return;
  runs_ = true;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Reclaimer::ask_to_stop() {
  {
    std::scoped_lock lock(mutex_);
    stopping_ = true;
    has_news_ = true;
    thread_.request_stop();
  }
  stop_.request_stop();
  news_.notify_all();
}

void Reclaimer::see(std::shared_ptr<const Snapshot> snapshot) {
  {
    std::scoped_lock lock(mutex_);
    next_ = std::move(snapshot);
    has_news_ = true;
  }
  news_.notify_one();
}

void Reclaimer::configure(ReclaimSettings settings) {
  std::scoped_lock lock(mutex_);
  settings_ = std::move(settings);
}

ReclaimSettings Reclaimer::settings() const {
  std::scoped_lock lock(mutex_);
  return settings_;
}

void Reclaimer::look_with(std::function<void()> look) {
  std::scoped_lock lock(look_mutex_);
  look_ = std::move(look);
}

bool Reclaimer::is_stale(MonotonicTime now) const {
  return !seen_ || now - *seen_ >= kIdle;
}

// What a run does is measured by what the driver shows next, whoever else looks at the devices or not.
void Reclaimer::look_if_none_comes() {
  const MonotonicTime now = world_.clock->now();
  if (!running_ || !is_stale(now) || (asked_ && now - *asked_ < kIdle)) return;
  asked_ = now;
  std::scoped_lock lock(look_mutex_);
  if (look_) look_();
}

Result<std::uint64_t> Reclaimer::order(ReclaimOrder order, Done done) {
  std::uint64_t number = 0;
  {
    std::scoped_lock lock(mutex_);
    if (stopping_) return fail(Errc::unavailable, "gpukeeper is stopping");
    if (busy_) return fail(Errc::already_exists, "memory is being reclaimed already; ask again when that is done");
    busy_ = true;
    has_news_ = true;
    number = ++last_number_;
    ordered_ = {number, std::move(order), std::move(done)};
  }
  news_.notify_one();
  return number;
}

std::vector<ReclaimReport> Reclaimer::reports() const {
  std::scoped_lock lock(mutex_);
  return {reports_.begin(), reports_.end()};
}

void Reclaimer::publish(const ReclaimReport& report) {
  std::scoped_lock lock(mutex_);
  if (reports_.empty() || reports_.back().number != report.number) reports_.emplace_back();
  reports_.back() = report;
  while (reports_.size() > kMostReports) reports_.pop_front();
}

ReclaimFacts Reclaimer::facts() const {
  ReclaimFacts facts;
  facts.holders = world_.holders.holders();
  facts.is_gone = world_.gone;
  facts.idle_for = [this](const SeenProcess& process) { return idle_.idle_for(process); };
  facts.own_pids = world_.own_pids;
  facts.no_checkpoint = world_.no_checkpoint();
  if (Bookkeeper* book = world_.book()) {
    book->look([&](const Ledger& ledger) { facts.settle = ledger.settings().deallocation_timeout; });
  }
  return facts;
}

void Reclaimer::begin(ReclaimOrder order, Done done, std::uint64_t number) {
  const Moment now{world_.clock->now(), world_.clock->wall()};
  running_ = std::make_unique<Running>(
      Running{ReclaimRun(number, std::move(order), settings(), facts(), now), std::move(done), {}});
  publish(running_->run.report());
}

// The loop: whenever its interval is over and a device is above the threshold.
void Reclaimer::begin_by_itself(const Sight& sight) {
  const ReclaimSettings now = settings();
  if (!now.enabled) {
    looped_.reset();
    return;
  }
  const MonotonicTime time = world_.clock->now();
  if (looped_ && time - *looped_ < now.interval) return;
  looped_ = time;
  const bool full = std::ranges::any_of(
      sight.devices, [&](const SeenDevice& device) { return device.fill().value_or(0) > now.memory_threshold; });
  if (!full) return;
  std::uint64_t number = 0;
  {
    std::scoped_lock lock(mutex_);
    if (busy_ || stopping_) return;
    busy_ = true;
    number = ++last_number_;
  }
  ReclaimOrder order;
  order.why = fmt::format("every {:g} s", std::chrono::duration<double>(now.interval).count());
  begin(std::move(order), nullptr, number);
}

// A thread waits for one holder: it may take its whole time, and there are few.
void Reclaimer::act(const ReclaimAction& action) {
  running_->threads.emplace_back([this, action, stop = stop_.get_token()] {
    Result<HolderReply> reply = [&]() -> Result<HolderReply> {
      try {
        return world_.hands.perform(action, stop);
      } catch (const std::exception& thrown) {
        return fail(Errc::internal, fmt::format("gpukeeper itself failed: {}", thrown.what()));
      }
    }();
    {
      std::scoped_lock lock(mutex_);
      answers_.push_back({action.number, std::move(reply), world_.clock->now()});
      has_news_ = true;
    }
    news_.notify_one();
  });
}

void Reclaimer::advance(const Sight* sight) {
  std::vector<Answer> answers;
  bool stopping = false;
  {
    std::scoped_lock lock(mutex_);
    answers.swap(answers_);
    stopping = stopping_;
  }
  if (!running_) return;
  ReclaimRun& run = running_->run;
  for (const Answer& answer : answers) run.receipt(answer.action, answer.reply, answer.at);
  const MonotonicTime now = world_.clock->now();
  if (stopping) run.stop("gpukeeper was stopped", now);
  if (sight) {
    for (const ReclaimAction& action : run.advance(*sight, now)) act(action);
  }
  publish(run.report());
  if (!run.done()) return;
  const auto finished = std::move(running_);
  finished->threads.clear();  // waits for holders that have not answered: no longer than their own deadlines
  {
    std::scoped_lock lock(mutex_);
    busy_ = false;
    answers_.clear();
  }
  if (finished->done) finished->done(finished->run.report());
}

MonotonicTime Reclaimer::step() {
  std::shared_ptr<const Snapshot> snapshot;
  std::optional<Ordered> ordered;
  {
    std::scoped_lock lock(mutex_);
    has_news_ = false;
    snapshot = std::exchange(next_, nullptr);
    ordered = std::exchange(ordered_, std::nullopt);
  }
  Bookkeeper* book = world_.book();
  if (snapshot && snapshot->sequence > 0 && book) {
    seen_ = world_.clock->now();
    if (running_ || ordered || settings().enabled) {
      book->look([&](const Ledger& ledger) { sight_ = sight_of(ledger, *snapshot, book->clock().now()); });
    } else {
      sight_ = sight_of(*snapshot);  // only for who is idle since when
    }
    idle_.look(*sight_);
    if (!running_ && !ordered) begin_by_itself(*sight_);
  }
  if (ordered) begin(std::move(ordered->order), std::move(ordered->done), ordered->number);
  advance(sight_ ? &*sight_ : nullptr);
  look_if_none_comes();
  return world_.clock->now() + (running_ ? std::chrono::nanoseconds(kBusy) : std::chrono::nanoseconds(kIdle));
}

void Reclaimer::run(const std::stop_token& stop) {
  while (!stop.stop_requested() || running_) {
    const MonotonicTime next = step();
    const auto left = next - world_.clock->now();
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, stop, left, [&] { return has_news_; });
  }
  step();  // an order that came last is answered, too
  runs_ = false;
}

}  // namespace gpukeeper::reclaim
