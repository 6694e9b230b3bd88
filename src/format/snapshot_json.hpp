#pragma once

#include <string>
#include <string_view>

#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Whether command lines are given. They may say more than who reads them should know, so a service can leave them out;
/// the member is then not there at all.
enum class CommandLines { given, left_out };

/// What the document calls itself; another number is another document.
inline constexpr std::string_view kSnapshotSchema = "gpukeeper.status/1";

/// `gpukeeper status --json`: the snapshot as docs/schema/status.json describes it. On one line without a line end, or
/// indented for reading.
std::string snapshot_json(const Snapshot& snapshot, bool indented, CommandLines command_lines = CommandLines::given);

/// The published schema itself (JSON Schema 2020-12), its metrics taken from the metric table.
std::string snapshot_schema();

}  // namespace gpukeeper
