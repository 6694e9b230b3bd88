#pragma once

#include <string>
#include <vector>

#include "config/key_table.hpp"

namespace gpukeeper::config {

/// One key that two settings have differently.
struct Difference {
  const Key* key;    ///< never null
  std::string from;  ///< as JSON, without secrets
  std::string to;    ///< as JSON, without secrets
};

/// In the order of the table; empty when they are the same.
std::vector<Difference> differences(const Settings& from, const Settings& to);

/// "temp_throttle: 85 to 80 °C", "listen: […] to […], with a restart".
std::string to_string(const Difference& difference);

}  // namespace gpukeeper::config
