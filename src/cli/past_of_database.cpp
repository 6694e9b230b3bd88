#include "cli/past_of_database.hpp"

#include <algorithm>
#include <stop_token>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "core/machine_name.hpp"
#include "core/nearest.hpp"
#include "core/rfc3339.hpp"
#include "format/columns_text.hpp"
#include "format/json_text.hpp"
#include "format/past_view.hpp"
#include "postgres/database_url.hpp"
#include "postgres/pq_connection.hpp"

namespace gpukeeper::cli {
namespace {

using postgres::DatabaseReader;
using postgres::StoredDevice;
using postgres::StoredHost;

constexpr std::chrono::hours kUsualLength{1};  // as the daemon's
constexpr std::size_t kMostNames = 12;         // in a message

// The server says first that it takes too long, and why.
constexpr std::chrono::seconds kAfterTheServer{2};

// Of what is wrong with a name: which there are.
std::string choices(const std::string& meant, const std::vector<std::string_view>& all) {
  if (const auto near = nearest(meant, all); !near.empty()) return fmt::format("did you mean '{}'?", harmless(near));
  std::vector<std::string> some;
  for (const std::string_view each : all) {
    if (some.size() < kMostNames) some.push_back(harmless(each));
  }
  const std::string rest = all.size() > some.size() ? fmt::format(" and {} more", all.size() - some.size()) : "";
  return fmt::format("there {} {}{}", all.size() == 1 ? "is" : "are", fmt::join(some, ", "), rest);
}

// A machine without a device, or none.
Error unknown_host(DatabaseReader& reader, const std::string& host) {
  const auto hosts = reader.hosts();
  if (!hosts) return hosts.error();
  std::vector<std::string_view> names;
  for (const StoredHost& each : *hosts) names.push_back(each.name);
  if (std::ranges::find(names, host) != names.end()) {
    return {Errc::not_found, fmt::format("the machine '{}' has no GPU in that database", harmless(host))};
  }
  return {Errc::not_found, fmt::format("there is no machine '{}' in that database: {}", harmless(host),
                                       names.empty() ? "nobody has written there yet" : choices(host, names))};
}

// What is asked for and there; without a wish what people look at first.
Result<std::vector<std::string>> metrics_of(DatabaseReader& reader, const std::vector<std::string>& wanted) {
  const auto stored = reader.metrics();
  if (!stored) return tl::make_unexpected(stored.error());
  const auto is_stored = [&](std::string_view name) { return std::ranges::find(*stored, name) != stored->end(); };
  std::vector<std::string> result;
  for (const std::string& name : wanted) {
    if (find_metric(name) && !is_stored(name)) {
      return fail(Errc::not_found, fmt::format("{} is not kept in that database (database.metrics names what is): it "
                                               "has {}",
                                               name, fmt::join(*stored, ", ")));
    }
    result.push_back(name);
  }
  if (!wanted.empty()) return result;
  for (const std::string_view name : kUsualMetrics) {
    if (is_stored(name)) result.emplace_back(name);
  }
  return result;
}

// What a reader knows of one machine, as what lies further back than memory: here all does.
class DatabasePast final : public OlderHistory {
 public:
  DatabasePast(DatabaseReader& reader, const std::string& host) : reader_(reader), host_(host) {}

  Result<void> read(const Query& query, const Take& take) const override { return reader_.read(host_, query, take); }
  std::optional<WallTime> oldest() const override { return std::nullopt; }  // it is said since when

 private:
  DatabaseReader& reader_;
  const std::string& host_;
};

// The machine at that moment, by the clock on the wall alone.
Snapshot snapshot_of(const std::string& host, std::vector<StoredDevice> devices, WallTime now) {
  Snapshot snapshot;
  snapshot.sequence = 1;
  snapshot.taken_at = now;
  snapshot.monotonic = MonotonicTime(now.time_since_epoch());
  snapshot.host = host;
  snapshot.devices = postgres::as_snapshots(std::move(devices));
  return snapshot;
}

// Without those that had gone before; all where none is left.
std::vector<StoredDevice> seen_since(const std::vector<StoredDevice>& devices, WallTime moment) {
  std::vector<StoredDevice> seen;
  std::ranges::copy_if(devices, std::back_inserter(seen),
                       [&](const StoredDevice& device) { return device.last && *device.last >= moment; });
  return seen.empty() ? devices : seen;
}

}  // namespace

std::string database_host(const PastDatabase& database, const Context& context) {
  if (!database.host.empty()) return database.host;
  const std::string& configured = context.settings.database.host;
  return configured.empty() ? machine_name(context.environment) : configured;
}

Result<DatabaseReader> open_database(const PastDatabase& database, Context& context) {
  const auto& settings = context.settings.database;
  postgres::DatabaseAddress address{.url = settings.url,
                                    .url_file = settings.url_file,
                                    .password_file = settings.password_file,
                                    .timeout = settings.timeout + kAfterTheServer};
  if (!database.url.empty()) {  // a configured password is not for just anybody
    address.url = postgres::without_driver(database.url);
    address.url_file.clear();
    address.password_file.clear();
    if (const auto refusal = postgres::refusal_of_url(address.url)) {
      return fail(Errc::invalid_argument, "--database: " + *refusal);
    }
  } else if (!settings.on()) {
    return fail(Errc::invalid_argument,
                "no database is configured: say which, with --database postgresql://USER@HOST:5432/NAME, or with "
                "database.url in the configuration");
  }
  auto connection = postgres::PqConnector(std::move(address), context.files).connect(std::stop_token());
  if (!connection) return tl::make_unexpected(connection.error());
  return DatabaseReader(std::move(*connection),
                        std::chrono::ceil<std::chrono::milliseconds>(context.settings.database.timeout));
}

Result<HistoryView> stored_history(DatabaseReader& reader, const std::string& host, HistoryQuery query, WallTime now) {
  auto devices = reader.devices(host);
  if (!devices) return tl::make_unexpected(devices.error());
  if (devices->empty()) return tl::make_unexpected(unknown_host(reader, host));
  auto metrics = metrics_of(reader, query.metrics);
  if (!metrics) return tl::make_unexpected(metrics.error());
  const auto pace = reader.pace(host);
  if (!pace) return tl::make_unexpected(pace.error());
  if (*pace) query.pace = std::chrono::ceil<std::chrono::seconds>(**pace);
  if (!query.since) query.since = now - kUsualLength;
  if (query.devices.empty()) *devices = seen_since(*devices, *query.since);
  const Snapshot snapshot = snapshot_of(host, std::move(*devices), now);
  HistorySettings settings;
  settings.metrics = std::move(*metrics);
  History nothing(settings);
  nothing.add(snapshot);  // of which no device is there: only the time is known
  const DatabasePast past(reader, host);
  auto view = gather_history(nothing, &past, snapshot, query);
  if (view && !view->incomplete.empty()) return fail(Errc::unavailable, view->incomplete);
  return view;
}

std::string render_hosts(const std::vector<StoredHost>& hosts, const RenderOptions& render) {
  if (hosts.empty()) return "No machine has written there yet.\n";
  Table table({{.header = "MACHINE", .shrinks_to = 12},
               {.header = "GPUS", .align = Column::Align::right},
               {.header = "SINCE"},
               {.header = "UNTIL"}});
  const auto time = [](const std::optional<WallTime>& moment) { return Cell(moment ? rfc3339(*moment) : "-"); };
  for (const StoredHost& host : hosts) {
    table.add_row({Cell(harmless(host.name, render.utf8), Ink::strong), Cell(fmt::format("{}", host.devices)),
                   time(host.first), time(host.last)});
  }
  return fmt::format("{}\n", fmt::join(table.render(render), "\n"));
}

std::string hosts_csv(const std::vector<StoredHost>& hosts) {
  const auto time = [](const std::optional<WallTime>& moment) { return moment ? rfc3339(*moment) : ""; };
  std::string text = "host,gpus,since,until\n";
  for (const StoredHost& host : hosts) {
    text += fmt::format("{},{},{},{}\n", csv_field(host.name), host.devices, time(host.first), time(host.last));
  }
  return text;
}

std::string hosts_json(const std::vector<StoredHost>& hosts) {
  const auto time = [](const std::optional<WallTime>& moment) { return moment ? Json(rfc3339(*moment)) : Json(); };
  Json all = Json::array();
  for (const StoredHost& host : hosts) {
    all.push_back(
        {{"host", host.name}, {"gpus", host.devices}, {"since", time(host.first)}, {"until", time(host.last)}});
  }
  return dump({{"schema", "gpukeeper.database_hosts/1"}, {"hosts", std::move(all)}}, true) + "\n";
}

}  // namespace gpukeeper::cli
