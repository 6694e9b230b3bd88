#include "postgres/database_history.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gpukeeper::postgres {
namespace {

struct Piece {
  std::size_t metric;
  WallTime at;
  HistoryBucket bucket;
};

}  // namespace

DatabaseHistory::DatabaseHistory(Options options, std::unique_ptr<Connector> connector)
    : options_(std::move(options)),
      connector_(std::move(connector)),
      left_(options_.patience),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

DatabaseHistory::~DatabaseHistory() {
  begin_stop();
}

void DatabaseHistory::begin_stop() {
  thread_.request_stop();
}

// What the thread finds belongs to it until it is asked for: whoever asked may not be there any more.
Result<void> DatabaseHistory::read(const Query& query, const Take& take) const {
  const auto pieces = std::make_shared<std::vector<Piece>>();
  const std::vector<std::string> names(query.metrics.begin(), query.metrics.end());
  auto well = ask([query, names, pieces, host = options_.host](DatabaseReader& reader) {
    Query own = query;
    own.metrics.assign(names.begin(), names.end());
    if (own.known) own.to -= kSeam;
    return reader.read(host, own, [&](std::size_t metric, WallTime at, const HistoryBucket& bucket) {
      pieces->push_back({metric, at, bucket});
    });
  });
  if (!well) return well;
  for (const Piece& piece : *pieces) take(piece.metric, piece.at, piece.bucket);
  return {};
}

std::optional<WallTime> DatabaseHistory::oldest() const {
  const auto moment = std::make_shared<std::optional<WallTime>>();
  const auto well = ask([moment, host = options_.host](DatabaseReader& reader) -> Result<void> {
    const auto found = reader.oldest(host);
    if (!found) return tl::make_unexpected(found.error());
    *moment = *found;
    return {};
  });
  return well ? *moment : std::nullopt;
}

Result<void> DatabaseHistory::ask(Work work) const {
  const std::scoped_lock turn(turn_);
  const Time now = std::chrono::steady_clock::now();
  const auto task = std::make_shared<Task>();
  task->work = std::move(work);
  Time until{};
  {
    const std::scoped_lock lock(mutex_);
    if (trouble_ && now < rests_until_) return tl::make_unexpected(*trouble_);
    if (taken_) return fail(Errc::deadline_exceeded, "the database has still not answered");
    left_ = std::min<std::chrono::nanoseconds>(options_.patience, left_ + (now - used_at_));
    until = now + left_;
    task_ = task;
  }
  changed_.notify_all();
  auto well = wait_for(task, until);
  const std::scoped_lock lock(mutex_);
  used_at_ = std::chrono::steady_clock::now();
  left_ -= used_at_ - now;
  trouble_.reset();
  if (!well) {
    trouble_ = well.error();
    rests_until_ = used_at_ + options_.rest;
  }
  return well;
}

Result<void> DatabaseHistory::wait_for(const std::shared_ptr<Task>& task, Time until) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return task->done.has_value() || ended_; });
  if (task->done) return *task->done;
  if (task_ == task) task_ = nullptr;
  if (ended_) return fail(Errc::unavailable, "the database is not asked any more: gpukeeper ends");
  return fail(Errc::deadline_exceeded, fmt::format("the database did not answer within {:g} s",
                                                   std::chrono::duration<double>(options_.patience).count()));
}

// The next task; null when nobody asked for so long, or it is to end.
std::shared_ptr<DatabaseHistory::Task> DatabaseHistory::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto asked = [this] { return task_ != nullptr; };
  if (reader_) {
    changed_.wait_for(lock, stop, options_.hang_up, asked);
  } else {
    changed_.wait(lock, stop, asked);
  }
  auto task = stop.stop_requested() ? nullptr : std::exchange(task_, nullptr);
  taken_ = task != nullptr;
  return task;
}

void DatabaseHistory::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto task = next(stop);
    if (!task) {
      reader_.reset();
      continue;
    }
    auto well = perform(task->work, stop);
    {
      const std::scoped_lock lock(mutex_);
      task->done = std::move(well);
      taken_ = false;
    }
    changed_.notify_all();
  }
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

// A connection that nobody used for a while may have broken without a word: then a new one is tried at once.
Result<void> DatabaseHistory::perform(const Work& work, const std::stop_token& stop) {
  const bool fresh = !reader_;
  if (fresh) {
    auto connected = connector_->connect(stop);
    if (!connected) return tl::make_unexpected(connected.error());
    reader_ = std::make_unique<DatabaseReader>(std::move(*connected), options_.patience);
  }
  auto well = work(*reader_);
  if (well) return well;
  reader_.reset();
  return !fresh && well.error().code == Errc::unavailable && !stop.stop_requested() ? perform(work, stop) : well;
}

}  // namespace gpukeeper::postgres
