#include "storage/history_keeper.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

using history_file::HistoryFile;
using history_file::HistoryReader;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Of a block, at the most.
constexpr auto kStretch = std::chrono::minutes(5);

// The clock on the wall is put right by less all the time.
constexpr auto kSet = std::chrono::seconds(5);

// Tells the blocks of this process from those of every other.
std::int64_t any_number() {
  std::random_device random;
  return static_cast<std::int64_t>((std::uint64_t{random()} << 31) ^ random());
}

WallTime floor_to(WallTime time, nanoseconds length) {
  const auto since = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto floored = history_file::floor_to(since, std::chrono::ceil<milliseconds>(length));
  return WallTime(std::chrono::duration_cast<WallTime::duration>(floored));
}

nanoseconds offset_of(const History::Now& now) {
  return now.wall.time_since_epoch() - now.at.time_since_epoch();
}

history_file::Layout layout_of(const History& history) {
  history_file::Layout layout;
  for (const auto metric : history.metrics()) layout.metrics.emplace_back(metric);
  return layout;
}

// What a device did in [from, to).
history_file::Ticks ticks_of(const History& history, const DeviceId& device, MonotonicTime from, MonotonicTime to) {
  const auto metrics = history.metrics();
  std::map<MonotonicTime, std::vector<std::optional<double>>> rows;
  for (std::size_t metric = 0; metric < metrics.size(); ++metric) {
    const auto values = history.values(device, metrics[metric], from, to);
    if (!values) continue;
    for (const TimedValue& value : *values) {
      auto& row = rows[value.at];
      row.resize(metrics.size());
      row[metric] = value.value;
    }
  }
  history_file::Ticks ticks;
  ticks.metrics.resize(metrics.size());
  for (const auto& [at, row] : rows) {
    ticks.times.push_back(std::chrono::floor<milliseconds>(at.time_since_epoch()));
    for (std::size_t metric = 0; metric < row.size(); ++metric) ticks.metrics[metric].push_back(row[metric]);
  }
  return ticks;
}

}  // namespace

HistoryKeeper::HistoryKeeper(HistoryStoreSettings settings) : run_(any_number()), settings_(settings) {}

HistoryKeeper::~HistoryKeeper() {
  ask_to_stop();
}

void HistoryKeeper::open(const std::string& folder) {
  const std::string path = folder + "/" + kFileName;
  file_ = std::make_unique<HistoryFile>(path);
  std::scoped_lock lock(mutex_);
  reader_ = std::make_shared<const HistoryReader>(path, run_, [this](const std::string& why) {
    const std::scoped_lock guard(mutex_);
    damage_ = why;
  });
}

void HistoryKeeper::start() {
  if (stop_.stop_requested()) return;
  runs_ = true;
  try {
    thread_ = std::jthread([this] { run(stop_.get_token()); });
  } catch (const std::system_error& error) {
    runs_ = false;
    std::scoped_lock lock(mutex_);
    trouble_ =
        fmt::format("the history is not kept: no thread could be made to write {} ({})", file_->path(), error.what());
  }
}

void HistoryKeeper::remember(std::shared_ptr<const History> history) {
  std::scoped_lock lock(mutex_);
  if (history) history_ = std::move(history);
}

void HistoryKeeper::see(const std::shared_ptr<const Snapshot>& snapshot) {
  {
    std::scoped_lock lock(mutex_);
    note_devices(*snapshot);
    latest_ = snapshot;
    seen_ = floor_to(snapshot->taken_at, settings_.batch);
    if (seen_ == done_) return;
  }
  changed_.notify_one();
}

void HistoryKeeper::configure(const HistoryStoreSettings& settings) {
  {
    std::scoped_lock lock(mutex_);
    settings_ = settings;
    set_ = true;
  }
  changed_.notify_one();
}

std::string HistoryKeeper::trouble() const {
  std::scoped_lock lock(mutex_);
  return trouble_;
}

std::string HistoryKeeper::take_notice() {
  std::scoped_lock lock(mutex_);
  return std::exchange(notice_, {});
}

void HistoryKeeper::note(std::string notice) {
  std::scoped_lock lock(mutex_);
  notice_ = std::move(notice);
}

std::optional<nanoseconds> HistoryKeeper::step(bool everything) {
  HistoryStoreSettings settings;
  std::shared_ptr<const History> history;
  {
    std::scoped_lock lock(mutex_);
    settings = settings_;
    history = history_;
    set_ = false;
    done_ = seen_;
  }
  if (!file_) return std::nullopt;
  if (!settings.enabled) {
    file_->close();
    std::scoped_lock lock(mutex_);
    trouble_.clear();
    return std::nullopt;
  }
  const auto now = history ? history->now() : std::nullopt;
  if (!now) return std::nullopt;
  follow(*now);
  const auto until =
      everything ? now->at + milliseconds(1) : now->at - (now->wall - floor_to(now->wall, settings.batch));
  auto done = make_ready();
  if (done) done = write(*history, *now, until);
  if (done) done = look_after(settings, *now);
  if (!done) return failed(done.error());
  failures_ = 0;
  std::scoped_lock lock(mutex_);
  trouble_.clear();
  return std::nullopt;
}

// Of every snapshot: one that comes and goes between two batches was measured as well.
void HistoryKeeper::note_devices(const Snapshot& snapshot) {
  for (const DeviceSnapshot& device : snapshot.devices) {
    devices_.insert(device.device->id);
    for (const DeviceSnapshot& partition : device.partitions) devices_.insert(partition.device->id);
  }
}

std::set<DeviceId> HistoryKeeper::devices() const {
  std::scoped_lock lock(mutex_);
  return devices_;
}

// When somebody sets the clock, it may be set back soon.
void HistoryKeeper::follow(const History::Now& now) {
  const nanoseconds offset = offset_of(now);
  const bool same = offset_ && std::chrono::abs(offset - *offset_) <= kSet;
  if (!same) right_since_ = now.at;
  offset_ = offset;
}

HistoryKeeper::Outcome HistoryKeeper::make_ready() {
  std::string damage;
  {
    std::scoped_lock lock(mutex_);
    damage.swap(damage_);
  }
  if (!damage.empty()) return tl::make_unexpected(sqlite::Failure{{Errc::internal, damage}, true});
  if (file_->is_open()) {
    if (file_->is_in_place()) return {};
    written_.reset();  // somebody removed it
    auto begun = file_->open();
    if (begun) note(fmt::format("{} was removed; a new one was begun", file_->path()));
    return begun;
  }
  return file_->open();
}

// One transaction a stretch of time, so that a day which could not be written is written in pieces.
HistoryKeeper::Outcome HistoryKeeper::write(const History& history, const History::Now& now, MonotonicTime until) {
  const auto oldest = history.facts().oldest;
  if (!oldest) return {};
  const auto offset = std::chrono::round<milliseconds>(offset_of(now));
  const auto devices = this->devices();
  auto from = std::max(written_.value_or(*oldest), *oldest);
  while (from < until) {
    const MonotonicTime to = std::min(until, from + kStretch);
    std::vector<HistoryFile::Entry> entries;
    for (const DeviceId& device : devices) {
      const auto ticks = ticks_of(history, device, from, to);
      if (ticks.times.empty()) continue;
      entries.push_back({device, history_file::stored_block(ticks, offset)});
      entries.back().block.run = run_;
    }
    if (!entries.empty()) {
      if (auto done = file_->append(std::move(entries), layout_of(history)); !done) return done;
    }
    written_ = from = to;
  }
  return {};
}

// Once an hour by the clock on the wall, and the size each time.
HistoryKeeper::Outcome HistoryKeeper::look_after(const HistoryStoreSettings& settings, const History::Now& now) {
  const WallTime hour = floor_to(now.wall, std::chrono::minutes(30));
  if (looked_after_ != hour) {
    if (auto done = file_->sum_up(now.wall); !done) return done;
    if (now.at - right_since_ >= kTrusted) {
      if (auto done = file_->drop_old(settings, now.wall); !done) return done;
    }
    looked_after_ = hour;
  }
  if (auto done = file_->drop_above(settings.size); !done) return done;
  return file_->shrink();
}

std::optional<nanoseconds> HistoryKeeper::failed(const sqlite::Failure& failure) {
  if (failure.damaged) {
    begin_anew(failure.error.message);
  } else {
    std::scoped_lock lock(mutex_);
    trouble_ = fmt::format(
        "the history is not kept in {}: {}{}; it goes on in memory, and is written when that succeeds", file_->path(),
        failure.error.message, failure.error.code == Errc::resource_exhausted ? "; free some space on that disk" : "");
  }
  ++failures_;
  return std::min<nanoseconds>(kLongestPause, kFirstPause * (1 << std::min(failures_ - 1, 6)));
}

void HistoryKeeper::begin_anew(const std::string& why) {
  const auto aside = file_->replace(why);
  written_.reset();  // all that memory has is written again
  looked_after_.reset();
  std::scoped_lock lock(mutex_);
  if (aside) {
    notice_ =
        fmt::format("{} was damaged ({}); it was moved to {}, and a new one was begun", file_->path(), why, *aside);
    trouble_.clear();
  } else {
    trouble_ = fmt::format("the history is not kept: {}", aside.error().message);
  }
}

void HistoryKeeper::ask_to_stop() {
  stop_.request_stop();
}

bool HistoryKeeper::is_due() const {
  return set_ || seen_ != done_;
}

void HistoryKeeper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = step();
    std::unique_lock lock(mutex_);
    if (pause) {
      changed_.wait_for(lock, stop, *pause, [&] { return set_; });  // what comes meanwhile waits too
    } else {
      changed_.wait(lock, stop, [&] { return is_due(); });
    }
  }
  static_cast<void>(step(true));
  runs_ = false;
}

std::shared_ptr<const HistoryReader> HistoryKeeper::reader() const {
  std::scoped_lock lock(mutex_);
  return settings_.enabled ? reader_ : nullptr;
}

Result<void> HistoryKeeper::read(const Query& query, const Take& take) const {
  const auto from = reader();
  return from ? from->read(query, take) : Result<void>();
}

std::optional<WallTime> HistoryKeeper::oldest() const {
  const auto from = reader();
  return from ? from->oldest_after(kept_since()) : std::nullopt;
}

// What is dated before that is none of what is kept: a clock had stopped, and the machine began in 1970.
WallTime HistoryKeeper::kept_since() const {
  std::scoped_lock lock(mutex_);
  if (!latest_) return WallTime::min();
  return latest_->taken_at - std::chrono::duration_cast<WallTime::duration>(settings_.keep);
}

}  // namespace gpukeeper
