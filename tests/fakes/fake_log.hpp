#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/log.hpp"

namespace gpukeeper {

/// Keeps the lines as "level: text".
class FakeLogTarget final : public LogTarget {
 public:
  void write(const LogLine& line) noexcept override {
    std::scoped_lock lock(mutex_);
    lines_.push_back(std::string(to_string(line.level)) + ": " + line.text);
  }
  /// What came since the last call.
  std::vector<std::string> take() {
    std::scoped_lock lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace gpukeeper
