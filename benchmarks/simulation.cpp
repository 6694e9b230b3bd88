#include "simulation/simulation.hpp"

#include <chrono>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "figures.hpp"
#include "simulation.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using simulation::Outcome;

constexpr auto kBox = 10s;

// The tests' seeds and more, as long as they play them, until the time is up. By CPU time: a shared machine's clock
// counts the others' work too.
double hours_a_minute(Outcome (*run)(std::uint64_t, std::chrono::nanoseconds, const simulation::Trace&),
                      std::chrono::nanoseconds length) {
  std::chrono::nanoseconds played{0};
  const auto begin = cpu_time();
  for (std::uint64_t seed = 1; cpu_time() - begin < kBox; ++seed) {
    const Outcome outcome = run(seed, length, {});
    if (!outcome.wrong.empty()) {
      fmt::print(stderr, "gpukeeper_bench: seed {} of the simulation: {}\n", seed, outcome.wrong.front());
      std::exit(1);
    }
    played += outcome.simulated;
  }
  const auto spent = cpu_time() - begin;
  return std::chrono::duration<double>(played) / std::chrono::duration<double>(spent) / 60;
}

}  // namespace

void simulation() {
  heading("Proof by simulation: virtual hours in a minute of CPU, every invariant checked at every step");
  figure_at_least("governor and Andon", hours_a_minute(simulation::run_policy, 2h), "h/min", 2000);
  figure_at_least("the book", hours_a_minute(simulation::run_book, 2h), "h/min", 2000);
  figure_at_least("the whole engine", hours_a_minute(simulation::run_engine, 45min), "h/min", 2000);
}

}  // namespace gpukeeper::bench
