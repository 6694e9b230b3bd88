#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace gpukeeper::simulation {

/// All that happens by chance follows from one seed. The distributions are our own, as those of the standard library
/// differ from one to the next, and a seed shall mean the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// From 0 to below 1.
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  double between(double least, double most) { return least + (most - least) * unit(); }
  /// Both ends included.
  int between(int least, int most) {
    return least + static_cast<int>(engine_() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool chance(double probability) { return unit() < probability; }
  std::uint64_t bits() { return engine_(); }

  std::chrono::seconds seconds(int least, int most) { return std::chrono::seconds(between(least, most)); }

  template <class T>
  const T& one_of(std::span<const T> choices) {
    return choices[static_cast<std::size_t>(engine_() % choices.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace gpukeeper::simulation
