#include "cli/outlets.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/version.hpp"
#include "core/files.hpp"
#include "core/machine_name.hpp"
#include "postgres/database_export.hpp"
#include "postgres/database_history.hpp"
#include "postgres/pq_connection.hpp"
#include "push/otlp_body.hpp"
#include "push/push_export.hpp"
#ifdef GPUKEEPER_REMOTE_WRITE
#include "push/remote_write/remote_write.hpp"
#endif
#include "telemetry/joined_history.hpp"

namespace gpukeeper::cli {
namespace {

using service::Outlet;

// What is written there, and what was. What reads the files of secrets is kept with what asks for them.
struct Database {
  Database(const postgres::DatabaseSettings& settings, Log& log)
      : read({.host = settings.host.empty() ? machine_name() : settings.host},
             connector(settings, postgres::DatabaseHistory::Options().patience)),
        exported(settings, machine_name(), connector(settings, settings.timeout), log) {}

  std::unique_ptr<postgres::Connector> connector(const postgres::DatabaseSettings& settings,
                                                 std::chrono::nanoseconds timeout) const {
    postgres::DatabaseAddress address{.url = settings.url,
                                      .url_file = settings.url_file,
                                      .password_file = settings.password_file,
                                      .timeout = std::min(timeout, settings.timeout)};
    return std::make_unique<postgres::PqConnector>(std::move(address), files);
  }
  bool ended() { return exported.ended() && read.ended(); }
  void begin_stop() {
    read.begin_stop();
    exported.begin_stop();
  }

  const RealFiles files;
  postgres::DatabaseHistory read;  // after them, as well as the next
  postgres::DatabaseExport exported;
};

Outlet database_of(const postgres::DatabaseSettings& settings, const service::OutletWorld& world, Log& log) {
  const auto database = std::make_shared<Database>(settings, log);
  const std::shared_ptr<const OlderHistory> read(database, &database->read);
  return {.see = [database](const std::shared_ptr<const Snapshot>& snapshot) { database->exported.see(*snapshot); },
          .status = [database] { return database->exported.status(); },
          .begin_stop = [database] { database->begin_stop(); },
          .ended = [database] { return database->ended(); },
          .older = world.kept ? std::make_shared<const JoinedHistory>(world.kept, read) : read};
}

std::optional<std::string> variable(std::string_view name) {
  const char* const value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): only read
  return value ? std::optional<std::string>(value) : std::nullopt;
}

Outlet push_of(const push::PushSettings& settings, push::Protocol protocol, const service::OutletWorld& world,
               Log& log) {
  const prometheus::FamilySet families(settings.families.begin(), settings.families.end());
  const auto pushed =
      std::make_shared<push::PushExport>(settings, machine_name(), std::move(protocol), variable, log,
                                         [metrics = world.metrics, families] { return metrics(families); });
  return {.status = [pushed] { return pushed->status(); },
          .begin_stop = [pushed] { pushed->begin_stop(); },
          .ended = [pushed] { return pushed->ended(); }};
}

}  // namespace

service::MakeOutlets outlets_of(const config::Settings& settings, Log& log) {
  if (!settings.database.on() && !settings.remote_write.on() && !settings.otlp.on()) return nullptr;
  return [database = settings.database, remote_write = settings.remote_write, otlp = settings.otlp,
          &log](const service::OutletWorld& world) {
    std::vector<Outlet> outlets;
    if (database.on()) outlets.push_back(database_of(database, world, log));
#ifdef GPUKEEPER_REMOTE_WRITE
    if (remote_write.on()) outlets.push_back(push_of(remote_write, push::remote_write_protocol(), world, log));
#endif
    if (otlp.on()) {
      auto protocol = push::otlp_protocol({.host = machine_name(), .version = std::string(program_version())});
      outlets.push_back(push_of(otlp, std::move(protocol), world, log));
    }
    return outlets;
  };
}

}  // namespace gpukeeper::cli
