#include "embed/local_keeper.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <unistd.h>

#include "booking/housekeeping.hpp"
#include "config/session_options.hpp"
#include "embed/configuration.hpp"
#include "embed/no_signals.hpp"
#include "embed/quiet_log.hpp"
#include "engine/state_dir.hpp"
#include "events/lease_happening.hpp"
#include "format/json_text.hpp"
#include "service/event_desk.hpp"

namespace gpukeeper::embed {

using namespace std::chrono_literals;

namespace {

constexpr auto kOpenPatience = 20s;  // the first look at a machine may take SamplerOptions::first_list_deadline, 15 s
constexpr auto kLookPatience = 20s;
constexpr auto kEndPatience = 2s;
constexpr auto kLedgerFresh = 1s;  // as a daemon looks once a second

Error hangs(std::string what) {
  return {Errc::deadline_exceeded,
          what + ": a driver has not answered for 20 s; 'gpukeeper doctor' says which is there"};
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

// Of a body that asks for a lease.
std::chrono::nanoseconds wait_in(std::string_view body) {
  const Json document = Json::parse(body, nullptr, false);
  const auto found = document.is_object() ? document.find("wait_seconds") : document.end();
  if (!document.is_object() || found == document.end() || !found->is_number()) return 0ns;
  const double seconds = std::clamp(found->get<double>(), 0.0, 86'400.0);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

std::shared_ptr<Published<config::Settings>> published(const config::Settings& settings) {
  auto result = std::make_shared<Published<config::Settings>>();
  result->publish(std::make_shared<const config::Settings>(settings));
  return result;
}

// By the settings as they are at each scrape: gk_configure() may have changed them.
service::MetricsDesk metrics_desk(const std::shared_ptr<Published<config::Settings>>& settings) {
  service::MetricsDesk desk;
  desk.settings = [settings] {
    const auto now = settings->read();
    return std::shared_ptr<const prometheus::MetricsSettings>(now, &now->metrics);
  };
  return desk;
}

// Of events: those of a later keeper are larger.
std::uint64_t first_number(const Clock& clock) {
  using std::chrono::microseconds;
  return static_cast<std::uint64_t>(
      std::max<microseconds::rep>(0, std::chrono::floor<microseconds>(clock.wall().time_since_epoch()).count()));
}

}  // namespace

Result<std::string> LocalKeeper::ledger_folder(const KeeperOptions& options, const config::Settings& settings) {
  if (options.ledger == LedgerPlace::memory) return std::string();
  if (settings.state_dir) return *settings.state_dir;
  return StateDirectory::usual_path(options.environment, ::geteuid() == 0);
}

Result<std::unique_ptr<Keeper>> LocalKeeper::open(const KeeperOptions& options) {
  auto config = open_configuration(options);
  if (!config) return tl::make_unexpected(config.error());
  const config::Settings settings = config->now().settings;
  auto session = config::session_options(settings, true);
  if (!session) return tl::make_unexpected(session.error());
  const auto clock = std::make_shared<SystemClock>();
  auto time = clock_for(settings.source, std::nullopt, Speed(1), clock);
  if (!time) return tl::make_unexpected(time.error());
  auto folder = ledger_folder(options, settings);  // without one there are no leases, and all else
  const NoSignals threads_get_none;
  std::unique_ptr<LocalKeeper> keeper(new LocalKeeper(
      options,
      {std::make_shared<config::LiveConfig>(std::move(*config)), std::move(*session), clock, std::move(*time)}));
  const auto opened = keeper->engine_.wait_until_opened(kOpenPatience);
  if (!opened) return tl::make_unexpected(hangs("open the GPUs"));
  if (!*opened) return tl::make_unexpected(opened->error());
  keeper->make_desks(options, std::move(folder));
  if (auto looked = keeper->look(); !looked) return tl::make_unexpected(looked.error());
  return std::unique_ptr<Keeper>(std::move(keeper));
}

LocalKeeper::LocalKeeper(const KeeperOptions& options, Parts parts)
    : clock_(parts.clock),
      time_(parts.time),
      log_(*clock_, std::make_shared<QuietLog>()),
      settings_(published(parts.config->now().settings)),
      metrics_(metrics_desk(settings_)),
      engine_((settings_->publish(std::make_shared<const config::Settings>(parts.config->now().settings)),
               opener(options, parts))),
      configuration_(
          parts.config, [this](const config::Settings& settings) { apply(settings); }, log_) {}

LocalKeeper::~LocalKeeper() {
  interrupt();
  subscriptions_.end_all();
  engine_.ask_to_stop();
  static_cast<void>(engine_.wait(kEndPatience));
}

service::EngineThread::Open LocalKeeper::opener(const KeeperOptions& options, const Parts& parts) {
  SessionOptions session = parts.session;
  session.detect.machine_root = options.environment("GPUKEEPER_ROOT").value_or("");
  session.prepare = [opened = opened_](Sources& sources, EngineOptions&) -> Result<void> {
    opened->machine = sources.machine;
    return {};
  };
  session.engine.events = governed_;
  session.engine.booked = [opened = opened_] { return *opened->booked.read(); };
  session.engine.is_ours = [opened = opened_](const DeviceSnapshot& device, std::int64_t pid) {
    const auto booked = *opened->booked.read();
    return booked && works_under_lease(*booked, device, pid);
  };
  session.engine.on_snapshot = [shown = shown_, announcer = announcer_,
                                latest = metrics_.latest](const std::shared_ptr<const Snapshot>& snapshot) {
    shown->publish(view_of(snapshot));
    latest->publish(snapshot);
    announcer->see(snapshot);
  };
  session.engine.on_step = [desk = metrics_](const Snapshot& snapshot, const StepCost& cost) {
    note_step(desk, snapshot, cost);
  };
  return [session = std::move(session), sources = parts.config->now().settings.source, time = parts.time,
          on = options.monitoring]() -> Result<std::unique_ptr<Session>> {
    auto opened = Session::open(sources, time, session);
    if (opened) static_cast<void>((*opened)->engine().monitor(on));
    return opened;
  };
}

// Once the sources are open: whether their devices live decides where is booked.
void LocalKeeper::make_desks(const KeeperOptions& options, Result<std::string> folder) {
  const config::Settings& settings = *settings_->read();
  const bool in_memory = folder && folder->empty();
  desk::OwnBook::Place place{.folder = std::move(folder), .machine = opened_->machine, .stays_open = true};
  place.opened = [this](Bookkeeper& book) {
    ++changes_;
    book.measure([this](const Bookkeeper::Served& served) {
      ++changes_;
      note_served(metrics_, served);
      if (!announcer_->is_heard()) return;
      for (const auto& each : service::happenings_of(served)) {
        announcer_->note(events::happening_of(each, time_->wall()));
      }
    });
    book.listen([this](const LedgerEvent& event, const Lease& lease) {
      ++changes_;
      if (!announcer_->is_heard()) return;
      announcer_->note(events::happening_of(events::lease_happening(event, lease), time_->wall()));
    });
  };
  if (in_memory) {  // of the machine's it is known for the moment of a call only
    place.observed = [opened = opened_](const Ledger& ledger, const Snapshot& snapshot) {
      opened->booked.publish(std::make_shared<const std::shared_ptr<const Booked>>(
          std::make_shared<const Booked>(summary(ledger, snapshot))));
    };
  }
  book_.emplace(std::move(place), settings.book, *clock_);
  answers_.emplace(world(options), interrupt_);
  const auto look = [this] { return snapshot_for_the_ledger(); };
  desk_.emplace(*book_, settings.reclaim, look, *time_, stop_.get_token());
  own_leases_.emplace(*book_, look, interrupt_);
  const bool named = !options.source.empty() || !options.environment("GPUKEEPER_SOURCE").value_or("").empty();
  if (!in_memory && !named && options.state_dir.empty()) daemon_.emplace(options.environment);
  leases_.emplace(*own_leases_, daemon_ ? &*daemon_ : nullptr, interrupt_);
}

LocalAnswers::World LocalKeeper::world(const KeeperOptions& options) {
  return {.engine = engine_,
          .clock = clock_,
          .time = time_,
          .configuration = configuration_,
          .metrics = metrics_,
          .book = [this] { return answering_.load() == std::this_thread::get_id() ? book_at_hand_ : nullptr; },
          .period = [this] { return settings_->read()->engine.sample_interval; },
          .machine_root = options.environment("GPUKEEPER_ROOT").value_or(""),
          .version = GPUKEEPER_VERSION};
}

void LocalKeeper::apply(const config::Settings& settings) {
  settings_->publish(std::make_shared<const config::Settings>(settings));
  book_->configure(settings.book);
  desk_->configure(settings.reclaim);
  static_cast<void>(engine_.post([engine = settings.engine](Engine& running) { running.configure(engine); }));
}

Result<std::shared_ptr<const View>> LocalKeeper::look() {
  return look_no_older_than(Engine::kFresh);
}

Result<std::shared_ptr<const View>> LocalKeeper::look_no_older_than(std::chrono::nanoseconds age) {
  auto known = view();
  if (known->snapshot->sequence > 0 && time_->now() - known->snapshot->monotonic <= age) return known;
  const auto done = std::make_shared<bool>(false);
  const bool asked = engine_.when_fresh([done, interrupt = interrupt_] { interrupt->tell([&] { *done = true; }); });
  if (!asked) return fail(Errc::unavailable, "look at the GPUs: so many ask already that no more may wait; try again");
  if (interrupt_->wait(kLookPatience, [&] { return *done; })) return view();
  if (interrupt_->raised()) return fail(Errc::unavailable, "the keeper is being closed");
  return tl::make_unexpected(hangs("look at the GPUs"));
}

Result<std::shared_ptr<const Snapshot>> LocalKeeper::snapshot_for_the_ledger() {
  const auto looked = look_no_older_than(kLedgerFresh);
  if (!looked) return tl::make_unexpected(looked.error());
  return (*looked)->snapshot;
}

Result<void> LocalKeeper::monitor(bool on) {
  static_cast<void>(engine_.monitor(on));
  return {};
}

Result<State> LocalKeeper::judge(double temperature, double memory_percent) {
  return embed::judge(temperature, memory_percent, settings_->read()->engine.governor.thresholds);
}

Result<Answer> LocalKeeper::ask(const Question& question) {
  const NoSignals threads_get_none;
  const std::string_view path = path_of(question.target);
  if (desk::is_about_the_ledger(path) || path.starts_with("/api/gpu/memory/")) return ask_the_ledger(question);
  if (!path.starts_with("/api/gpu/")) return answers_->answer(question);
  const auto daemon = daemon_ ? daemon_->find() : Result<std::optional<client::Daemon>>(std::nullopt);
  return daemon && !*daemon ? ask_with_book(question) : answers_->answer(question);  // what it keeps is not known here
}

// A running daemon's ledger is the machine's.
Result<Answer> LocalKeeper::ask_the_ledger(const Question& question) {
  if (!daemon_) return ask_own_ledger(question);
  for (bool again = false;; again = true) {
    const auto daemon = daemon_->find();
    if (!daemon) return tl::make_unexpected(daemon.error());
    auto answer =
        *daemon ? ask_daemon(**daemon, question, wait_in(question.body), *interrupt_) : ask_own_ledger(question);
    const bool gone = !answer && answer.error().code == (*daemon ? Errc::not_found : Errc::unavailable);
    if (again || !gone) return answer;
    daemon_->look_again();
  }
}

Result<Answer> LocalKeeper::ask_own_ledger(const Question& question) {
  if (!path_of(question.target).starts_with("/api/v1/")) return ask_with_book(question);
  auto reply = desk_->ask({.method = question.method,
                           .target = std::string(question.target),
                           .body = std::string(question.body),
                           .wait = wait_in(question.body)});
  if (!reply) return tl::make_unexpected(reply.error());
  return Answer{reply->status, std::move(reply->body)};
}

// The documented GPU manager's answers tell of allocations, too.
Result<Answer> LocalKeeper::ask_with_book(const Question& question) {
  const auto snapshot = snapshot_for_the_ledger();
  if (!snapshot) return tl::make_unexpected(snapshot.error());
  Result<Answer> answer = fail(Errc::internal, "nobody answered");
  const auto done = book_->with(**snapshot, [&](const StateDirectory*, Bookkeeper& book) {
    if (answered_at_.exchange(changes_.load()) != changes_.load()) answers_->forget_allocations();
    book_at_hand_ = &book;
    answering_ = std::this_thread::get_id();
    answer = answers_->answer(question);
    answering_ = std::thread::id();
    answered_at_ = changes_.load();  // what this one changed its answers know
  });
  if (!done) return tl::make_unexpected(done.error());
  return answer;
}

Result<std::uint64_t> LocalKeeper::subscribe(EventWishes wishes, Listener listener) {
  if (!wishes.kinds.empty()) {
    std::call_once(governor_is_heard_, [&] {
      const NoSignals threads_get_none;
      governed_->subscribe("listeners", std::nullopt,
                           [announcer = announcer_](const GovernorEvent& event) { announcer->note(event); });
    });
  }
  return subscriptions_.add(
      announcer_->listening(
          std::move(wishes), view()->snapshot, [this] { return engine_.faults(); }, first_number(*clock_)),
      std::move(listener));
}

Result<std::uint16_t> LocalKeeper::serve_metrics(const std::string& address) {
  auto server = MetricsServer::start(address, answers_->routes_for_scrapers(), *clock_, log_);
  if (!server) return tl::make_unexpected(server.error());
  std::scoped_lock lock(servers_mutex_);
  servers_.push_back(std::move(*server));
  return servers_.back()->port();
}

void LocalKeeper::interrupt() {
  stop_.request_stop();
  interrupt_->raise();
}

}  // namespace gpukeeper::embed
