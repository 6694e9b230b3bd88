#include "embed/keeper.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gpukeeper::embed {

State judge(double temperature, double memory_percent, const Thresholds& thresholds) {
  std::optional<State> worst;
  const auto take = [&](State state) { worst = std::max(worst.value_or(State::optimal), state); };
  if (!std::isnan(temperature)) take(state_of(Celsius(temperature), thresholds));
  if (!std::isnan(memory_percent)) take(state_of(Percent(memory_percent), thresholds));
  return worst.value_or(State::unavailable);
}

}  // namespace gpukeeper::embed
