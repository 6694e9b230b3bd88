#pragma once

#include "account/account_store.hpp"
#include "storage/sqlite.hpp"

// The account as rows of tables.
namespace gpukeeper::sqlite {

/// The script that makes the tables of version 1.
const char* account_tables();

/// The script that makes version 2 of them: with the names of pods.
const char* account_pod_table();

/// Writes these slots, alerts and what belongs to them, each in place of what stands there. Within a transaction.
Outcome<void> write_account(Database& database, const account::Account& changes);

/// What is wanted, as of one moment.
Outcome<account::Account> read_account(Database& database, const account::Wanted& wanted);

/// Deletes what was over before then, and the parties that are left with nothing. Within a transaction.
Outcome<void> forget_account(Database& database, WallTime before);

}  // namespace gpukeeper::sqlite
