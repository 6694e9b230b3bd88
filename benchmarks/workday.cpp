#include "workday.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "backend/simulated/model.hpp"

namespace gpukeeper::bench {
namespace {

using simulated::Curve;

constexpr double kGiB = 1024.0 * 1024 * 1024;

// Numbers of one seed, in order.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(simulated::mix(seed, "workday")) {}
  double between(double least, double most) {
    state_ = simulated::mix(state_, std::uint64_t{1});
    return least + (most - least) * static_cast<double>(state_ >> 11) * 0x1p-53;
  }
  bool chance(double share) { return between(0, 1) < share; }

 private:
  std::uint64_t state_;
};

struct Job {
  double begin = 0, end = 0;  // seconds
  double load = 0;            // share of the power
  double checkpoint = 0;      // from one to the next; 0 for none
  double memory = 0;          // bytes
  double loading = 1;         // seconds until it has them
  double leak = 0;            // bytes a second
  double step = 0;            // bytes by which its cache grows every ten minutes
};

struct Habit {
  double job_least, job_most, pause_least, pause_most;  // minutes
  double load_least, load_most;
  bool checkpoints;
};

constexpr Habit kHabits[] = {{60, 360, 5, 60, 0.7, 1, true},        // trains
                             {4, 25, 1, 20, 0.4, 1, false},         // short jobs
                             {1, 6, 1, 30, 0.1, 0.7, false},        // answers
                             {10, 60, 120, 400, 0.2, 0.9, false}};  // hardly anything

std::vector<Job> jobs_of(Dice& dice, double length, double room) {
  const Habit& habit = kHabits[static_cast<std::size_t>(dice.between(0, 4))];
  std::vector<Job> jobs;
  double at = 60 * dice.between(0, habit.pause_most);
  while (at < length) {
    Job job{.begin = at, .end = at + 60 * dice.between(habit.job_least, habit.job_most)};
    job.load = dice.between(habit.load_least, habit.load_most);
    if (habit.checkpoints) job.checkpoint = 60 * dice.between(15, 50);
    job.memory = room * dice.between(0.1, 0.7);
    job.loading = dice.between(5, 90);
    if (dice.chance(0.3)) job.leak = kGiB * dice.between(0.2, 4) / 3600;
    if (dice.chance(0.3)) job.step = kGiB * dice.between(0.05, 0.5);
    at = job.end + 60 * dice.between(habit.pause_least, habit.pause_most);
    jobs.push_back(job);
  }
  return jobs;
}

double load_at(const Job& job, double t) {
  const double into = t - job.begin;
  if (into < job.loading) return 0.2 * job.load;
  const bool saves = job.checkpoint > 0 && std::fmod(into, job.checkpoint) < 60 && into > job.checkpoint;
  return saves ? 0.25 * job.load : job.load;
}

double memory_at(const Job& job, double t) {
  const double into = t - job.begin;
  return job.memory * std::min(1.0, into / job.loading) + job.leak * into + job.step * std::floor(into / 600);
}

// A die on a cooler in a room.
struct Cooler {
  double ambient, drift, per_watt, slow_share, tau, slow_tau, fan;
  double fast_now = 0, slow_now = 0;

  explicit Cooler(Dice& dice)
      : ambient(dice.between(22, 34)),
        drift(dice.between(0, 4)),
        per_watt(dice.between(0.10, 0.17)),
        slow_share(dice.between(0.1, 0.45)),
        tau(dice.between(15, 90)),
        slow_tau(dice.between(250, 1200)),
        fan(dice.between(0, 0.35)) {}

  double step(double watts, double t, double seconds) {
    // The hotter, the faster the fan, the less a watt warms.
    const double now = per_watt * (1 - fan * std::clamp((fast_now + slow_now - 25) / 50, 0.0, 1.0));
    const auto follow = [&](double& value, double to, double in) {
      value += (to - value) * -std::expm1(-seconds / in);
    };
    follow(fast_now, now * (1 - slow_share) * watts, tau);
    follow(slow_now, now * slow_share * watts, slow_tau);
    return ambient + drift * std::sin(2 * std::numbers::pi * t / 86400) + fast_now + slow_now;
  }
};

// As a scenario of the simulated backend: every ten seconds a point, and noise on top.
simulated::DeviceSpec spec_of(std::uint64_t seed, double length, double& room) {
  Dice dice(seed);
  room = kGiB * (dice.chance(0.5) ? 80 : 24);
  const double limit = dice.between(250, 500);
  const auto jobs = jobs_of(dice, length, room);
  Cooler cooler(dice);
  Curve celsius{.shape = Curve::Line{}, .jitter = dice.between(0.05, 0.4)};
  Curve watts{.shape = Curve::Line{}, .jitter = limit * 0.01}, bytes{.shape = Curve::Line{}};
  auto job = jobs.begin();
  constexpr double kEvery = 5;
  for (double t = 0; t <= length; t += kEvery) {
    while (job != jobs.end() && job->end <= t) ++job;
    const bool works = job != jobs.end() && job->begin <= t;
    const double power = limit * (0.12 + 0.85 * (works ? load_at(*job, t) : 0));
    const double used = kGiB / 2 + (works ? memory_at(*job, t) : 0);
    std::get<Curve::Line>(watts.shape).points.push_back({t, power});
    std::get<Curve::Line>(bytes.shape).points.push_back({t, std::min(used, room)});
    std::get<Curve::Line>(celsius.shape).points.push_back({t, cooler.step(power, t, kEvery)});
  }
  simulated::DeviceSpec spec;
  spec.device.id = DeviceId{"GPU-workday"};
  spec.device.simulated = true;
  spec.metrics = {{"temperature_celsius", celsius}, {"power_watts", watts}, {"memory_used_bytes", bytes}};
  return spec;
}

}  // namespace

Workday simulate_workday(std::uint64_t seed, std::chrono::seconds length, std::chrono::seconds pace) {
  Workday day;
  const auto spec = spec_of(seed, static_cast<double>(length.count()), day.memory);
  const simulated::DeviceModel model(spec, std::nullopt, seed);
  const bool rounds = seed % 2 == 0;  // NVIDIA's sensors know whole degrees
  for (std::chrono::seconds t{0}; t <= length; t += pace) {
    const Reading reading = model.read(static_cast<double>(t.count()));
    const MonotonicTime at = MonotonicTime(std::chrono::hours(1)) + t;
    const double celsius = reading.temperature->value();
    day.celsius.push_back({at, rounds ? std::round(celsius) : celsius});
    day.watts.push_back({at, reading.power->value()});
    day.bytes.push_back({at, static_cast<double>(reading.memory_used->value())});
  }
  return day;
}

}  // namespace gpukeeper::bench
