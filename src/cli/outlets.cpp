#include "cli/outlets.hpp"

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/version.hpp"
#include "core/files.hpp"
#include "core/machine_name.hpp"
#include "postgres/database_export.hpp"
#include "postgres/pq_connection.hpp"
#include "push/otlp_body.hpp"
#include "push/push_export.hpp"
#ifdef GPUKEEPER_REMOTE_WRITE
#include "push/remote_write/remote_write.hpp"
#endif

namespace gpukeeper::cli {
namespace {

using service::Outlet;

// What reads the files of secrets is kept with what asks for them.
struct Database {
  explicit Database(const postgres::DatabaseSettings& settings, Log& log)
      : exported(
            settings, machine_name(),
            std::make_unique<postgres::PqConnector>(postgres::DatabaseAddress{.url = settings.url,
                                                                              .url_file = settings.url_file,
                                                                              .password_file = settings.password_file,
                                                                              .timeout = settings.timeout},
                                                    files),
            log) {}

  const RealFiles files;
  postgres::DatabaseExport exported;  // after them
};

Outlet database_of(const postgres::DatabaseSettings& settings, Log& log) {
  const auto database = std::make_shared<Database>(settings, log);
  return {.see = [database](const std::shared_ptr<const Snapshot>& snapshot) { database->exported.see(*snapshot); },
          .status = [database] { return database->exported.status(); },
          .begin_stop = [database] { database->exported.begin_stop(); },
          .ended = [database] { return database->exported.ended(); }};
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
    if (database.on()) outlets.push_back(database_of(database, log));
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
