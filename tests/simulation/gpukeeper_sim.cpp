// Plays one seed of the simulation again, or as many as fit into some time.

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "simulation.hpp"

namespace {

using namespace std::chrono_literals;
using namespace gpukeeper::simulation;

struct Options {
  std::string tier = "policy";
  std::optional<std::uint64_t> seed;
  double hours = 0;
  double search = 10;
  bool trace = false;
  bool scenario = false;
};

Outcome run(const Options& options, std::uint64_t seed, std::chrono::nanoseconds length) {
  const auto print = options.trace ? Trace([](const std::string& line) { fmt::print("{}\n", line); }) : Trace();
  if (options.tier == "engine") return run_engine(seed, length, print);
  return options.tier == "book" ? run_book(seed, length, print) : run_policy(seed, length, print);
}

int report(const Options& options, std::uint64_t seed, const Outcome& outcome) {
  const double hours = std::chrono::duration<double, std::ratio<3600>>(outcome.simulated).count();
  fmt::print("{} seed {}: {} steps, {:.2f} h, {} changes of state, digest {:016x}: {}\n", options.tier, seed,
             outcome.steps, hours, outcome.state_changes, outcome.digest, outcome.wrong.empty() ? "all held" : "WRONG");
  for (const std::string& line : outcome.wrong) fmt::print("  {}\n", line);
  return outcome.wrong.empty() ? 0 : 1;
}

int search(const Options& options, std::chrono::nanoseconds length) {
  std::random_device device;
  const auto begin = std::chrono::steady_clock::now();
  const auto spent = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  double hours = 0;
  std::uint64_t runs = 0;
  for (; spent() < options.search; ++runs) {
    const std::uint64_t seed = (std::uint64_t{device()} << 32) | device();
    const Outcome outcome = run(options, seed, length);
    hours += std::chrono::duration<double, std::ratio<3600>>(outcome.simulated).count();
    if (!outcome.wrong.empty()) return report(options, seed, outcome);
  }
  fmt::print("{}: {} seeds, {:.0f} virtual hours in {:.1f} s ({:.0f} a minute): all held\n", options.tier, runs, hours,
             spent(), hours / spent() * 60);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Plays a seed of gpukeeper's simulation, or looks for one that fails.");
  Options options;
  app.add_option("--tier", options.tier, "policy (governor and alerts), engine (the whole engine) or book (the ledger)")
      ->check(CLI::IsMember({"policy", "engine", "book"}));
  app.add_option("--seed", options.seed, "The seed to play; without one, seeds by chance.");
  app.add_option("--hours", options.hours, "How long, by the simulated clock; else as the tests have it.");
  app.add_option("--search", options.search, "Without a seed: look for so many seconds.");
  app.add_flag("--trace", options.trace, "Print everything that happens.");
  app.add_flag("--scenario", options.scenario, "Only print the machine of the engine's tier, as a scenario.");
  CLI11_PARSE(app, argc, argv);
  const auto usual = options.tier == "engine" ? std::chrono::nanoseconds(45min) : std::chrono::nanoseconds(2h);
  const auto length = options.hours > 0 ? std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::duration<double, std::ratio<3600>>(options.hours))
                                        : usual;
  if (!options.seed) return search(options, length);
  if (options.scenario) {
    fmt::print("{}", scenario_of(*options.seed, length));
    return 0;
  }
  return report(options, *options.seed, run(options, *options.seed, length));
}
