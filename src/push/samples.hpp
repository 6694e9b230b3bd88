#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpukeeper::push {

/// Names and values, sorted by name.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// One line of /metrics.
struct Sample {
  std::string name;  ///< of a histogram's line with its suffix
  Labels labels;
  double value = 0;
};

/// What a "# TYPE" line says, and the lines below it.
struct Family {
  enum class Type { gauge, counter, histogram };
  std::string name;
  std::string help;
  Type type = Type::gauge;
  std::vector<Sample> samples;
};

/// The text of /metrics, as we write it (Prometheus text 0.0.4, no times). What is no line of it is left out.
std::vector<Family> parse_metrics(std::string_view text);

/// With these labels, too, where a series has none of that name. "cluster=a"
void add_labels(std::vector<Family>& families, const std::vector<std::string>& labels);

/// What the receiver writes as the label of the machine: job="gpukeeper", instance=HOST, and the configured ones.
std::vector<std::string> with_instance(std::vector<std::string> labels, const std::string& host);

}  // namespace gpukeeper::push
