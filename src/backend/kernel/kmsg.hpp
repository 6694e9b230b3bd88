#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "device/pci_address.hpp"

namespace gpukeeper {

/// One record of the kernel's log. Source of its form: Documentation/ABI/testing/dev-kmsg.
struct KmsgRecord {
  bool from_kernel = true;  ///< facility 0, which no program may use
  std::uint64_t sequence = 0;
  std::chrono::microseconds since_boot{0};  ///< by the monotonic clock
  std::string text;                         ///< unescaped: any bytes
  std::optional<PciAddress> device;         ///< where the kernel says which one the message is about
};

/// Reads "priority,sequence,microseconds,flags[,…];text" and the lines " KEY=value" that may follow; nothing for
/// anything else.
std::optional<KmsgRecord> parse_kmsg(std::string_view record);

/// Where records come from, oldest first.
class KmsgReader {
 public:
  virtual ~KmsgReader() = default;

  /// The next record as the kernel writes it; nothing when there is none now.
  /// Errors: not_permitted, not_supported or unavailable, with a message that says what to do; resource_exhausted when
  /// the kernel has overwritten records before they were read: the next call answers from the oldest that is left.
  virtual Result<std::optional<std::string>> next() = 0;
};

}  // namespace gpukeeper
