#include "postgres/database_export.hpp"

#include <random>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::postgres {

std::vector<const MetricRow*> rows_of(const std::vector<std::string>& names) {
  std::vector<const MetricRow*> rows;
  for (const std::string& name : names) {
    if (const MetricRow* const row = find_metric(name)) rows.push_back(row);
  }
  return rows;
}

std::string new_stream() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

DatabaseExport::DatabaseExport(const DatabaseSettings& settings, std::string host, std::unique_ptr<Connector> connector,
                               Log& log)
    : interval_(settings.interval),
      metrics_(rows_of(settings.metrics)),
      connector_(std::move(connector)),
      spool_(settings.spool),
      writer_({.host = settings.host.empty() ? std::move(host) : settings.host,
               .stream = new_stream(),
               .metrics = settings.metrics,
               .keep = settings.keep,
               .seed = std::random_device()()},
              *connector_, spool_, clock_, log),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

DatabaseExport::~DatabaseExport() {
  thread_.request_stop();
  broken_off_.request_stop();
}

void DatabaseExport::see(const Snapshot& snapshot) {
  if (snapshot.replayed || snapshot.sequence == 0) return;
  if (due_ && snapshot.monotonic < *due_) return;
  // What is late is not made up for, and what follows it keeps its distance.
  const auto next = due_.value_or(snapshot.monotonic) + interval_;
  due_ = next > snapshot.monotonic ? next : snapshot.monotonic + interval_;
  spool_.put(tick_of(snapshot, metrics_, written_));
  {
    const std::scoped_lock lock(mutex_);
    came_ = true;
  }
  changed_.notify_all();
}

void DatabaseExport::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = writer_.work(broken_off_.get_token());
    std::unique_lock lock(mutex_);
    if (pause) {
      changed_.wait_for(lock, stop, *pause, [] { return false; });
    } else {
      changed_.wait(lock, stop, [this] { return came_; });
    }
    came_ = false;
  }
  static_cast<void>(writer_.work(broken_off_.get_token()));  // the last tick
  writer_.end();
  ended_ = true;
}

void DatabaseExport::begin_stop() {
  stop_by_ = clock_.now() + kStopPatience;
  thread_.request_stop();
}

bool DatabaseExport::ended() {
  if (!ended_ && clock_.now() >= stop_by_) broken_off_.request_stop();
  return ended_;
}

}  // namespace gpukeeper::postgres
