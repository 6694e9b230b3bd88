#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "format/history_view.hpp"
#include "postgres/database_reader.hpp"

namespace gpukeeper::cli {

/// Which database is read, and of which machine.
struct PastDatabase {
  std::string url;   ///< as given to --database; empty: as it is configured
  std::string host;  ///< as given to --database-host; empty: this machine
};

/// Connects with it. Errors: those of PqConnector; invalid_argument for what is no address, or where none is known.
Result<postgres::DatabaseReader> open_database(const PastDatabase& database, Context& context);

/// The name of that machine there: as given, as it is configured, or this machine's own.
std::string database_host(const PastDatabase& database, const Context& context);

/// What that machine did until `now`, gathered as by its daemon; without `since` in the last hour. GPUs that have gone
/// before that are left out unless they are named.
/// Errors: not_found for a machine, a GPU or a metric that is not there; the message says which are. Those of
/// gather_history and DatabaseReader.
Result<HistoryView> stored_history(postgres::DatabaseReader& reader, const std::string& host, HistoryQuery query,
                                   WallTime now);

/// The machines that are there, as a page, CSV or JSON.
std::string render_hosts(const std::vector<postgres::StoredHost>& hosts, const RenderOptions& render);
std::string hosts_csv(const std::vector<postgres::StoredHost>& hosts);
std::string hosts_json(const std::vector<postgres::StoredHost>& hosts);

}  // namespace gpukeeper::cli
