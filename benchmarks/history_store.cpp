#include "history_store.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "fakes/temporary_folder.hpp"
#include "figures.hpp"
#include "noisy_backend.hpp"
#include "storage/history_keeper.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kDay = 86'400;
const WallTime kMidnight{std::chrono::seconds(1'780'012'800)};

void fail_with(const std::string& message) {
  fmt::print(stderr, "gpukeeper_bench: {}\n", message);
  std::exit(1);
}

// A machine at 1 Hz whose store is stepped as its thread would be.
class Machine {
 public:
  explicit Machine(const std::string& folder) {
    const auto devices = backend_.list();
    for (const Device& device : *devices) {
      DeviceSnapshot& d = snapshot_.devices.emplace_back();
      d.device = std::make_shared<const Device>(device);
      d.available = true;
    }
    keeper_.remember(history_);
    keeper_.open(folder);
  }

  void live(int from, int to) {
    for (int second = from; second < to; ++second) {
      snapshot_.monotonic = MonotonicTime(1h + std::chrono::seconds(second));
      snapshot_.taken_at = kMidnight + std::chrono::seconds(second);
      for (DeviceSnapshot& d : snapshot_.devices) d.reading = *backend_.read(d.device->id);
      history_->add(snapshot_);
      const auto latest = std::make_shared<const Snapshot>(snapshot_);
      const auto begin = cpu_time();
      keeper_.see(latest);
      if (second % 60 == 0 && keeper_.step()) fail_with(keeper_.trouble());
      stored_ += cpu_time() - begin;
    }
  }

  std::chrono::nanoseconds stored() const { return stored_; }

  // Milliseconds of a day of a metric, read from the file alone.
  double read(std::chrono::nanoseconds step) const {
    const auto begin = std::chrono::steady_clock::now();
    double sum = 0;
    const auto read = keeper_.read({.device = snapshot_.devices[3].device->id,
                                    .metrics = {"power_watts"},
                                    .from = kMidnight,
                                    .to = kMidnight + 24h,
                                    .step = step,
                                    .known = std::nullopt},
                                   [&](std::size_t, WallTime, const HistoryBucket& bucket) { sum += bucket.avg; });
    if (!read || sum == 0) fail_with("the day cannot be read");
    return milliseconds(std::chrono::steady_clock::now() - begin);
  }

 private:
  NoisyBackend backend_{NoisyBackend::Sensors::all};
  Snapshot snapshot_;
  const std::shared_ptr<History> history_ = std::make_shared<History>();
  HistoryKeeper keeper_{{}};
  std::chrono::nanoseconds stored_{0};
};

// Bytes of blocks of a tier.
double bytes_of(const std::string& path, std::size_t tier) {
  const auto sum =
      sqlite::Database::open(path, sqlite::Database::Access::read).and_then([&](sqlite::Database database) {
        return database.integer(fmt::format("SELECT sum(length(data) + 100) FROM block WHERE tier = {}", tier));
      });
  if (!sum) fail_with(sum.error().error.message);
  return static_cast<double>(*sum);
}

}  // namespace

void history_store() {
  heading("The history that lasts: two days of 8 GPUs that tell all 24 metrics at 1 Hz, written once a minute");
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "history.db").string();
  Machine machine(folder.path().string());
  machine.live(0, 2 * kDay + 3600);
  figure("CPU of the writer", std::chrono::duration<double>(machine.stored()) / std::chrono::seconds(2 * kDay) * 100,
         "% of a core", 0.2);
  constexpr std::array kNames{"as measured", "ten seconds", "a minute", "an hour"};
  constexpr std::array kDays{2.0, 7.0, 30.0, 30.0};
  double month = 0;
  for (std::size_t tier = 0; tier < kNames.size(); ++tier) {
    const double megabytes = bytes_of(path, tier) / 2 / 1e6;
    month += megabytes * kDays.at(tier);
    figure(fmt::format("a day, {}", kNames.at(tier)), megabytes, "MB", tier == 0 ? std::optional(60.0) : std::nullopt);
  }
  figure("30 days, each tier as long as it is kept", month, "MB", 512);
  for (const auto& [name, step] : {std::pair("as measured", 1ns), std::pair("in steps of 10 s", 10'000'000'000ns),
                                   std::pair("in steps of 5 min", 300'000'000'000ns)}) {
    figure(fmt::format("a day of one metric read, {}", name), machine.read(step), "ms");
  }
}

}  // namespace gpukeeper::bench
