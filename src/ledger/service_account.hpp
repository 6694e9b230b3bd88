#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/units.hpp"
#include "ledger/ledger_settings.hpp"
#include "ledger/symbol.hpp"

namespace gpukeeper {

/// What one service holds, over all devices, and what it may.
struct ServiceAccount {
  Symbol name;  ///< as its quota writes it, else as its first request did
  std::optional<ServiceQuota> quota;
  Bytes booked{0};                       ///< guaranteed to its leases that are held
  std::uint32_t leases = 0;              ///< that are held
  std::uint32_t known = 0;               ///< leases of any state that name it
  std::vector<std::uint32_t> on_device;  ///< held leases by the device's place; shorter where there are none

  bool is_on(std::size_t device) const { return device < on_device.size() && on_device[device] > 0; }
};

/// Names of services by which '-' and '_' are the same (canonical_service).
struct ServiceHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c == '_' ? '-' : c)) * 1099511628211u;
    return hash;
  }
};
struct ServiceEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if ((a[i] == '_' ? '-' : a[i]) != (b[i] == '_' ? '-' : b[i])) return false;
    }
    return true;
  }
};

using ServiceAccounts = std::unordered_map<std::string, ServiceAccount, ServiceHash, ServiceEqual>;

}  // namespace gpukeeper
