#pragma once

#include "device/process_facts.hpp"
#include "machine/machine_reader.hpp"
#include "service/documented/gpu_list.hpp"
#include "service/documented/words.hpp"

// Included by source files only: words.hpp is heavy.

/// The system monitor's objects about the computer. Sizes in whole MiB, shares in percent with one decimal, times in
/// seconds since 1970; null is what the computer does not tell.
namespace gpukeeper::service::documented {

Json cpu_object(const MachineFacts& facts);     ///< the "cpu" of `/api/system/cpu`
Json memory_object(const MachineFacts& facts);  ///< the "memory" of `/api/system/memory`

/// The answers of `/api/system/cpu`, `memory`, `disk` and `network`.
Json cpu_answer(const MachineFacts& facts, CommandLines command_lines);
Json memory_answer(const MachineFacts& facts, CommandLines command_lines);
Json disk_answer(const MachineFacts& facts);
Json network_answer(const MachineFacts& facts);

/// The answer of `/api/system/overview`.
Json overview(const MachineFacts& facts);

/// "System load normal", or what is high.
std::string explanation(const MachineFacts& facts);

/// The documented word for what a process does, where those of the GPU's processes (mining, ml, video, gaming) say
/// nothing: backup, development, database, system or unknown.
std::string_view system_process_type(const BusyProcess& process);

}  // namespace gpukeeper::service::documented
