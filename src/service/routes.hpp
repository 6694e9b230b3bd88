#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "account/account.hpp"
#include "account/tariff.hpp"
#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "faults/fault_journal.hpp"
#include "policy/andon/silence.hpp"
#include "prometheus/metric_facts.hpp"
#include "service/ask_engine.hpp"
#include "service/health.hpp"
#include "service/history_answer.hpp"
#include "service/metrics_desk.hpp"
#include "service/router.hpp"
#include "service/snapshot_answer.hpp"
#include "service/throttle_answer.hpp"
#include "sinks/sink_status.hpp"
#include "site/site.hpp"
#include "telemetry/export_status.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {
struct MachineFacts;
}  // namespace gpukeeper

namespace gpukeeper::service {

class Audit;
class EventDesk;
class MemoryReclaim;
class SignInAnswer;

struct Hands;
struct Sights;

/// gpukeeper.leases/1, all of them, for whoever asks; empty where there is no ledger.
using BookedLeases = std::function<std::string(const Request&)>;

/// The routes of a server alone (served_routes.hpp).
using ServedRoutes = std::function<std::vector<Route>(const std::shared_ptr<const Sights>&,
                                                      const std::shared_ptr<const Hands>&, const BookedLeases&)>;

/// What the routes answer from.
struct Sights {
  std::function<std::shared_ptr<const Snapshot>()> snapshot;     ///< the latest; never null
  std::function<std::shared_ptr<const FaultList>()> faults;      ///< the journal; never null
  std::function<std::string()> faults_kept_in;                   ///< as Engine::faults_kept_in
  std::function<std::shared_ptr<const SilenceList>()> silences;  ///< never null
  Post post;                                                     ///< hands the engine a command
  std::function<std::vector<SinkStatus>()> sinks;                ///< where alerts are sent
  ThrottleAnswer::Changes changes;                               ///< what is changed of the GPUs
  std::function<HealthFacts()> health;
  std::shared_ptr<const Clock> clock;  ///< of the snapshots
  std::string instance;                ///< tells one start of the program from another
  uid_t own_uid = 0;                   ///< the user that it runs as
  Past past = {};
  /// Who used the devices, between these moments at the least; nothing: as far back as is quickly known, until now.
  std::function<account::Account(std::optional<WallTime> since, std::optional<WallTime> until)> account =
      [](auto, auto) { return account::Account(); };
  std::function<account::Tariff()> tariff = [] { return account::Tariff(); };  ///< what energy costs
  /// Runs what takes long elsewhere, unless too much of it waits; null: here and at once.
  std::function<bool(std::function<void()>)> elsewhere = nullptr;
  /// What failed in gpukeeper itself; never null.
  std::function<std::shared_ptr<const EngineTrouble>()> trouble = [] {
    return std::make_shared<const EngineTrouble>();
  };
  /// The book of leases, which outlives the routes; null before it is open.
  std::function<Bookkeeper*()> book = [] { return nullptr; };
  /// What gives memory back; it outlives the routes. Null where nothing does.
  MemoryReclaim* reclaim = nullptr;
  /// Runs answers about leases, which may wait for a disk, on threads of their own, unless too many wait; null: here
  /// and at once.
  std::function<bool(std::function<void()>)> at_the_desk = nullptr;
  /// How the computer around the GPUs is; asked on a thread of its own, by `at_the_machine`, or here and at once where
  /// that is null. Null where nobody looks.
  std::function<std::shared_ptr<const MachineFacts>()> machine = nullptr;
  std::function<bool(std::function<void()>)> at_the_machine = nullptr;
  /// How many listen to what happens.
  std::function<std::size_t()> event_clients = [] { return std::size_t{0}; };
  /// Where it is told to them; it outlives the routes. Null where nobody tells.
  EventDesk* events = nullptr;
  /// From when on the clients of the documented events are told that a GPU is busy.
  Percent high_usage{50};
  std::chrono::nanoseconds high_usage_time = std::chrono::seconds(3);
  MetricsDesk metrics = {};
  /// Who changed what; it outlives the routes. Null where nobody writes it down.
  const Audit* audit = nullptr;
  /// Where browsers sign in; it outlives the routes. Null where they do not.
  SignInAnswer* sign_in = nullptr;
  /// The web page, which outlives the routes; null where there is none to be shown, and GET / is the list alone.
  const site::Site* site = nullptr;
  ServedRoutes served = nullptr;  ///< null: none of them
  /// gpukeeper.doctor/1 of now, which may wait for a disk. Null where nobody asks the doctor.
  std::function<std::string()> doctor = nullptr;
  /// What else does not work, a sentence each, for /health.
  std::function<std::vector<std::string>()> others = nullptr;
  /// How the places do that readings are taken to.
  std::function<std::vector<ExportStatus>()> exports = nullptr;
};

/// What the routes may have done.
struct Hands {
  std::function<Response()> configuration;                       ///< GET /api/v1/config
  std::function<Response(const Request&)> change_configuration;  ///< PATCH, PUT /api/v1/config
  /// Sets keys out of a JSON object of them; as Configuration::set, without saving.
  std::function<Response(const std::string&, std::function<Response(const Result<std::string>&)>)> set_configuration =
      nullptr;
  std::function<bool()> monitoring;   ///< whether it is on
  std::function<bool(bool)> monitor;  ///< as Engine::monitor
  bool lives = true;                  ///< false: time is played, and a snapshot is as old as the recording has it
  std::function<bool()> opened;       ///< whether there is an engine
  std::function<std::chrono::nanoseconds()> period;       ///< from snapshot to snapshot, as configured
  std::function<bool(std::function<void()>)> when_fresh;  ///< as Engine::when_fresh
  /// Says in the log what a client should have done otherwise.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

/// What /metrics is made of, now.
prometheus::MetricFacts metric_facts(const Sights& sights, const prometheus::MetricsSettings& settings);

/// Everything that `gpukeeper serve` answers: a row each. A new endpoint is a new row.
std::vector<Route> routes(Sights sights, Hands hands);

/// Those of them that are answered to whoever comes (metrics.listen): /metrics, /health and /ready.
std::vector<Route> public_routes(const std::vector<Route>& all);

}  // namespace gpukeeper::service
