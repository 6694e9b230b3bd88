#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "postgres/connection.hpp"

// The tables in the database (docs/postgresql.md), in the schema `gpukeeper`:
//
//   schema_version  which migrations have run
//   host            a machine
//   device          a GPU or a partition of one, of a machine
//   writer          a run of gpukeeper: what of its ticks has arrived, so that none is written twice
//   reading         a row a device and tick, a column a metric; a partition a month, or a hypertable of TimescaleDB
//   readings        a view of them with the names of machines and devices
//
// A row a tick and device, and not one a value: measured on PostgreSQL 15 with 24 metrics, index included, that takes
// 248 bytes in place of 1,710 and is copied in a twelfth of the time.
namespace gpukeeper::postgres {

/// What a writer needs to be there.
struct Wishes {
  std::string host;
  std::string stream;                            ///< this run of gpukeeper: unlike any other
  std::vector<std::string> metrics;              ///< columns of `reading`
  std::optional<std::chrono::nanoseconds> keep;  ///< nothing: for ever
  WallTime oldest{};                             ///< of the ticks that are to be written
};

/// What is there.
struct Prepared {
  std::string host_id;
  WallTime from{};  ///< only times from here on, …
  WallTime to{};    ///< … to before this, have a place: others are of a clock that is wrong, or too old to be kept
};

/// Makes what is missing of tables, columns and partitions, under a lock, so that of many daemons that come at once one
/// does it; and says who we are.
/// Errors: not_supported for a database that a newer gpukeeper has migrated; those of Connection.
Result<Prepared> prepare(Connection& connection, const Wishes& wishes);

/// Drops the months that nobody wants to keep any more, unless somebody else is at it. What is kept longest among the
/// machines of the last 30 days holds for all. Answers how many went. Errors: those of Connection.
Result<std::size_t> drop_old_months(Connection& connection);

/// The columns of `reading` that a metric each has, quoted and with commas between them.
std::string column_list(const std::vector<std::string>& metrics);

}  // namespace gpukeeper::postgres
