#include "backend/replay/replay.hpp"

#include <atomic>
#include <stop_token>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {

using recording::Call;
using recording::Offset;

Replay::Replay(std::unique_ptr<recording::Reader> reader, std::shared_ptr<const Clock> clock)
    : clock_(std::move(clock)),
      header_(reader->header()),
      begin_(reader->begin()),
      end_(reader->end()),
      reader_(std::move(reader)),
      untaken_(header_.event_sources.size()) {
  play_from(begin_);
}

Result<std::shared_ptr<Replay>> Replay::open(const std::string& path, std::shared_ptr<const Clock> clock) {
  auto reader = recording::Reader::open(path);
  if (!reader) return fail(reader.error().code, "open the recording: " + reader.error().message);
  return std::make_shared<Replay>(*std::move(reader), std::move(clock));
}

void Replay::play_from(Offset at) {
  const std::scoped_lock lock(mutex_);
  reader_->seek(at);
  frame_ = nullptr;
  zero_ = clock_->now() - at;
  for (auto& events : untaken_) events.clear();
}

MonotonicTime Replay::time_of(Offset at) const {
  return zero_ + at;
}

std::optional<MonotonicTime> Replay::next_frame() {
  const std::scoped_lock lock(mutex_);
  state(lock);
  const auto next = reader_->next_at();
  return next ? std::optional(zero_ + *next) : std::nullopt;
}

WallTime Replay::wall() {
  const std::scoped_lock lock(mutex_);
  state(lock);
  if (frame_ == nullptr) return header_.started;
  return frame_->wall + std::chrono::duration_cast<WallTime::duration>(clock_->now() - (zero_ + frame_->at));
}

std::vector<std::string> Replay::notes() {
  const std::scoped_lock lock(mutex_);
  return reader_->notes();
}

const recording::State& Replay::state(const std::scoped_lock<std::mutex>&) {
  const auto now = clock_->now();
  for (auto next = reader_->next_at(); next && (frame_ == nullptr || zero_ + *next <= now); next = reader_->next_at()) {
    frame_ = reader_->next();
    for (const recording::TakenEvent& taken : frame_->events) {
      if (taken.source < untaken_.size()) untaken_[taken.source].push_back(taken.event);
    }
  }
  static const recording::State kNone;  // the file was cut down while it is played
  return frame_ == nullptr ? kNone : frame_->state;
}

/// What one of the recorded backends said.
class ReplayBackend final : public Backend {
 public:
  ReplayBackend(std::shared_ptr<Replay> replay, std::size_t index)
      : replay_(std::move(replay)), index_(index), name_(replay_->header().sources[index]) {}

  std::string_view name() const override { return name_; }
  DriverCost cost() const override { return {calls_.load(), {}}; }

  Result<std::vector<Device>> list() override {
    return answer<std::vector<Device>>("list", [this](const recording::State& state) {
      return index_ < state.sources.size() ? &state.sources[index_].list : nullptr;
    });
  }
  Result<Reading> read(const DeviceId& id) override {
    return answer<Reading>("read " + id.text, [&](const recording::State& state) {
      return call_of<Reading>(state, id, &recording::DeviceCalls::reading);
    });
  }
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override {
    return answer<std::vector<GpuProcess>>("read processes of " + id.text, [&](const recording::State& state) {
      return call_of<std::vector<GpuProcess>>(state, id, &recording::DeviceCalls::processes);
    });
  }

 private:
  template <class T>
  const Call<T>* call_of(const recording::State& state, const DeviceId& id, Call<T> recording::DeviceCalls::*kind) {
    if (index_ >= state.sources.size()) return nullptr;  // members of one file need not name the same sources
    const auto& devices = state.sources[index_].devices;
    const auto found = devices.find(id);
    return found == devices.end() ? nullptr : &(found->second.*kind);
  }

  /// The outcome of the recorded call. One that went on then goes on now, until the recording shows its end.
  template <class T, class Find>
  Result<T> answer(const std::string& operation, const Find& find) {
    ++calls_;
    const auto look = [&](const auto& use) {
      const std::scoped_lock lock(replay_->mutex_);
      return use(find(replay_->state(lock)));
    };
    const auto pending = [](const Call<T>* call) { return call ? call->pending_since : std::nullopt; };
    if (const auto since = look(pending)) {
      if (!replay_->clock_->wait_while([&] { return look(pending) == since; }, {})) {
        return fail(Errc::unavailable, fmt::format("{}: the recording ended while the driver hung", operation));
      }
    }
    return look([&](const Call<T>* call) -> Result<T> {
      if (call && call->outcome) return *call->outcome;
      return fail(call ? Errc::unavailable : Errc::not_found,
                  fmt::format("{}: the recording does not know the answer at this moment", operation));
    });
  }

  const std::shared_ptr<Replay> replay_;
  const std::size_t index_;
  const std::string name_;
  std::atomic<std::uint64_t> calls_ = 0;
};

/// What one of the recorded event sources reported.
class ReplayEvents final : public EventSource {
 public:
  ReplayEvents(std::shared_ptr<Replay> replay, std::size_t index)
      : replay_(std::move(replay)), index_(index), name_(replay_->header().event_sources[index]) {}

  std::string_view name() const override { return name_; }

  Result<std::vector<DeviceEvent>> take_events() override {
    const std::scoped_lock lock(replay_->mutex_);
    const auto& sources = replay_->state(lock).event_sources;
    if (index_ < sources.size()) {
      const auto& outcome = sources[index_].take.outcome;
      if (outcome && !*outcome) return tl::make_unexpected(outcome->error());
    }
    return std::exchange(replay_->untaken_[index_], {});
  }

 private:
  const std::shared_ptr<Replay> replay_;
  const std::size_t index_;
  const std::string name_;
};

std::vector<std::shared_ptr<Backend>> Replay::backends(const std::shared_ptr<Replay>& replay) {
  std::vector<std::shared_ptr<Backend>> result;
  for (std::size_t i = 0; i < replay->header_.sources.size(); ++i) {
    result.push_back(std::make_shared<ReplayBackend>(replay, i));
  }
  return result;
}

std::vector<std::shared_ptr<EventSource>> Replay::event_sources(const std::shared_ptr<Replay>& replay) {
  std::vector<std::shared_ptr<EventSource>> result;
  for (std::size_t i = 0; i < replay->header_.event_sources.size(); ++i) {
    result.push_back(std::make_shared<ReplayEvents>(replay, i));
  }
  return result;
}

}  // namespace gpukeeper
