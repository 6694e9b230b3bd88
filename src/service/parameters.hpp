#pragma once

#include "service/router.hpp"

// Parameters that many rows take, and the tags under which rows are listed.
namespace gpukeeper::service {

inline constexpr std::string_view kDevices = "devices";
inline constexpr std::string_view kPast = "past";
inline constexpr std::string_view kAlerts = "alerts";
inline constexpr std::string_view kLeases = "leases";
inline constexpr std::string_view kReclaim = "reclaim";
inline constexpr std::string_view kEvents = "events";
inline constexpr std::string_view kDaemon = "daemon";
inline constexpr std::string_view kGpuManager = "gpu manager";
inline constexpr std::string_view kSystemMonitor = "system monitor";

inline constexpr Parameter kDevice{"device", "text", "One GPU: its index, UUID or PCI address."};
inline constexpr Parameter kSomeDevices{"device", "text", "Indices, UUIDs or PCI addresses, with commas between them."};
inline constexpr Parameter kLimit{"limit", "count", "At most so many; Link then says where the next page is."};
inline constexpr Parameter kCursor{"cursor", "text", "Where the page before ended, as its Link has it."};
inline constexpr Parameter kSave{"save", "flag", "Whether the file is written, too."};
inline constexpr Parameter kGpuId{"gpu_id", "number", "The index of a GPU; 0 where it is left out."};

}  // namespace gpukeeper::service
