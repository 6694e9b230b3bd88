#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/rfc3339.hpp"  // for documents
#include "device/process_facts.hpp"

// Values as people and documents write them.
namespace gpukeeper {

/// "12.1 GiB", "512 MiB", "0 MiB": a size for people, in powers of 1024.
std::string size_text(std::uint64_t bytes);

/// For people, in the reader's time zone: "2026-05-28 21:46:40".
std::string local_time(WallTime time, std::chrono::seconds utc_offset);

/// What kind of work, in few words: "ML training", "desktop"; empty for unknown.
std::string_view class_text(ProcessClass kind);

/// The narrowest thing that a process belongs to, in few words: "job 4711", "pod 5c6a0d3e", "docker 4f1c09aa37de",
/// "ollama.service"; empty when it belongs to nothing.
std::string place_text(const ProcessPlace& place);

/// How long ago, for people: "12 s", "5 min", "3 h", "2 d".
std::string age_text(std::chrono::nanoseconds age);

}  // namespace gpukeeper
