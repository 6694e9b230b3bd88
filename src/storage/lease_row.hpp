#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/changes.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper {

/// A lease as a row of a table: the columns of kLeaseColumns in their order. The last one is a checksum over the
/// others, as SQLite keeps none of what it stores.
///
/// Instants of the steady clock are not kept: after a restart what lasts begins anew.

/// For CREATE TABLE.
inline constexpr std::string_view kLeaseColumns =
    "id INTEGER NOT NULL, grant_id INTEGER NOT NULL, grant_size INTEGER NOT NULL, generation INTEGER NOT NULL, "
    "token INTEGER NOT NULL, service TEXT NOT NULL, device TEXT NOT NULL, name TEXT NOT NULL, "
    "request_id TEXT NOT NULL, min_bytes INTEGER NOT NULL, max_bytes INTEGER NOT NULL, peak_bytes INTEGER NOT NULL, "
    "end_bytes INTEGER NOT NULL, owner TEXT NOT NULL, pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL, "
    "ttl_ns INTEGER NOT NULL, priority INTEGER NOT NULL, uid INTEGER NOT NULL, state TEXT NOT NULL, "
    "reason TEXT NOT NULL, surface TEXT NOT NULL, exclusive INTEGER NOT NULL, created_ns INTEGER NOT NULL, "
    "changed_ns INTEGER NOT NULL, lifetime_ns INTEGER NOT NULL, metadata TEXT NOT NULL, boot_id TEXT NOT NULL, "
    "checksum INTEGER NOT NULL";

/// For INSERT: one mark a column.
inline constexpr std::string_view kLeaseMarks =
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

void bind_lease(sqlite::Statement& statement, const Lease& lease, std::string_view boot_id);

/// The lease in the row that step() has reached. Damaged when it is none: a word that nobody knows, a checksum that
/// does not fit.
sqlite::Outcome<KeptLease> read_lease(sqlite::Statement& row);

}  // namespace gpukeeper
