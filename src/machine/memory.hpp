#pragma once

#include <optional>
#include <string_view>

#include "core/units.hpp"

namespace gpukeeper {

/// The computer's memory (/proc/meminfo).
struct MemoryFacts {
  Bytes total{0};
  Bytes available{0};  ///< what new work could have
  Bytes free{0};       ///< what nobody uses, not as a cache either
  std::optional<Bytes> cached;
  std::optional<Bytes> buffers;
  std::optional<Bytes> swap_total;
  std::optional<Bytes> swap_free;

  Bytes used() const { return remaining(total, available); }
  Percent used_share() const {
    return Percent(total.value() > 0 ? 100.0 * static_cast<double>(used().value()) / static_cast<double>(total.value())
                                     : 0);
  }
};

/// Nothing for a text that does not name total, available and free memory (Linux 3.14).
std::optional<MemoryFacts> parse_meminfo(std::string_view meminfo);

}  // namespace gpukeeper
