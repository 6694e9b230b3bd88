#include "service/service.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "service/router.hpp"
#include "service/routes.hpp"
#include "service/site_guard.hpp"

namespace gpukeeper::service {

using namespace std::chrono_literals;

namespace {

// The first look at a machine may take SamplerOptions::first_list_deadline, 15 s.
HealthFacts health_facts(const ServiceOptions& options, const Clock& clock) {
  const auto period = options.config.sample_interval.value_or(1s);
  return {options.version, clock.now(), std::max<std::chrono::nanoseconds>(20s, 5 * period)};
}

HttpServer::Handler handler(Sights sights, std::vector<std::string> hosts) {
  const auto router = std::make_shared<const Router>(routes(std::move(sights)));
  return [router, guard = SiteGuard(std::move(hosts))](Request request) {
    if (auto refusal = guard.refuse(request)) return *refusal;
    return router->answer(std::move(request));
  };
}

// Different for each start, so that no ETag of an earlier one fits.
std::string instance(const Clock& clock) {
  return fmt::format("{:x}", clock.wall().time_since_epoch().count());
}

}  // namespace

Result<std::shared_ptr<const Classifier>> load_rules(const Config& config) {
  if (!config.rules) return nullptr;
  auto classifier = Classifier::load(*config.rules);
  if (!classifier) return tl::make_unexpected(classifier.error());
  return std::make_shared<const Classifier>(std::move(*classifier));
}

EngineThread::Open Service::opener(const ServiceOptions& options, const Parts& parts,
                                   std::shared_ptr<EventDispatcher> events) {
  SessionOptions session;
  session.detect.machine_root = options.machine_root;
  session.engine.sampler.period = options.config.sample_interval.value_or(session.engine.sampler.period);
  session.engine.attribute = true;
  session.engine.classifier = parts.rules;
  session.engine.events = std::move(events);
  session.at = options.at;
  session.prepare = [state = parts.state](Sources& sources, EngineOptions& engine) -> Result<void> {
    if (!state) return {};
    auto store = open_fault_store(*state, sources);
    if (!store) return tl::make_unexpected(store.error());
    engine.fault_store = std::move(*store);
    return {};
  };
  return
      [sources = options.config.source, time = parts.time, session] { return Session::open(sources, time, session); };
}

// A folder that was named must do, and no two may keep books in one; else it goes on with less.
Result<std::shared_ptr<const StateDirectory>> Service::claim_state(const ServiceOptions& options, Log& log) {
  const bool named = options.config.state_dir.has_value();
  const std::string path = options.config.state_dir.value_or(options.usual_state_dir);
  if (path.empty()) {
    log.warning("what happened is forgotten at the end: no folder is known for it; name one with --state-dir");
    return nullptr;
  }
  auto claimed = StateDirectory::claim(path);
  if (claimed) return std::make_shared<const StateDirectory>(std::move(*claimed));
  if (named || claimed.error().code == Errc::unavailable) return tl::make_unexpected(claimed.error());
  log.warning("what happened is forgotten at the end: {}", claimed.error().message);
  return nullptr;
}

Service::Service(ServiceOptions options, Parts parts, std::shared_ptr<Clock> clock, Log& log)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      time_(parts.time),
      log_(log),
      manager_(options_.notify_socket),
      health_(health_facts(options_, *time_)),
      states_(log),
      governed_(log),
      log_subscription_(
          events_->subscribe("the log", std::nullopt, [this](const GovernorEvent& event) { governed_.note(event); })),
      engine_(opener(options_, parts, events_), options_.config.sample_interval),
      server_(handler({.snapshot = [this] { return engine_.snapshot(); },
                       .faults = [this] { return engine_.faults(); },
                       .faults_kept_in = [this] { return engine_.faults_kept_in(); },
                       .post = [this](auto command) { return engine_.post(std::move(command)); },
                       .health = health_,
                       .clock = time_,
                       .instance = instance(*clock_),
                       .own_uid = ::geteuid(),
                       .past = {[this] { return engine_.history(); }, [this] { return engine_.leak_suspects(); }}},
                      options_.config.hosts),
              *clock_, log, http_options(options_.config)) {}

Service::~Service() {
  server_.stop();
  events_->unsubscribe(log_subscription_);
}

Result<std::unique_ptr<Service>> Service::start(ServiceOptions options, std::shared_ptr<Clock> clock, Log& log) {
  auto rules = load_rules(options.config);
  if (!rules) return tl::make_unexpected(rules.error());
  auto time = clock_for(options.config.source, options.speed, Speed(1), clock);
  if (!time) return tl::make_unexpected(time.error());
  auto state = claim_state(options, log);
  if (!state) return tl::make_unexpected(state.error());
  std::vector<Listener> listeners;  // before any thread is: what cannot listen leaves nothing behind
  for (const ListenAddress& address : options.config.listen) {
    auto listener = Listener::open(address);
    if (!listener) return tl::make_unexpected(listener.error());
    log.info("listening on {}", listener->address().to_string());
    listeners.push_back(std::move(*listener));
  }
  std::unique_ptr<Service> service(
      new Service(std::move(options), {std::move(*rules), std::move(*state), std::move(*time)}, std::move(clock), log));
  for (Listener& listener : listeners) service->server_.add(std::move(listener));
  service->server_thread_ = std::jthread([raw = service.get()] { raw->serve(); });
  return service;
}

void Service::serve() {
  server_.run();
  served_ = true;
}

Result<void> Service::look() {
  const auto opened = engine_.opened();
  if (opened && !*opened) return *opened;
  const auto snapshot = engine_.snapshot();
  states_.look(*snapshot);
  if (!over_ && engine_.played_out()) {
    over_ = true;
    log_.info("the recording is over: its last moment stays");
  }
  if (opened && !ready_) {
    ready_ = true;
    manager_.ready();
  }
  const bool stalled = health(*snapshot, health_, time_->now()) == Health::stalled;
  if (stalled) log_.error("the sampler has made no snapshot for {} s", health_.stalled_after / 1s);
  if (!stalled && answered_.exchange(false)) {
    manager_.alive();
    server_.ping([this] { answered_ = true; });
  }
  return {};
}

void Service::begin_stop() {
  manager_.stopping();
  server_.stop();
  engine_.ask_to_stop();
  events_->unsubscribe(log_subscription_);  // an engine that hangs may outlive the log
}

bool Service::ended() {
  return served_ && engine_.wait(0s);
}

}  // namespace gpukeeper::service
