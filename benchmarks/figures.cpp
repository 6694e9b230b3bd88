#include "figures.hpp"

#include <cstdio>
#include <ctime>

#include <fmt/format.h>

#include "telemetry/self_cost.hpp"

namespace gpukeeper::bench {

void heading(std::string_view text) {
  fmt::print("\n{}\n", text);
  std::fflush(stdout);
}

void figure(std::string_view what, double value, std::string_view unit, std::optional<double> at_most) {
  const auto goal = at_most ? fmt::format("goal <= {:g} {}", *at_most, unit) : std::string();
  const auto verdict = !at_most ? "" : value <= *at_most ? "met" : "MISSED";
  fmt::print("  {:<58} {:>10.3f} {:<14} {:<26} {}\n", what, value, unit, goal, verdict);
  std::fflush(stdout);
}

void figure_at_least(std::string_view what, double value, std::string_view unit, double at_least) {
  fmt::print("  {:<58} {:>10.3f} {:<14} {:<26} {}\n", what, value, unit, fmt::format("goal >= {:g} {}", at_least, unit),
             value >= at_least ? "met" : "MISSED");
  std::fflush(stdout);
}

// Not SelfMeter's: it reads a file as well, which costs as much as the shortest things that are measured.
std::chrono::nanoseconds cpu_time() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

double resident_mib() {
  return static_cast<double>(SelfMeter().read().resident.value()) / (1 << 20);
}

}  // namespace gpukeeper::bench
