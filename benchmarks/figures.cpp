#include "figures.hpp"

#include <cstdio>
#include <ctime>

#include <fmt/format.h>

#include "telemetry/self_cost.hpp"

namespace gpukeeper::bench {

namespace {

void print_row(std::string_view what, double value, std::string_view unit, std::string_view goal = "",
               std::string_view verdict = "") {
  const auto row = fmt::format("  {:<58} {:>10.3f} {:<14} {:<26} {}", what, value, unit, goal, verdict);
  fmt::print("{}\n", std::string_view(row).substr(0, row.find_last_not_of(' ') + 1));
  std::fflush(stdout);
}

}  // namespace

void heading(std::string_view text) {
  fmt::print("\n{}\n", text);
  std::fflush(stdout);
}

void figure(std::string_view what, double value, std::string_view unit, std::optional<double> at_most) {
  if (!at_most) return print_row(what, value, unit);
  print_row(what, value, unit, fmt::format("goal <= {:g} {}", *at_most, unit), value <= *at_most ? "met" : "MISSED");
}

void figure_at_least(std::string_view what, double value, std::string_view unit, double at_least) {
  print_row(what, value, unit, fmt::format("goal >= {:g} {}", at_least, unit), value >= at_least ? "met" : "MISSED");
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
