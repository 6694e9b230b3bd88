#include "sinks/sink_worker.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/andon/alert_listener.hpp"

namespace gpukeeper {
namespace {

using std::chrono::nanoseconds;

AlertNotice::Labels labels_of(const SinkSettings& settings) {
  AlertNotice::Labels labels;
  for (const std::string& label : settings.labels) {
    const auto equals = label.find('=');
    labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return labels;
}

double seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

SinkWorker::SinkWorker(SinkSettings settings, std::unique_ptr<Sink> sink, SinkQueue& queue, const SinkWorld& world,
                       Latest latest, std::string host, std::uint32_t seed)
    : settings_(std::move(settings)),
      labels_(labels_of(settings_)),
      sink_(std::move(sink)),
      queue_(queue),
      clock_(world.clock),
      log_(world.log),
      latest_(std::move(latest)),
      host_(std::move(host)),
      random_(seed) {
  status_.name = settings_.name;
  status_.kind = settings_.kind;
}

std::optional<nanoseconds> SinkWorker::work(const std::stop_token& stop) {
  say_what_was_dropped();
  const auto pause_of_reminders = sink_->reminder_pause();
  while (!stop.stop_requested()) {
    const auto now = clock_.now();
    if (now < next_attempt_) return next_attempt_ - now;
    const auto waiting = queue_.front();
    if (waiting) {
      if (!attempt(*waiting, stop)) return next_attempt_ - clock_.now();
      continue;
    }
    if (pause_of_reminders == nanoseconds::zero()) return std::nullopt;
    if (now < next_reminder_) return next_reminder_ - now;
    next_reminder_ = now + pause_of_reminders;
    remind(stop);
  }
  return nanoseconds::zero();
}

// Whether the next one is due at once.
bool SinkWorker::attempt(const WaitingNotice& waiting, const std::stop_token& stop) {
  // A receiver that has an alert open hears of its end, however late.
  const bool old = clock_.wall() - waiting.notice->at > kGiveUpAfter;
  if (old && waiting.notice->kind != AlertNotice::Kind::resolved) {
    gave_up(waiting, fmt::format("it could not be sent for {} hours", kGiveUpAfter.count()));
    return true;
  }
  const auto sent = sink_->send(labelled(*waiting.notice), stop);
  if (sent) {
    queue_.done(waiting.number);
    succeeded();
    return true;
  }
  if (stop.stop_requested()) return false;  // that is why it failed
  if (sent.error().code == Errc::invalid_argument) {
    gave_up(waiting, sent.error().message);
    return true;
  }
  failed(sent.error().message);
  return false;
}

AlertNotice SinkWorker::labelled(AlertNotice notice) const {
  notice.labels = labels_;
  return notice;
}

void SinkWorker::succeeded() {
  if (std::exchange(failures_, 0) > 0) log_.info("the sink {} works again", settings_.name);
  next_attempt_ = {};
  const std::scoped_lock lock(mutex_);
  ++status_.sent;
  status_.last_success = clock_.wall();
  status_.error.clear();
}

void SinkWorker::failed(const std::string& error) {
  // Doubled each time, then shortened by up to a half: many machines that lost the same receiver come back apart.
  const auto longest = std::min<nanoseconds>(kLongestPause, kFirstPause * (1 << std::min(failures_, 10)));
  const double part = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  const auto pause = std::chrono::duration_cast<nanoseconds>(longest * part);
  next_attempt_ = clock_.now() + pause;
  const auto waiting = queue_.size();
  if (failures_++ == 0) {
    log_.warning("the sink {} failed, {} notice{} waiting: {}", settings_.name, waiting, waiting == 1 ? " is" : "s are",
                 error);
  } else {
    log_.debug("the sink {} failed again, the next attempt is in {:.1f} s: {}", settings_.name, seconds(pause), error);
  }
  const std::scoped_lock lock(mutex_);
  status_.last_failure = clock_.wall();
  status_.error = error;
}

void SinkWorker::gave_up(const WaitingNotice& waiting, std::string_view why) {
  queue_.done(waiting.number);
  log_.warning("the sink {} gave up a notice ({} {}): {}", settings_.name, waiting.notice->alert.rule,
               to_string(waiting.notice->kind), why);
  const std::scoped_lock lock(mutex_);
  ++status_.dropped;
  status_.last_failure = clock_.wall();
  status_.error = why;
}

void SinkWorker::remind(const std::stop_token& stop) {
  std::vector<AlertNotice> firing;
  const auto snapshot = latest_();
  for (const Alert& alert : *snapshot->alerts) {
    if (alert.phase != AlertPhase::firing || alert.silenced || !queue_.is_open(alert.id)) continue;
    firing.push_back({.kind = AlertNotice::Kind::repeated,
                      .at = clock_.wall(),
                      .alert = alert,
                      .host = host_,
                      .origin = origin_of(alert, *snapshot),
                      .labels = labels_});
  }
  if (firing.empty()) return;
  const auto sent = sink_->remind(firing, stop);
  if (sent || stop.stop_requested()) return;
  log_.warning("the sink {} could not say again what fires: {}", settings_.name, sent.error().message);
  const std::scoped_lock lock(mutex_);
  status_.last_failure = clock_.wall();
  status_.error = sent.error().message;
}

void SinkWorker::say_what_was_dropped() {
  const auto dropped = queue_.dropped();
  if (dropped == dropped_said_) return;
  log_.warning("more than {} notices waited for the sink {}: the {} oldest were dropped", SinkQueue::kMost,
               settings_.name, dropped - dropped_said_);
  dropped_said_ = dropped;
}

SinkStatus SinkWorker::status() const {
  SinkStatus status;
  {
    const std::scoped_lock lock(mutex_);
    status = status_;
  }
  status.waiting = queue_.size();
  status.dropped += queue_.dropped();
  return status;
}

}  // namespace gpukeeper
