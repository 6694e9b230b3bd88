#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace gpukeeper::prometheus {

/// What a file of tests/prometheus/golden holds.
inline std::string golden(const std::string& name) {
  std::ifstream file(GPUKEEPER_SOURCE_DIR "/tests/prometheus/golden/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Compares, and leaves what was written in the build folder: looked at and copied, it is the next golden file.
inline void expect_golden(const std::string& written, const std::string& name) {
  std::ofstream(GPUKEEPER_BINARY_DIR "/" + name + ".written", std::ios::binary) << written;
  EXPECT_EQ(written, golden(name)) << "it is in " GPUKEEPER_BINARY_DIR "/" << name << ".written";
}

}  // namespace gpukeeper::prometheus
