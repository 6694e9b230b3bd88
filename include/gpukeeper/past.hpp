#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpukeeper/export.hpp"

// What the GPUs did until now, and where their temperature is going: Keeper::histories() and Keeper::trends().
namespace gpukeeper {
inline namespace v0 {

/// A piece of the past.
struct HistoryBucket {
  std::chrono::system_clock::time_point begins = {};
  std::uint64_t count = 0;         ///< of readings; without any the values are absent
  std::optional<double> min = {};  ///< in the metric's unit, as all of them
  std::optional<double> average = {};
  std::optional<double> max = {};
  std::optional<double> last = {};
};

/// One metric of one GPU.
struct History {
  std::string device = {};  ///< its index: "0", of a partition "0:1"
  std::string name = {};
  std::string metric = {};                  ///< "temperature_celsius"
  std::string unit = {};                    ///< "celsius"
  std::vector<HistoryBucket> buckets = {};  ///< oldest first, each as long
};

/// Where one GPU's temperature is going.
struct Trend {
  std::string device = {};  ///< its index
  std::string name = {};
  std::uint64_t sample_count = 0;
  std::optional<double> current_celsius = {};
  std::optional<double> min_celsius = {};
  std::optional<double> max_celsius = {};
  std::optional<double> average_celsius = {};
  std::string direction = {};          ///< "rising", "falling" or "stable"; empty where it is not known
  std::optional<bool> is_stable = {};  ///< the highest is less than 5 °C above the lowest
  std::optional<double> celsius_per_minute = {};
  std::optional<double> seconds_until_limit = {};  ///< at this pace
  std::string reason = {};                         ///< why no direction is known
};

/// Reads GET /api/v1/history (docs/schema/history.json). What is missing is absent. Nothing for a text that is no such
/// document; then `mistake`, where it is given, says why.
GPUKEEPER_API std::optional<std::vector<History>> read_histories(std::string_view json, std::string* mistake = nullptr);

/// The same of GET /api/v1/trend (docs/schema/trend.json).
GPUKEEPER_API std::optional<std::vector<Trend>> read_trends(std::string_view json, std::string* mistake = nullptr);

}  // namespace v0
}  // namespace gpukeeper
