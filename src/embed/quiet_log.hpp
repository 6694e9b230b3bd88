#pragma once

#include <memory>

#include "core/log.hpp"

namespace gpukeeper::embed {

/// A library writes nothing on the streams of the program that it is part of: what is wrong its calls say.
class QuietLog final : public LogTarget {
 public:
  void write(const LogLine&) noexcept override {}
};

}  // namespace gpukeeper::embed
