#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "core/log.hpp"
#include "embed/interrupt.hpp"
#include "embed/keeper.hpp"
#include "machine/machine_reader.hpp"
#include "service/configuration.hpp"
#include "service/engine_thread.hpp"
#include "service/metrics_desk.hpp"
#include "service/router.hpp"
#include "service/routes.hpp"

namespace gpukeeper::embed {

/// What the routes of `serve` answer in this process, where no server's thread runs: whoever asks does its work.
///
/// Threads: every member may be called from any; one question is answered after the other.
class LocalAnswers {
 public:
  struct World {
    service::EngineThread& engine;
    std::shared_ptr<Clock> clock;  ///< the machine's
    std::shared_ptr<Clock> time;   ///< of the devices
    service::Configuration& configuration;
    service::MetricsDesk metrics;
    std::function<Bookkeeper*()> book;  ///< while a question is answered that needs it; null else
    std::function<std::chrono::nanoseconds()> period;
    std::string machine_root;
    std::string version;
  };
  LocalAnswers(World world, std::shared_ptr<Interrupt> interrupt);

  /// Errors: invalid_argument for a target that is none, and of answers that never end; deadline_exceeded for one that
  /// does not come; unavailable once it is interrupted.
  Result<Answer> answer(const Question& question);

  /// What is known of allocations is old: it is asked for anew.
  void forget_allocations();

  /// The rows that a scraper is answered, /metrics, /health and /ready, for a server: they are its own.
  std::vector<service::Route> routes_for_scrapers();

 private:
  service::Sights sights();
  service::Hands hands();
  service::Response settle(service::Response response);
  service::Response make(const std::function<service::Response()>& maker);
  void do_what_was_posted();

  World world_;
  const std::shared_ptr<Interrupt> interrupt_;
  const MonotonicTime started_;
  std::mutex mutex_;                      // of all that belongs to the server's thread elsewhere
  std::optional<MachineReader> machine_;  // guarded by mutex_, as below; made when it is asked for first
  std::optional<service::Router> router_;
};

}  // namespace gpukeeper::embed
