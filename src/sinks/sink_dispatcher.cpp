#include "sinks/sink_dispatcher.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "sinks/payloads.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr auto kPauseAfterFailure = 10s;  // of the disk, before everything is written anew
constexpr std::size_t kLongestText = 4096;

AlertNotice::Kind kind_of(AlertChange::Kind kind) {
  switch (kind) {
    case AlertChange::Kind::fired: return AlertNotice::Kind::fired;
    case AlertChange::Kind::escalated: return AlertNotice::Kind::escalated;
    case AlertChange::Kind::repeated: return AlertNotice::Kind::repeated;
    case AlertChange::Kind::resolved: return AlertNotice::Kind::resolved;
  }
  return AlertNotice::Kind::fired;
}

// A process may have any name, of any length; a notice is kept a thousand times over.
void bound(std::string& text) {
  if (text.size() > kLongestText) text = cut(text, kLongestText);
}

std::shared_ptr<const AlertNotice> notice_of(const AlertChange& change, const std::string& host, WallTime now) {
  auto notice = std::make_shared<AlertNotice>();
  notice->kind = kind_of(change.kind);
  notice->at = now;
  notice->alert = change.alert;
  notice->host = host;
  notice->origin = change.origin;
  for (std::string* text :
       {&notice->alert.message, &notice->alert.remedy, &notice->alert.subject, &notice->alert.link}) {
    bound(*text);
  }
  return notice;
}

}  // namespace

struct SinkDispatcher::Lane {
  Lane(const SinkSettings& settings, const SinkWorld& world, const SinkDispatcherOptions& options,
       std::unique_ptr<SpoolWriter> kept)
      : spool(std::move(kept)),
        queue(settings, spool ? spool->take_contents() : SpoolContents()),
        worker(settings, make_sink(settings, world), queue, world, options.latest, options.host,
               std::random_device()()) {
    if (spool && !spool->message().empty()) world.log.warning("the sink {}: {}", settings.name, spool->message());
  }

  void send(const std::stop_token& stop, const std::function<void()>& keep) {
    while (!stop.stop_requested()) {
      const auto pause = worker.work(stop);
      keep();
      queue.wait(stop, pause);
    }
  }

  const std::unique_ptr<SpoolWriter> spool;  // null: in memory only
  SinkQueue queue;
  SinkWorker worker;
  std::jthread thread;  // last, as it uses all of the above
};

SinkDispatcher::SinkDispatcher(const SinkList& sinks, const SinkWorld& world, SinkDispatcherOptions options)
    : world_(world), options_(std::move(options)) {
  for (const SinkSettings& settings : sinks) {
    if (!settings.enabled) continue;
    std::unique_ptr<SpoolWriter> spool;
    if (!options_.folder.empty()) {
      const std::string path = fmt::format("{}/{}.jsonl", options_.folder, settings.name);
      spool = std::make_unique<SpoolWriter>(std::make_unique<FileSpoolStore>(path));
    }
    lanes_.push_back(std::make_unique<Lane>(settings, world, options_, std::move(spool)));
  }
}

void SinkDispatcher::start() {
  const auto keep_soon = [this] {
    {
      const std::scoped_lock lock(mutex_);
      to_keep_ = true;
    }
    changed_.notify_all();
  };
  for (const auto& lane : lanes_) {
    lane->thread =
        std::jthread([raw = lane.get(), keep_soon](const std::stop_token& stop) { raw->send(stop, keep_soon); });
  }
  if (!options_.folder.empty()) keeper_ = std::jthread([this](const std::stop_token& stop) { keep(stop); });
}

SinkDispatcher::~SinkDispatcher() {
  stop();
}

void SinkDispatcher::begin_stop() {
  if (ended_ || closer_.joinable()) return;
  for (const auto& lane : lanes_) lane->thread.request_stop();  // all at once, then one by one waited for
  keeper_.request_stop();
  closer_ = std::jthread([this] { close(); });
}

void SinkDispatcher::stop() {
  begin_stop();
  if (closer_.joinable()) closer_.join();
}

void SinkDispatcher::close() {
  for (const auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
  if (keeper_.joinable()) keeper_.join();
  for (const auto& lane : lanes_) {
    if (lane->spool) lane->spool->save(lane->queue);
  }
  ended_ = true;
}

void SinkDispatcher::alerts_changed(const std::vector<AlertChange>& changes) {
  const auto now = world_.clock.wall();
  for (const AlertChange& change : changes) {
    const auto notice = notice_of(change, options_.host, now);
    for (const auto& lane : lanes_) lane->queue.put(notice);
  }
  {
    const std::scoped_lock lock(mutex_);
    to_keep_ = true;
  }
  changed_.notify_all();
}

// The one thread that waits for the disk.
void SinkDispatcher::keep(const std::stop_token& stop) {
  bool all_well = true;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (all_well) {
        changed_.wait(lock, stop, [&] { return to_keep_; });
      } else {
        changed_.wait_for(lock, stop, kPauseAfterFailure, [] { return false; });
      }
      to_keep_ = false;
    }
    all_well = true;
    for (const auto& lane : lanes_) all_well = lane->spool->save(lane->queue) && all_well;
    if (!all_well) {
      for (const auto& lane : lanes_) {
        if (!lane->spool->message().empty())
          world_.log.warning("the sink {}: {}", lane->worker.status().name, lane->spool->message());
      }
    }
  }
}

std::vector<SinkStatus> SinkDispatcher::status() const {
  std::vector<SinkStatus> result;
  for (const auto& lane : lanes_) {
    result.push_back(lane->worker.status());
    if (lane->spool) result.back().spool = lane->spool->message();
  }
  return result;
}

AlertNotice test_notice(const std::string& host, WallTime now) {
  AlertNotice notice;
  notice.kind = AlertNotice::Kind::test;
  notice.at = now;
  notice.host = host;
  notice.alert.id =
      fmt::format("test-{}", std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  notice.alert.rule = "test";
  notice.alert.level = AlertLevel::info;
  notice.alert.phase = AlertPhase::firing;
  notice.alert.message = "A test of gpukeeper's alerts; nothing is wrong";
  notice.alert.since = now;
  notice.alert.fired_at = now;
  return notice;
}

}  // namespace gpukeeper
