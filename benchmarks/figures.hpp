#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper::bench {

/// Prints one figure in a row of its own, with the goal beside it and whether it is met; a figure without a goal is a
/// baseline or a comparison.
void figure(std::string_view what, double value, std::string_view unit, std::optional<double> at_most = {});

/// As above, where more is better.
void figure_at_least(std::string_view what, double value, std::string_view unit, double at_least);

/// Prints a line that explains the rows after it.
void heading(std::string_view text);

/// CPU time that this process has used.
std::chrono::nanoseconds cpu_time();

/// Memory of this process that is resident now, in MiB.
double resident_mib();

constexpr double microseconds(std::chrono::nanoseconds t) {
  return static_cast<double>(t.count()) / 1e3;
}
constexpr double milliseconds(std::chrono::nanoseconds t) {
  return static_cast<double>(t.count()) / 1e6;
}

}  // namespace gpukeeper::bench
