#pragma once

#include <span>
#include <string>

#include "format/columns.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// The head line of CSV: the identity table's names, then the metric table's. With a line end, as all lines here.
std::string csv_header();

/// A line for each device and each partition, quoted as RFC 4180 says, but with plain line feeds as every other tool
/// here writes and reads them; an absent value is an empty field.
std::string csv_rows(const Snapshot& snapshot);

/// One field, quoted where it must be.
std::string csv_field(std::string_view text);

/// The values of the keys, a line for each physical device (a partition only where it was selected), separated by
/// tabs. An absent value is "-". Control characters in texts become "?", so that a line is a line.
std::string query_lines(const Snapshot& snapshot, std::span<const ColumnKey> keys);

}  // namespace gpukeeper
