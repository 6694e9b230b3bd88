#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"

namespace gpukeeper {

/// What a device's name is looked up by.
struct NameQuestion {
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  std::optional<std::uint8_t> revision;  ///< amdgpu.ids tells boards of one chip apart by it
  std::string product;                   ///< what the board says of itself (amdgpu's `product_name`), where it does
  friend auto operator<=>(const NameQuestion&, const NameQuestion&) = default;
};

/// Names of PCI graphics devices, out of the tables that the machine has: libdrm's amdgpu.ids, then what the board
/// says, then pci.ids, then a short list here of devices younger than the tables of current long-term distributions.
/// What none of them knows is called by its vendor and ids ("AMD GPU 1002:abcd"): a name is never made up.
///
/// The tables are files of up to 1.5 MB. They are read only when a name is asked for that is not known yet, once for
/// all that are asked together, and nothing of them but the answers is kept.
/// Threads: every member may be called from any thread.
class DeviceNames {
 public:
  /// `system` is this machine's files, also where a recorded machine is looked at: the tables belong to the looker.
  explicit DeviceNames(const Files& system) : system_(system) {}

  /// The names, one for each question, in their order; none is empty.
  std::vector<std::string> names(std::span<const NameQuestion> questions);
  std::string name(const NameQuestion& question) { return names(std::span(&question, 1)).front(); }

 private:
  const Files& system_;
  std::mutex mutex_;
  std::map<NameQuestion, std::string> known_;  // guarded by mutex_
};

}  // namespace gpukeeper
