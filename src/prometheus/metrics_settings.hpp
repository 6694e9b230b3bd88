#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/listen_address.hpp"
#include "core/result.hpp"

namespace gpukeeper::prometheus {

/// The families of metrics; no name is in two of them.
enum class MetricFamily {
  gpukeeper,   ///< our own
  documented,  ///< gpu_*: those of the documented resource optimizer (contract 1.2.3)
  prefix,      ///< entrenar_gpu_*, or under another prefix (contract 1.4.6)
  dcgm,        ///< DCGM_FI_*: those that dashboards for NVIDIA's exporter know
};

inline constexpr std::pair<std::string_view, MetricFamily> kFamilies[] = {{"gpukeeper", MetricFamily::gpukeeper},
                                                                          {"documented", MetricFamily::documented},
                                                                          {"prefix", MetricFamily::prefix},
                                                                          {"dcgm", MetricFamily::dcgm}};

using FamilySet = std::set<MetricFamily>;

/// Every one.
FamilySet all_families();

/// "gpukeeper,dcgm": those named.
/// Errors: invalid_argument with the names that there are.
Result<FamilySet> parse_families(std::string_view words);

struct MetricsSettings {
  std::vector<MetricFamily> families{MetricFamily::gpukeeper, MetricFamily::documented, MetricFamily::prefix,
                                     MetricFamily::dcgm};
  std::string prefix = "entrenar";             ///< of the family of that name
  std::string service_name = "gpu-optimizer";  ///< of the documented family's gauges
  std::vector<ListenAddress> listen;           ///< where only metrics and health are answered; empty: nowhere

  FamilySet family_set() const { return {families.begin(), families.end()}; }
  friend bool operator==(const MetricsSettings&, const MetricsSettings&) = default;
};

/// Everything that is wrong with them, a sentence each that begins with the key.
std::vector<std::string> check(const MetricsSettings& settings);

}  // namespace gpukeeper::prometheus
