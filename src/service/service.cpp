#include "service/service.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "auth/groups.hpp"
#include "config/door.hpp"
#include "core/files.hpp"
#include "core/playback_clock.hpp"
#include "core/text.hpp"
#include "doctor/system_machine.hpp"
#include "engine/restoring.hpp"
#include "prometheus/metrics_text.hpp"
#include "service/documented/refusals.hpp"
#include "service/hands.hpp"
#include "service/router.hpp"
#include "service/routes.hpp"
#include "service/served_routes.hpp"
#include "service/site_guard.hpp"

namespace gpukeeper::service {

using namespace std::chrono_literals;

namespace {

// Of the two seconds that a stop may take.
constexpr auto kGiveBackPatience = 1s;
constexpr auto kSamplerPatience = 500ms;

// Of answers about leases: so many share a flush of the disk, and so many more may wait than there are connections.
constexpr std::size_t kLeaseThreads = 8;
constexpr std::size_t kLeaseAnswers = 1024;

// Of answers about the computer, which share a look: only during that look they wait.
constexpr std::size_t kMachineAnswers = 256;

// Counts what is answered at once; what comes later is counted when it does.
HttpServer::Handler counting(HttpServer::Handler handler, const MetricsDesk& desk) {
  return [handler = std::move(handler), self = desk.self, clock = desk.clock](Request request) {
    const auto asked = clock->now();
    Response response = handler(std::move(request));
    if (!response.later) self->answered(response.status, clock->now() - asked);
    return response;
  };
}

// For whoever comes (metrics.listen). It shows nothing that a trick would be worth, and scrapers use any name for us.
HttpServer::Handler public_handler(Sights sights, Hands hands, Visitors& visitors) {
  const auto router = std::make_shared<const Router>(public_routes(routes(std::move(sights), std::move(hands))));
  return [router, &visitors](Request request) {
    request.who = {.role = auth::Role::viewer, .name = request.peer->address};
    if (auto refusal = visitors.refuse(request)) return std::move(*refusal);
    return router->answer(std::move(request));
  };
}

// Who stands at the door, in the order in which they are asked.
struct Doorkeepers {
  const Cors& cors;
  Authority& authority;
  Visitors& visitors;
  Audit& audit;
};

HttpServer::Handler handler(Sights sights, Hands hands, std::vector<std::string> hosts, Doorkeepers at_the_door) {
  sights.audit = &at_the_door.audit;
  const auto router = std::make_shared<const Router>(routes(std::move(sights), std::move(hands)));
  SiteGuard guard(std::move(hosts),
                  [&cors = at_the_door.cors](std::string_view origin) { return cors.allows(origin); });
  return [router, guard = std::move(guard), at_the_door](Request request) {
    const std::string method = request.method;
    const std::string path = request.path;
    const auto answer = [&]() -> Response {
      if (auto refusal = guard.refuse(request)) return std::move(*refusal);
      if (auto allowed = at_the_door.cors.preflight(request)) return std::move(*allowed);
      auto who = at_the_door.authority.who(request);
      if (!who) return std::move(who.error());
      request.who = std::move(*who);
      if (auto refusal = at_the_door.visitors.refuse(request)) return std::move(*refusal);
      at_the_door.audit.begin(request);
      return router->answer(std::move(request));
    };
    return documented::in_their_words(method, path, answer());
  };
}

HttpServerOptions watched(HttpServerOptions options, Audit& audit, const Authority& authority) {
  options.answered = [&audit](const Peer& peer, const Response* response) { audit.end(peer, response); };
  options.may_stay = [&authority](const Request& request) { return authority.still_is(request); };
  return options;
}

// That of the processes on the GPUs.
std::shared_ptr<const Classifier> classifier_of(const EngineOptions& engine) {
  if (engine.classifier) return engine.classifier;
  return {std::shared_ptr<const void>(), &Classifier::built_in()};  // which lives as long as the program
}

// With the sockets that were passed on, as what is configured is judged.
config::Settings with_passed(config::Settings settings, const PassedSockets& passed) {
  for (const Listener& listener : passed.own) settings.listen.push_back(listener.address());
  for (const Listener& listener : passed.metrics) settings.metrics.listen.push_back(listener.address());
  return settings;
}

// Different for each start, so that no ETag of an earlier one fits.
std::string instance(const Clock& clock) {
  return fmt::format("{:x}", clock.wall().time_since_epoch().count());
}

// Of events: those of a later start are larger.
std::uint64_t first_number(const Clock& clock) {
  using std::chrono::microseconds;
  return static_cast<std::uint64_t>(
      std::max<microseconds::rep>(0, std::chrono::floor<microseconds>(clock.wall().time_since_epoch()).count()));
}

}  // namespace

EngineThread::Open Service::opener(const ServiceOptions& options, const Parts& parts,
                                   std::shared_ptr<EventDispatcher> events, std::shared_ptr<AlertDelivery> delivery,
                                   std::shared_ptr<Book> book, std::shared_ptr<MemoryReclaim> reclaim,
                                   std::shared_ptr<EventDesk> listeners, std::shared_ptr<KeptAccount> account,
                                   std::shared_ptr<HistoryKeeper> keeper, MetricsDesk desk,
                                   std::shared_ptr<const Published<std::vector<Outlet>>> outlets,
                                   std::shared_ptr<kubernetes::PodNamer> pods) {
  SessionOptions session = parts.session;
  session.detect.machine_root = options.machine_root;
  session.engine.events = std::move(events);
  session.at = options.at;
  if (pods) session.engine.name_pods = [pods](Snapshot& snapshot) { pods->complete(snapshot); };
  session.engine.booked = [book] { return book->booked(); };
  session.engine.on_snapshot = [book, reclaim, listeners, account, keeper, outlets = std::move(outlets),
                                latest = desk.latest](const std::shared_ptr<const Snapshot>& snapshot) {
    book->see(snapshot);
    reclaim->see(snapshot);
    latest->publish(snapshot);
    listeners->see(snapshot);
    account->see(*snapshot, *book->leased());
    keeper->see(snapshot);
    const auto all = outlets->read();
    for (const Outlet& outlet : *all) {
      if (outlet.see) outlet.see(snapshot);
    }
  };
  session.engine.on_step = [desk = std::move(desk)](const Snapshot& snapshot, const StepCost& cost) {
    note_step(desk, snapshot, cost);
  };
  session.engine.is_ours = [book](const DeviceSnapshot& device, std::int64_t pid) {
    const auto booked = book->booked();
    return booked && works_under_lease(*booked, device, pid);
  };
  // Time that is played comes again: what is kept of it would stand there twice.
  const bool lives = std::dynamic_pointer_cast<PlaybackClock>(parts.time) == nullptr;
  session.prepare = [state = parts.state, delivery, book, reclaim, account, keeper, lives](
                        Sources& sources, EngineOptions& engine) -> Result<void> {
    book->open(state.get(), sources);
    reclaim->open(state.get(), sources);
    if (auto opened = account->open(state.get(), sources); !opened) return opened;
    if (delivery) engine.alert_listener = &delivery->dispatcher();
    if (!state) return {};
    if (lives) {
      auto folder = folder_for(*state, sources);
      if (!folder) return tl::make_unexpected(folder.error());
      keeper->open(*folder);
      keeper->start();
    }
    auto store = open_fault_store(*state, sources);
    if (!store) return tl::make_unexpected(store.error());
    engine.fault_store = std::move(*store);
    auto alerts = open_alert_store(*state, sources);
    if (!alerts) return tl::make_unexpected(alerts.error());
    engine.alert_store = std::move(*alerts);
    return {};
  };
  return
      [sources = options.settings.source, time = parts.time, session] { return Session::open(sources, time, session); };
}

// Made before the engine, which tells it, and started after: it asks the engine for what still fires.
std::shared_ptr<AlertDelivery> Service::make_delivery(const Parts& parts) {
  if (options_.settings.sinks.empty()) return nullptr;
  for (const std::string& warning : warnings(options_.settings.sinks)) log_.warning("{}", warning);
  std::string folder;
  if (parts.state) {
    if (auto made = parts.state->folder("sinks")) {
      folder = std::move(*made);
    } else {
      log_.warning("what waits for sinks is kept in memory only: {}", made.error().message);
    }
  }
  return std::make_shared<AlertDelivery>(
      options_.settings.sinks, std::move(folder), log_, [this] { return engine_.snapshot(); },
      [](std::string_view name) -> std::optional<std::string> {
        const char* const value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): only read
        return value ? std::optional<std::string>(value) : std::nullopt;
      });
}

// Only of devices that live, and only where it can be written down what is to be given back. It is there though nothing
// may be changed yet: that can be set while it runs, and an earlier process may have left something.
std::unique_ptr<ActuationThread> Service::make_actuation(const Parts& parts) {
  const auto none = [this](std::string why) {
    no_actuation_ = std::move(why);
    return nullptr;
  };
  if (time_ != clock_) return none("their time is played");
  if (!parts.state) return none("there is no state directory to write down what is to be given back");
  auto hands = open_hands(
      {.state = parts.state->path(), .machine_root = options_.machine_root, .sources = options_.settings.source},
      clock_, log_);
  if (!hands) {
    log_.error("nothing is changed of the GPUs: {}", hands.error().message);
    return none(hands.error().message);
  }
  return std::make_unique<ActuationThread>(std::move(hands->freezing), std::move(hands->changing));
}

std::shared_ptr<Book> Service::make_book() {
  const auto files = std::make_shared<const RealFiles>(options_.machine_root);
  return std::make_shared<Book>(options_.settings.book, clock_, files, std::make_shared<RealSignals>(files), log_);
}

std::shared_ptr<kubernetes::PodNamer> Service::make_pod_namer() {
  const config::KubernetesSettings& settings = options_.settings.kubernetes;
  if (!settings.pod_resources) return nullptr;
  auto pods = std::make_shared<kubernetes::PodNamer>(
      kubernetes::PodNamerOptions{.socket = *settings.pod_resources, .helper = settings.helper},
      std::make_shared<RealPrograms>(), clock_, log_);
  pods->start();
  return pods;
}

void Service::allow(const ActuatorSettings& settings) {
  // A sampler that is late by less only waits for a driver.
  const auto fresh_for = std::max<std::chrono::nanoseconds>(10s, 5 * sample_interval_.load());
  if (actuation_) return actuation_->configure(settings, fresh_for);
  if (settings.any()) log_.warning("nothing is changed of the GPUs: {}", no_actuation_);
}

AuthRules Service::auth_rules(const config::Settings& settings) const {
  const std::string known = read_file("/etc/group", Files::kMaxFileBytes).value_or("");
  auto admins = auth::group_ids(settings.auth.admin_groups, known);
  auto operators = auth::group_ids(settings.auth.operator_groups, known);
  for (const auto* groups : {&admins, &operators}) {
    for (const std::string& name : groups->unknown) {
      log_.warning("there is no group '{}' in /etc/group: what auth gives it is given to nobody", name);
    }
  }
  return {.own_uid = ::geteuid(),
          .admins = std::move(admins.ids),
          .operators = std::move(operators.ids),
          .loopback = settings.auth.loopback_role,
          .elsewhere = settings.insecure_listen ? auth::Role::viewer : auth::Role::none,
          .certificates = settings.auth.certificates};
}

// A folder that was named must do, and no two may keep books in one; else it goes on with less.
Result<std::shared_ptr<const StateDirectory>> Service::claim_state(const ServiceOptions& options, Log& log) {
  const bool named = options.settings.state_dir.has_value();
  const std::string path = options.settings.state_dir.value_or(options.usual_state_dir);
  if (path.empty()) {
    log.warning("what happened is forgotten at the end: no folder is known for it; name one with --state-dir");
    return nullptr;
  }
  auto claimed = StateDirectory::claim(path);
  if (claimed) {
    if (const auto notice = Restoring(path).notice(); !notice.empty()) log.warning("{}", notice);
    return std::make_shared<const StateDirectory>(std::move(*claimed));
  }
  if (named || claimed.error().code == Errc::unavailable) return tl::make_unexpected(claimed.error());
  log.warning("what happened is forgotten at the end: {}", claimed.error().message);
  return nullptr;
}

Result<std::vector<Listener>> Service::open_listeners(const std::vector<ListenAddress>& addresses,
                                                      std::vector<Listener> passed, std::string_view what, Log& log) {
  std::vector<Listener> listeners = std::move(passed);
  for (const Listener& listener : listeners) log.info("{} {} (passed on)", what, listener.address().to_string());
  for (const ListenAddress& address : addresses) {
    auto listener = Listener::open(address);
    if (!listener) return tl::make_unexpected(listener.error());
    log.info("{} {}", what, listener->address().to_string());
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

HttpServerOptions Service::server_options() const {
  HttpServerOptions options = http_options(options_.settings.http);
  options.web_sockets = &web_socket_speaker();
  options.tls = [this] { return tls_.now(); };
  options.welcome = [this](const Peer& peer) { return is_welcome(peer, settings_.read()->http.allow); };
  options.may_read = [this](std::string_view origin) { return cors_.allows(origin); };
  options.hsts = std::chrono::floor<std::chrono::seconds>(options_.settings.tls.hsts);
  return options;
}

Service::Service(ServiceOptions options, Parts parts, std::shared_ptr<Clock> clock, Log& log)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      time_(parts.time),
      log_(log),
      manager_(options_.notify_socket),
      started_(time_->now()),
      states_(log),
      governed_(log),
      log_subscription_(
          events_->subscribe("the log", std::nullopt, [this](const GovernorEvent& event) { governed_.note(event); })),
      delivery_(make_delivery(parts)),
      actuation_(make_actuation(parts)),
      listeners_(std::make_shared<EventDesk>(first_number(*clock_), options_.settings.events.clients)),
      book_(make_book()),
      reclaim_(std::make_shared<MemoryReclaim>(
          options_.settings.reclaim, [book = book_] { return book->keeper(); }, time_)),
      account_(std::make_shared<KeptAccount>(options_.settings.keeping, time_)),
      keeper_(std::make_shared<HistoryKeeper>(options_.settings.history_store)),
      metrics_settings_(std::make_shared<Published<prometheus::MetricsSettings>>()),
      metrics_(metrics_desk()),  // the book is told of it before the engine opens it
      pods_(make_pod_namer()),
      engine_(opener(options_, parts, events_, delivery_, book_, reclaim_, listeners_, account_, keeper_, metrics_,
                     outlets_, pods_),
              options_.period),
      sample_interval_(options_.settings.engine.sample_interval),
      configuration_(
          options_.config, [this](const config::Settings& settings) { apply(settings); }, log),
      lease_answers_(kLeaseThreads, kLeaseAnswers),
      machine_(std::make_shared<const RealFiles>(options_.machine_root),
               std::make_shared<const RealKernelCalls>(options_.machine_root), clock_,
               classifier_of(parts.session.engine)),
      machine_answers_(1, kMachineAnswers),
      tokens_(parts.state ? parts.state->path() : "", log),
      tls_(std::make_shared<const RealFiles>(), *clock_, log),
      cors_(options_.settings.cors.origins),
      sign_in_(sessions_, *clock_, log),
      visitors_(options_.settings.http.requests_per_minute, *clock_),
      public_visitors_(options_.settings.http.requests_per_minute, *clock_),
      authority_(
          auth_rules(options_.settings), [this] { return tokens_.now(); }, *clock_, log, &sessions_,
          [this] { tokens_.look(); }),
      audit_(parts.state ? parts.state->path() : "", *clock_, log),
      server_(counting(handler(sights(), hands(), options_.settings.hosts, {cors_, authority_, visitors_, audit_}),
                       metrics_),
              *clock_, log, watched(server_options(), audit_, authority_)),
      public_server_(counting(public_handler(sights(), hands(), public_visitors_), metrics_), *clock_, log,
                     server_options()) {
  allow(options_.settings.actuators);
  settings_.publish(std::make_shared<const config::Settings>(options_.settings));
  book_->ask_with([reclaim = std::weak_ptr(reclaim_)](const OverusedLease& lease) {
    const auto there = reclaim.lock();
    return there && there->ask_for_overuse(lease.id);
  });
  reclaim_->look_with([this] { static_cast<void>(engine_.when_fresh([] {})); });
  if (delivery_) delivery_->dispatcher().start();
  listeners_->connect(
      [this](std::chrono::milliseconds delay, std::function<void()> what) { server_.after(delay, std::move(what)); },
      [this] { return engine_.faults(); });
  open_outlets();
}

// Last, as they may ask for everything.
void Service::open_outlets() {
  if (!options_.outlets) return;
  const auto seen = std::make_shared<const Sights>(sights());
  const auto text = [seen](const prometheus::FamilySet& families) -> std::string {
    const auto facts = metric_facts(*seen, *seen->metrics.settings());
    return facts.snapshot->sequence == 0 ? "" : metrics_text(facts, families, prometheus::Syntax::text);
  };
  auto made = options_.outlets({.metrics = text, .kept = keeper_});
  outlets_->publish(std::make_shared<const std::vector<Outlet>>(std::move(made)));
}

std::vector<ExportStatus> Service::exports() const {
  std::vector<ExportStatus> all;
  for (const Outlet& outlet : *outlets_->read()) all.push_back(outlet.status());
  return all;
}

// Out of the state directory, unless an outlet knows more. What is played was never there.
std::shared_ptr<const OlderHistory> Service::older() const {
  const auto outlets = outlets_->read();
  const auto knows = std::ranges::find_if(*outlets, [](const Outlet& outlet) { return outlet.older != nullptr; });
  if (knows != outlets->end() && time_ == clock_) return knows->older;
  return keeper_;
}

// Shared with an engine that hangs, so that it holds nothing of this but what it shares, too.
MetricsDesk Service::metrics_desk() {
  metrics_settings_->publish(std::make_shared<const prometheus::MetricsSettings>(options_.settings.metrics));
  MetricsDesk desk;
  desk.settings = [settings = metrics_settings_] { return settings->read(); };
  expect_services(options_.settings.book);
  book_->measure([desk, listeners = listeners_, clock = time_](const Bookkeeper::Served& served) {
    note_served(desk, served);
    tell_served(*listeners, served, clock->wall());
  });
  book_->listen([listeners = listeners_, clock = time_](const LedgerEvent& event, const Lease& lease) {
    listeners->note(events::lease_happening(event, lease), clock->wall());
  });
  return desk;
}

// Whoever has a quota will ask.
void Service::expect_services(const BookSettings& settings) {
  auto names = std::make_shared<std::vector<std::string>>();
  for (const ServiceQuota& quota : settings.ledger.services) names->push_back(quota.service);
  expected_services_.publish(std::move(names));
}

Sights Service::sights() {
  MetricsDesk metrics = metrics_;
  metrics.services = [this] { return *expected_services_.read(); };
  metrics.queues = [this] {
    return std::vector<std::pair<std::string, std::uint64_t>>{{"history", long_answers_.waiting()},
                                                              {"leases", lease_answers_.waiting()}};
  };
  return {.snapshot = [this] { return engine_.snapshot(); },
          .faults = [this] { return engine_.faults(); },
          .faults_kept_in = [this] { return engine_.faults_kept_in(); },
          .silences = [this] { return engine_.silences(); },
          .post = [this](auto command) { return engine_.post(std::move(command)); },
          .sinks = [this] { return delivery_ ? delivery_->dispatcher().status() : std::vector<SinkStatus>(); },
          .changes = [this] { return actuation_ ? actuation_->reports() : std::vector<ActuatorReport>(); },
          .health = [this] { return health_facts(); },
          .clock = time_,
          .instance = instance(*clock_),
          .own_uid = ::geteuid(),
          .past = {[this] { return engine_.history(); }, [this] { return engine_.leak_suspects(); },
                   [this] { return older(); }},
          .account = [this](auto since, auto until) { return account_->account(since, until); },
          .tariff = [this] { return settings_.read()->tariff; },
          .elsewhere = [this](auto work) { return long_answers_.post(std::move(work)); },
          .trouble = [this] { return engine_.trouble(); },
          .book = [this] { return book_->keeper(); },
          .reclaim = reclaim_.get(),
          .at_the_desk = [this](auto work) { return lease_answers_.post(std::move(work)); },
          .machine = [this] { return machine_.facts(); },
          .at_the_machine = [this](auto work) { return machine_answers_.post(std::move(work)); },
          .event_clients = [this] { return listeners_->clients(); },
          .events = listeners_.get(),
          .high_usage = options_.settings.events.high_usage,
          .high_usage_time = options_.settings.events.high_usage_time,
          .metrics = std::move(metrics),
          .sign_in = &sign_in_,
          .site = &site::built_in(),
          .served = served_routes,
          .doctor = [this] { return ask_doctor(); },
          .others = [this] { return troubles(); },
          .exports = [this] { return exports(); }};
}

std::string Service::ask_doctor() const {
  const char* const path = ::getenv("PATH");
  const doctor::SystemMachine machine(path ? path : "");
  const RealFiles files(options_.machine_root);
  return doctor::doctor_json(doctor::examine_all(files, machine, *engine_.snapshot(), *settings_.read()), false);
}

Hands Service::hands() {
  return {.configuration = [this] { return configuration_.answer(); },
          .change_configuration = [this](const Request& request) { return configuration_.change(request); },
          .set_configuration = [this](const std::string& json,
                                      auto respond) { return configuration_.set(json, false, std::move(respond)); },
          .monitoring = [this] { return engine_.monitoring(); },
          .monitor = [this](bool on) { return monitor(on); },
          .lives = time_ == clock_,
          .opened = [this] { return engine_.opened().has_value(); },
          .period = [this] { return sample_interval_.load(); },
          .when_fresh = [this](std::function<void()> done) { return engine_.when_fresh(std::move(done)); },
          .warn = [this](const std::string& text) { log_.warning("{}", text); }};
}

std::vector<std::string> Service::troubles() const {
  auto all = tls_.trouble();
  for (std::string& sentence : trouble_of(exports())) all.push_back(std::move(sentence));
  if (auto trouble = keeper_->trouble(); !trouble.empty()) all.push_back(std::move(trouble));
  for (std::string& sentence : account_->trouble()) all.push_back(std::move(sentence));
  return all;
}

// The first look at a machine may take SamplerOptions::first_list_deadline, 15 s.
HealthFacts Service::health_facts() const {
  const std::chrono::nanoseconds stalled_after = std::max<std::chrono::nanoseconds>(20s, 5 * sample_interval_.load());
  return {options_.version, started_, stalled_after, paced_since_};
}

// What waits for a restart stays as it was.
void Service::apply(const config::Settings& settings) {
  settings_.publish(std::make_shared<const config::Settings>(settings));
  auto target = open_log_target(log_target_options(settings.log, options_.journal));
  if (target) {
    log_.set_target(std::move(*target));
  } else {
    log_.error("the log stays where it was: {}", target.error().message);
  }
  log_.set_level(settings.log.level);
  if (sample_interval_.exchange(settings.engine.sample_interval) != settings.engine.sample_interval) {
    paced_since_ = time_->now();
  }
  allow(settings.actuators);
  authority_.configure(auth_rules(settings));
  tls_.configure(settings.tls);
  cors_.configure(settings.cors.origins);
  visitors_.configure(settings.http.requests_per_minute);
  public_visitors_.configure(settings.http.requests_per_minute);
  book_->configure(settings.book);
  metrics_settings_->publish(std::make_shared<const prometheus::MetricsSettings>(settings.metrics));
  expect_services(settings.book);
  reclaim_->configure(settings.reclaim);
  keeper_->configure(settings.history_store);
  account_->configure(settings.keeping);
  const bool taken = engine_.post([engine = settings.engine](Engine& running) { running.configure(engine); });
  if (!taken)
    log_.warning("the GPUs are still looked for: what was set takes effect with the next change or a restart");
}

Service::~Service() {
  server_.stop();
  public_server_.stop();
  if (actuation_) {
    actuation_->ask_to_stop();
    static_cast<void>(actuation_->wait(kGiveBackPatience));
  }
  if (delivery_) delivery_->dispatcher().stop();
  outlets_->publish(std::make_shared<const std::vector<Outlet>>());  // they end, as they ask here for what they take
  if (pods_) pods_->stop();
  events_->unsubscribe(log_subscription_);
  reclaim_->look_with(nullptr);
  listeners_->disconnect();
}

Result<std::unique_ptr<Service>> Service::start(ServiceOptions options, std::shared_ptr<Clock> clock, Log& log) {
  auto session = config::session_options(options.settings, true);
  if (!session) return tl::make_unexpected(session.error());
  auto time = clock_for(options.settings.source, options.speed, Speed(1), clock);
  if (!time) return tl::make_unexpected(time.error());
  auto state = claim_state(options, log);
  if (!state) return tl::make_unexpected(state.error());
  const config::Settings all = with_passed(options.settings, options.passed);
  if (auto well = check_listen(all, *state ? (*state)->path() : ""); !well) return tl::make_unexpected(well.error());
  if (auto well = check_tls(all, RealFiles()); !well) return tl::make_unexpected(well.error());
  // Before any thread is: what cannot listen leaves nothing behind.
  auto listeners = open_listeners(options.settings.listen, std::move(options.passed.own), "listening on", log);
  if (!listeners) return tl::make_unexpected(listeners.error());
  auto public_listeners = open_listeners(options.settings.metrics.listen, std::move(options.passed.metrics),
                                         "metrics for everybody on", log);
  if (!public_listeners) return tl::make_unexpected(public_listeners.error());
  std::unique_ptr<Service> service(new Service(
      std::move(options), {std::move(*session), std::move(*state), std::move(*time)}, std::move(clock), log));
  if (config::listens_with_tls(all)) {
    if (auto started = service->tls_.start(all.tls); !started) return tl::make_unexpected(started.error());
  }
  const auto tcp = std::ranges::find_if_not(*listeners, [](const auto& each) { return each.address().is_unix(); });
  if (tcp != listeners->end()) service->first_tcp_ = tcp->address();
  for (Listener& listener : *listeners) service->server_.add(std::move(listener));
  for (Listener& listener : *public_listeners) service->public_server_.add(std::move(listener));
  service->serving_ = 2;
  service->server_thread_ = std::jthread([raw = service.get()] { raw->serve(raw->server_); });
  service->public_thread_ = std::jthread([raw = service.get()] { raw->serve(raw->public_server_); });
  return service;
}

Result<std::string> Service::sign_in_link() {
  if (!first_tcp_) {
    return fail(Errc::not_supported,
                "a browser signs in over TCP, and nothing listens there: add --listen 127.0.0.1:8737");
  }
  auto code = sessions_.make_code(auth::Role::operator_, clock_->wall());
  if (!code) return code;
  ListenAddress here = *first_tcp_;
  if (here.host == "0.0.0.0") here.host = "127.0.0.1";
  if (here.host == "::") here.host = "::1";
  const std::string_view scheme = here.tls ? "" : "http://";  // the address says https by itself
  return fmt::format("{}{}/sign-in?code={}", scheme, here.to_string(), *code);
}

void Service::serve(HttpServer& server) {
  server.run();
  --serving_;
}

Result<void> Service::look() {
  const auto opened = engine_.opened();
  if (opened && !*opened) return *opened;
  const auto snapshot = engine_.snapshot();
  states_.look(*snapshot);
  states_.look(*engine_.trouble());
  book_->look();
  look_at_history();
  account_->look(log_);
  if (actuation_ && snapshot->sequence > 0) actuation_->see(snapshot);
  if (!over_ && engine_.played_out()) {
    over_ = true;
    log_.info("the recording is over: its last moment stays");
  }
  if (opened && !ready_) {
    ready_ = true;
    manager_.ready();
  }
  configuration_.look(clock_->now());
  tokens_.look();
  tls_.look();
  const HealthFacts facts = health_facts();
  const bool stalled = health(*snapshot, facts, time_->now(), engine_.monitoring() || !ready_) == Health::stalled;
  if (stalled) log_.error("the sampler has made no snapshot for {} s", facts.stalled_after / 1s);
  if (!stalled && answered_.exchange(false)) {
    manager_.alive();
    server_.ping([this] { answered_ = true; });
  }
  return {};
}

// Each is said once, however often it is tried.
void Service::look_at_history() {
  keeper_->remember(engine_.history());
  if (const auto notice = keeper_->take_notice(); !notice.empty()) log_.warning("{}", notice);
  const auto trouble = keeper_->trouble();
  if (trouble == history_trouble_) return;
  history_trouble_ = trouble;
  if (trouble.empty()) {
    log_.info("the history is kept again");
  } else {
    log_.error("{}", trouble);
  }
}

// Said as it is done: a stop and a start may follow each other at once.
bool Service::monitor(bool on) {
  const bool changed = engine_.monitor(on);
  if (changed) {
    log_.info("GPU monitoring {}", on ? "started" : "stopped");
  } else if (on) {
    log_.warning("GPU monitoring already running");
  }
  return changed;
}

void Service::begin_stop() {
  manager_.stopping();
  server_.stop();
  public_server_.stop();
  reclaim_->ask_to_stop();
  if (pods_) pods_->ask_to_stop();
  if (actuation_) actuation_->ask_to_stop();
  engine_stops_at_ = clock_->now() + kGiveBackPatience;
  delivery_stops_at_ = engine_stops_at_ + kSamplerPatience;
  events_->unsubscribe(log_subscription_);  // an engine that hangs may outlive the log
}

// One after the other, as far as drivers let it: as long as the engine's session with a driver is open, those that give
// values back begin at once; what the engine says last is kept for the sinks.
bool Service::ended() {
  const bool given_back = !actuation_ || actuation_->wait(0s);
  if (given_back || clock_->now() >= engine_stops_at_) engine_.ask_to_stop();
  const bool sampled = engine_.wait(0s);
  if (delivery_ && (sampled || clock_->now() >= delivery_stops_at_)) delivery_->dispatcher().begin_stop();
  if (sampled || clock_->now() >= delivery_stops_at_) {
    book_->ask_to_stop();
    keeper_->ask_to_stop();
    account_->ask_to_stop();
  }
  const bool kept = !delivery_ || delivery_->dispatcher().ended();
  const auto outlets = outlets_->read();
  if ((sampled || clock_->now() >= delivery_stops_at_) && !std::exchange(outlets_stop_, true)) {
    for (const Outlet& outlet : *outlets) outlet.begin_stop();
  }
  const bool taken =
      outlets_stop_ && std::ranges::all_of(*outlets, [](const Outlet& outlet) { return outlet.ended(); });
  const bool asked = !pods_ || pods_->ended();
  return given_back && sampled && kept && taken && asked && serving_ == 0 && reclaim_->ended() && book_->ended() &&
         keeper_->ended() && account_->ended();
}

std::vector<std::string> Service::hanging() {
  std::vector<std::string> result;
  if (!engine_.wait(0s)) result.emplace_back("stopped while a driver did not answer");
  if (actuation_ && !actuation_->wait(0s)) {
    result.emplace_back(
        "stopped while a driver did not answer to what gives values of GPUs back: the next start gives back what is "
        "left, which 'changes' and 'frozen' in the state directory list");
  }
  if (!reclaim_->ended()) result.emplace_back("stopped while a holder of a lease had not answered");
  if (!book_->ended()) result.emplace_back("stopped while a disk did not take what became of the leases");
  if (!keeper_->ended()) result.emplace_back("stopped while a disk did not take the history of the last minute");
  if (!account_->ended()) result.emplace_back("stopped while a disk did not take the account's last minute");
  if (delivery_ && !delivery_->dispatcher().ended()) {
    result.emplace_back("stopped while alerts were kept for the sinks: some may be sent twice, or not at all");
  }
  const auto all = outlets_->read();
  for (const Outlet& outlet : *all) {
    if (!outlet.ended())
      result.push_back(fmt::format("stopped while the {} of readings did not answer", outlet.status().name));
  }
  return result;
}

}  // namespace gpukeeper::service
