#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/clock.hpp"
#include "core/rfc3339.hpp"  // for documents

// Values as people and documents write them.
namespace gpukeeper {

/// "12.1 GiB", "512 MiB", "0 MiB": a size for people, in powers of 1024.
std::string size_text(std::uint64_t bytes);

/// For people, in the reader's time zone: "2026-05-28 21:46:40".
std::string local_time(WallTime time, std::chrono::seconds utc_offset);

/// How long ago, for people: "12 s", "5 min", "3 h", "2 d".
std::string age_text(std::chrono::nanoseconds age);

}  // namespace gpukeeper
