#include "recording.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/playback.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/temporary_folder.hpp"
#include "figures.hpp"
#include "noisy_backend.hpp"
#include "recording/recorder.hpp"
#include "recording/writer.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kHour = 3600;

void fail_with(const std::string& message) {
  fmt::print(stderr, "gpukeeper_bench: {}\n", message);
  std::exit(1);
}

// An hour at 1 Hz, as fast as it goes. Answers the bytes.
double record_hour(const std::string& file, bool noisy) {
  const std::vector<std::string> sources{"simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/eight-gpus.yaml"};
  const auto clock = *clock_for(sources, Speed(), {}, std::make_shared<FakeClock>());
  const auto recorder = std::make_shared<recording::Recorder>(*clock);
  auto session = Session::open(sources, clock, {.prepare = [&](Sources& opened, EngineOptions&) -> Result<void> {
                                 if (noisy) opened.backends = {std::make_shared<NoisyBackend>()};
                                 recording::Recorder::listen(recorder, opened.backends, opened.events);
                                 return {};
                               }});
  auto writer = recording::Writer::create(file, {.force = true, .program = "bench", .host = "bench"});
  if (!session || !writer) fail_with("the recording cannot be made");
  for (int second = 0; second < kHour; ++second) {
    const auto snapshot = (*session)->step();
    if (!writer->add(recorder->frame(*snapshot->who))) fail_with("the recording cannot be written");
    clock->sleep_until(*(*session)->next_due({}), {});
  }
  if (!writer->close()) fail_with("the recording cannot be closed");
  return static_cast<double>(writer->bytes());
}

// By CPU time, all threads together: an idle machine is at least as fast, and a busy one is no slower.
double times_real_time(const std::string& file) {
  const std::vector<std::string> sources{"replay:" + file};
  const auto begin = cpu_time();
  if (const auto played = play(sources, {}, [](const Snapshot&) { return true; }); !played) {
    fail_with(played.error().message);
  }
  return kHour / std::chrono::duration<double>(cpu_time() - begin).count();
}

// What `status --source replay:FILE` waits for before it can draw.
double last_moment_ms(const std::string& file) {
  const std::vector<std::string> sources{"replay:" + file};
  const auto begin = std::chrono::steady_clock::now();
  const auto clock = *clock_for(sources, std::nullopt, {}, std::make_shared<SystemClock>());
  auto session = Session::open(sources, clock, {.begin_at_end = true});
  if (!session) fail_with(session.error().message);
  (*session)->step();
  return milliseconds(std::chrono::steady_clock::now() - begin);
}

}  // namespace

void recording() {
  heading("Recordings: 8 GPUs at 1 Hz, a simulated hour (a day is 24 of them)");
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "r.gkr").string();
  for (const bool noisy : {false, true}) {
    const std::string what = noisy ? "noisy GPUs" : "eight-gpus.yaml";
    const auto begin = cpu_time();
    const double bytes = record_hour(file, noisy);
    const auto took = cpu_time() - begin;
    figure(what + ": a day", bytes * 24 / 1e6, "MB", 40);
    figure(what + ": CPU of a frame, reading included", microseconds(took) / kHour, "us");
    figure_at_least(what + ": replay, by CPU time", times_real_time(file), "x real time", 1000);
    figure(what + ": the last moment found", last_moment_ms(file), "ms");
  }
}

}  // namespace gpukeeper::bench
