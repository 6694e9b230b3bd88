#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "actuators/actuation_thread.hpp"
#include "actuators/real_actuators.hpp"
#include "auth/token_file.hpp"
#include "config/session_options.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/published.hpp"
#include "engine/state_dir.hpp"
#include "kubernetes/pod_namer.hpp"
#include "machine/machine_reader.hpp"
#include "service/audit.hpp"
#include "service/authority.hpp"
#include "service/background_worker.hpp"
#include "service/book.hpp"
#include "service/configuration.hpp"
#include "service/cors.hpp"
#include "service/engine_thread.hpp"
#include "service/event_desk.hpp"
#include "service/governor_log.hpp"
#include "service/health.hpp"
#include "service/http_server.hpp"
#include "service/kept_account.hpp"
#include "service/live_tls.hpp"
#include "service/memory_reclaim.hpp"
#include "service/metrics_desk.hpp"
#include "service/options.hpp"
#include "service/outlet.hpp"
#include "service/routes.hpp"
#include "service/service_manager.hpp"
#include "service/sign_in_answer.hpp"
#include "service/socket_activation.hpp"
#include "service/state_log.hpp"
#include "service/visitors.hpp"
#include "sinks/alert_delivery.hpp"
#include "storage/history_keeper.hpp"

namespace gpukeeper::service {

struct ServiceOptions {
  config::Settings settings;                   ///< to start with; complete: its listen is not empty
  std::shared_ptr<config::LiveConfig> config;  ///< where they come from, and others later; never null
  bool journal = false;                        ///< as in LogTargetOptions
  /// As in Session::run: what somebody set; nothing for the second that it is by itself, and a recording's own pace.
  std::optional<std::chrono::nanoseconds> period;
  std::string version;
  std::string machine_root;                  ///< as in DetectOptions
  std::string usual_state_dir;               ///< where the configuration names none; empty when none is known
  std::optional<Speed> speed;                ///< of simulated machines and recordings (clock_for); 1 where it is absent
  std::optional<std::string> at;             ///< of a recording: where to begin (find_moment)
  std::optional<std::string> notify_socket;  ///< $NOTIFY_SOCKET
  PassedSockets passed = {};                 ///< that the service manager has opened for us
  MakeOutlets outlets = nullptr;             ///< where readings are taken to; null: nowhere
};

/// `gpukeeper serve` as one thing: the engine in its thread, the server in its own, and what the main thread does once
/// a second.
///
/// Threads: one, the main thread. Signals that it wants to wait for are blocked before this is made: threads inherit
/// it.
class Service {
 public:
  /// Opens the listeners and starts both threads. Returns before the devices were looked at.
  /// Errors: those of session_options, clock_for, StateDirectory::claim, check_listen, LiveTls::start and
  /// Listener::open.
  static Result<std::unique_ptr<Service>> start(ServiceOptions options, std::shared_ptr<Clock> clock, Log& log);
  ~Service();

  /// Once a second: says what changed, and tells the service manager that it lives.
  /// Errors: those of open_sources, once they are known; then it is to be stopped.
  Result<void> look();

  /// Reads the configuration again and opens the log anew.
  void reload() { configuration_.reload(); }

  /// What to wait for between two looks, beside time: readable when there is something to look at; -1 for none.
  std::array<int, 2> descriptors() const {
    return {configuration_.work_descriptor(), configuration_.file_descriptor()};
  }
  /// When to look at the latest, though a second is not over; nothing: then.
  std::optional<MonotonicTime> next_look() const { return configuration_.next_look(); }

  /// A link that signs a browser in as an operator, once and soon. Errors: not_supported where nothing listens on TCP;
  /// those of SignIn::make_code.
  Result<std::string> sign_in_link();

  /// Whether the sources are open and clients are answered.
  bool ready() const { return ready_; }

  /// Ends it: returns at once; answers that were begun go on.
  void begin_stop();

  /// Whether all threads have ended, sockets and files closed, and what was changed of GPUs is given back.
  bool ended();

  /// What hangs, a sentence each, once somebody will not wait for ended() any more.
  std::vector<std::string> hanging();

 private:
  struct Parts {                                  // what is made before anything runs
    SessionOptions session;                       // as it is configured
    std::shared_ptr<const StateDirectory> state;  // null: nothing outlives this process
    std::shared_ptr<Clock> time;                  // of the devices
  };
  Service(ServiceOptions options, Parts parts, std::shared_ptr<Clock> clock, Log& log);
  static Result<std::shared_ptr<const StateDirectory>> claim_state(const ServiceOptions& options, Log& log);
  static EngineThread::Open opener(const ServiceOptions& options, const Parts& parts,
                                   std::shared_ptr<EventDispatcher> events, std::shared_ptr<AlertDelivery> delivery,
                                   std::shared_ptr<Book> book, std::shared_ptr<MemoryReclaim> reclaim,
                                   std::shared_ptr<EventDesk> listeners, std::shared_ptr<KeptAccount> account,
                                   std::shared_ptr<HistoryKeeper> keeper, MetricsDesk desk,
                                   std::shared_ptr<const Published<std::vector<Outlet>>> outlets,
                                   std::shared_ptr<kubernetes::PodNamer> pods);
  HttpServerOptions server_options() const;
  static Result<std::vector<Listener>> open_listeners(const std::vector<ListenAddress>& addresses,
                                                      std::vector<Listener> passed, std::string_view what, Log& log);
  std::shared_ptr<AlertDelivery> make_delivery(const Parts& parts);
  std::unique_ptr<ActuationThread> make_actuation(const Parts& parts);
  std::shared_ptr<Book> make_book();
  std::shared_ptr<kubernetes::PodNamer> make_pod_namer();
  void allow(const ActuatorSettings& settings);
  MetricsDesk metrics_desk();
  void open_outlets();
  std::vector<ExportStatus> exports() const;
  std::shared_ptr<const OlderHistory> older() const;
  void expect_services(const BookSettings& settings);
  void look_at_history();
  std::vector<std::string> troubles() const;
  AuthRules auth_rules(const config::Settings& settings) const;
  Sights sights();
  Hands hands();
  void apply(const config::Settings& settings);
  HealthFacts health_facts() const;
  std::string ask_doctor() const;  // as the user of this process; from any thread
  bool monitor(bool on);
  void serve(HttpServer& server);

  const ServiceOptions options_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Clock> time_;  // of the devices: the same where they live
  Log& log_;
  const ServiceManager manager_;
  const MonotonicTime started_;
  StateLog states_;
  GovernorLog governed_;
  const std::shared_ptr<EventDispatcher> events_ = std::make_shared<EventDispatcher>();
  const EventDispatcher::Token log_subscription_;
  const std::shared_ptr<AlertDelivery> delivery_;     // null without sinks; shared with an engine that hangs
  std::string no_actuation_;                          // why there is none
  const std::unique_ptr<ActuationThread> actuation_;  // null: nothing can be changed; gives back when it ends
  const std::shared_ptr<EventDesk> listeners_;        // as well: who is told over HTTP what happens
  const std::shared_ptr<Book> book_;                  // shared with an engine that hangs
  const std::shared_ptr<MemoryReclaim> reclaim_;      // as well
  const std::shared_ptr<KeptAccount> account_;        // as well
  const std::shared_ptr<HistoryKeeper> keeper_;       // as well
  std::string history_trouble_;                       // as it was said last
  Published<config::Settings> settings_;              // as configured now; what waits for a restart, too
  const std::shared_ptr<Published<std::vector<Outlet>>> outlets_ =
      std::make_shared<Published<std::vector<Outlet>>>();                           // as well
  const std::shared_ptr<Published<prometheus::MetricsSettings>> metrics_settings_;  // as well
  Published<std::vector<std::string>> expected_services_;
  const MetricsDesk metrics_;
  const std::shared_ptr<kubernetes::PodNamer> pods_;  // null where nobody asks; shared with an engine that hangs
  EngineThread engine_;
  std::atomic<std::chrono::nanoseconds> sample_interval_;
  std::atomic<MonotonicTime> paced_since_{};  // when it was changed last
  Configuration configuration_;
  BackgroundWorker long_answers_;
  BackgroundWorker lease_answers_;
  MachineReader machine_;             // of the next one's thread
  BackgroundWorker machine_answers_;  // after it: it may be looking
  auth::LiveTokens tokens_;
  LiveTls tls_;
  Cors cors_;
  auth::SignIn sessions_;
  SignInAnswer sign_in_;
  Visitors visitors_;
  Visitors public_visitors_;
  Authority authority_;
  Audit audit_;
  HttpServer server_;
  HttpServer public_server_;                // of metrics.listen: idle without
  std::optional<ListenAddress> first_tcp_;  // that it listens on
  bool ready_ = false;
  bool over_ = false;                  // the recording; said
  MonotonicTime engine_stops_at_{};    // at the latest
  MonotonicTime delivery_stops_at_{};  // as well
  bool outlets_stop_ = false;          // they were told to
  std::atomic<bool> answered_ = true;  // the server's thread has answered the last ping
  std::atomic<int> serving_ = 0;       // threads of servers that have not ended
  std::jthread server_thread_;         // last, and the next: they use all of the others
  std::jthread public_thread_;
};

}  // namespace gpukeeper::service
