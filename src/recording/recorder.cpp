#include "recording/recorder.hpp"

#include <utility>

namespace gpukeeper::recording {
namespace {

// The result of the call, noted as going on while it does.
template <class T, class Make>
Result<T> noted(std::mutex& mutex, Offset since, const auto& call_of, const Make& make) {
  {
    const std::scoped_lock lock(mutex);
    call_of().pending_since = since;
  }
  Result<T> result = make();
  const std::scoped_lock lock(mutex);
  Call<T>& call = call_of();
  call.pending_since.reset();
  call.outcome = result;
  return result;
}

}  // namespace

class RecordingBackend final : public Backend {
 public:
  RecordingBackend(std::shared_ptr<Recorder> recorder, std::shared_ptr<Backend> backend, std::size_t index)
      : recorder_(std::move(recorder)), backend_(std::move(backend)), index_(index) {}

  std::string_view name() const override { return backend_->name(); }
  DriverCost cost() const override { return backend_->cost(); }

  Result<std::vector<Device>> list() override {
    return noted<std::vector<Device>>(
        recorder_->mutex_, recorder_->since_start(), [&]() -> auto& { return source().list; },
        [&] { return backend_->list(); });
  }
  Result<Reading> read(const DeviceId& id) override {
    return noted<Reading>(
        recorder_->mutex_, recorder_->since_start(), [&]() -> auto& { return source().devices[id].reading; },
        [&] { return backend_->read(id); });
  }
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override {
    return noted<std::vector<GpuProcess>>(
        recorder_->mutex_, recorder_->since_start(), [&]() -> auto& { return source().devices[id].processes; },
        [&] { return backend_->processes(id); });
  }

 private:
  SourceCalls& source() { return recorder_->state_.sources[index_]; }

  const std::shared_ptr<Recorder> recorder_;
  const std::shared_ptr<Backend> backend_;
  const std::size_t index_;
};

class RecordingEvents final : public EventSource {
 public:
  RecordingEvents(std::shared_ptr<Recorder> recorder, std::shared_ptr<EventSource> source, std::size_t index)
      : recorder_(std::move(recorder)), source_(std::move(source)), index_(index) {}

  std::string_view name() const override { return source_->name(); }

  Result<std::vector<DeviceEvent>> take_events() override {
    std::vector<DeviceEvent> events;
    const auto taken = noted<void>(
        recorder_->mutex_,
        recorder_->since_start(), [&]() -> auto& { return recorder_->state_.event_sources[index_].take; },
        [&]() -> Result<void> {
          auto answer = source_->take_events();
          if (!answer) return tl::make_unexpected(answer.error());
          events = std::move(*answer);
          return {};
        });
    if (!taken) return tl::make_unexpected(taken.error());
    const std::scoped_lock lock(recorder_->mutex_);
    for (const DeviceEvent& event : events) recorder_->taken_.push_back({index_, event});
    return events;
  }

 private:
  const std::shared_ptr<Recorder> recorder_;
  const std::shared_ptr<EventSource> source_;
  const std::size_t index_;
};

Recorder::Recorder(const Clock& clock) : clock_(clock), start_(clock.now()) {}

Offset Recorder::since_start() const {
  return std::chrono::floor<Offset>(clock_.now() - start_);
}

void Recorder::listen(const std::shared_ptr<Recorder>& recorder, std::vector<std::shared_ptr<Backend>>& backends,
                      std::vector<std::shared_ptr<EventSource>>& events) {
  State& state = recorder->state_;  // nobody calls them yet
  for (auto& backend : backends) {
    state.sources.push_back({.name = std::string(backend->name())});
    backend = std::make_shared<RecordingBackend>(recorder, std::move(backend), state.sources.size() - 1);
  }
  for (auto& source : events) {
    state.event_sources.push_back({.name = std::string(source->name())});
    source = std::make_shared<RecordingEvents>(recorder, std::move(source), state.event_sources.size() - 1);
  }
}

Frame Recorder::frame(const ProcessTable& who) {
  Frame frame{.at = since_start(), .wall = clock_.wall()};
  {
    const std::scoped_lock lock(mutex_);
    frame.state = state_;
    frame.events = std::exchange(taken_, {});
  }
  for (SourceCalls& source : frame.state.sources) {
    for (auto& [id, calls] : source.devices) {
      if (!calls.processes.outcome || !*calls.processes.outcome) continue;
      for (GpuProcess& process : **calls.processes.outcome) {
        if (const ProcessFacts* facts = who.find(id, process.pid)) {
          process.facts = std::make_shared<const ProcessFacts>(*facts);
        }
      }
    }
  }
  return frame;
}

}  // namespace gpukeeper::recording
