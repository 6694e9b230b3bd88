#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "format/columns.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// Columns of a screen that a label's value may take; what is longer is cut.
inline constexpr std::size_t kLongestValue = 128;

/// A text as a label's value may be: bounded, of valid UTF-8, without control characters. Drivers, processes and
/// clients may say anything, and Prometheus drops a whole scrape for one wrong byte.
std::string label_value(std::string_view text);

/// Appends name="value" to the labels, after a comma where some are there; the value as label_value() makes it,
/// escaped.
void add_label(std::string& labels, std::string_view name, std::string_view value);

/// One label.
std::string label(std::string_view name, std::string_view value);

/// One label whose value is a number or a word of our own, which needs no care.
std::string plain_label(std::string_view name, std::string_view value);

/// A GPU or a partition of one, and the labels that all its lines bear: gpu="0:1",uuid="…". The first tells all of a
/// snapshot apart, whatever the drivers say.
struct LabelledDevice {
  Place place;
  std::string labels;

  const DeviceSnapshot& operator*() const { return *place.device; }
  const DeviceSnapshot* operator->() const { return place.device; }
};

/// All of a snapshot, each GPU followed by its partitions.
std::vector<LabelledDevice> labelled(const Snapshot& snapshot);

}  // namespace gpukeeper::prometheus
