#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "prometheus/metrics_settings.hpp"
#include "telemetry/export_status.hpp"
#include "telemetry/older_history.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// A place beyond this machine that readings are taken to, as the service sees it. The program makes them
/// (ServiceOptions::outlets), so that the library does not carry what only a daemon needs.
struct Outlet {
  /// On the sampler's thread, which it does not hold up. What it uses belongs to it: a hanging driver may have it
  /// called when the service has gone. Null where it looks by itself.
  std::function<void(const std::shared_ptr<const Snapshot>&)> see = nullptr;
  std::function<ExportStatus()> status;  ///< from any thread
  std::function<void()> begin_stop;      ///< returns at once
  std::function<bool()> ended;           ///< asked until it is true, within a second or so of begin_stop()
  /// What lies further back than memory, in place of OutletWorld::kept; null where it tells nothing.
  std::shared_ptr<const OlderHistory> older = nullptr;
};

/// What an outlet may ask for.
struct OutletWorld {
  /// What GET /metrics answers of these families (Prometheus text 0.0.4), from any thread, until its outlet has ended;
  /// empty before the first look at the GPUs.
  std::function<std::string(const prometheus::FamilySet&)> metrics;
  /// What this machine itself keeps of the past.
  std::shared_ptr<const OlderHistory> kept = nullptr;
};

using MakeOutlets = std::function<std::vector<Outlet>(const OutletWorld&)>;

/// What does not work of them, a sentence each, for /health.
std::vector<std::string> trouble_of(const std::vector<ExportStatus>& all);

}  // namespace gpukeeper::service
