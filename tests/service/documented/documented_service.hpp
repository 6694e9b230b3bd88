#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "booking/book_settings.hpp"
#include "booking/reality_of.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/snapshots.hpp"
#include "machine/machine_reader.hpp"
#include "service/configuration.hpp"
#include "service/documented/refusals.hpp"
#include "service/identity.hpp"
#include "service/later.hpp"
#include "service/routes.hpp"

namespace gpukeeper::service::documented {

/// The routes of `gpukeeper serve` over a snapshot that a test made, with a ledger, and without any thread or socket.
class DocumentedService {
 public:
  static constexpr uid_t kOwner = 1000;  // the user that it runs as

  explicit DocumentedService(Snapshot snapshot, std::shared_ptr<const History> history = nullptr)
      : history_(history ? std::move(history) : std::make_shared<const History>()) {
    book_ = Bookkeeper::open(LedgerSettings(), {.clock = *clock_,
                                                .journal = std::make_unique<MemoryJournal>(disk_, "boot"),
                                                .owners = nullptr,
                                                .boot_id = "boot"})
                .value();
    see(std::move(snapshot));
    router_ = std::make_unique<Router>(routes(sights(), hands()));
  }

  void see(Snapshot snapshot) {
    snapshot.monotonic = clock_->now();
    snapshot_ = std::make_shared<const Snapshot>(std::move(snapshot));
    book_->observe(reality_of(*snapshot_));
  }

  /// As `serve` answers, from that user over the unix socket; nothing for a user: over TCP.
  Response ask(const std::string& method, const std::string& path, std::map<std::string, std::string> query = {},
               const std::string& body = {}, std::vector<Header> headers = {},
               std::optional<uid_t> user = std::nullopt) {
    Request request;
    request.method = method;
    request.path = path;
    request.query = std::move(query);
    request.body = body;
    request.headers = std::move(headers);
    auto peer = std::make_shared<Peer>();
    if (user) peer->credentials = Credentials{1, *user, *user};
    request.peer = std::move(peer);
    request.who = who_.value_or(identity_of(*request.peer, kOwner));
    Response response = router_->answer(std::move(request));
    while (response.later) {  // as the main thread and the server's do
      configuration_.look(clock_->now());
      response = response.later->take().value()();
    }
    return in_their_words(method, path, std::move(response));
  }
  /// Who asks from now on, as a token says it.
  void ask_as(auth::Identity who) { who_ = std::move(who); }
  Response get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return ask("GET", path, std::move(query));
  }
  /// The document of a GET.
  nlohmann::json document(const std::string& path, std::map<std::string, std::string> query = {}) {
    return nlohmann::json::parse(*get(path, std::move(query)).body);
  }
  /// A change by the owner.
  Response change(const std::string& method, const std::string& path, const std::string& body) {
    return ask(method, path, {}, body, {{"Content-Type", "application/json"}}, kOwner);
  }

  /// Nothing is granted any more.
  void close_the_book() {
    disk_->fails = Error{Errc::unavailable, "no space left on device"};
    static_cast<void>(change("POST", "/api/gpu/memory/allocate", R"({"allocation_id":"x","required_mb":1})"));
  }

  /// What the computer around the GPUs is like from now on.
  void set_machine(MachineFacts facts) { machine_ = std::make_shared<const MachineFacts>(std::move(facts)); }
  /// Where what happens is kept; nowhere where that is empty.
  void keep_in(std::string place) { kept_in_ = std::move(place); }

  /// Too many wait at the ledger's desk.
  void crowd_the_desk() { busy_ = true; }

  bool monitoring() const { return monitoring_; }
  /// What stood in the log since the last call.
  std::vector<std::string> log() { return lines_->take(); }
  Bookkeeper& book() { return *book_; }
  FakeClock& clock() { return *clock_; }

 private:
  Sights sights() {
    return {.snapshot = [this] { return snapshot_; },
            .faults = [] { return std::make_shared<const FaultList>(); },
            .faults_kept_in = [this] { return kept_in_; },
            .health =
                [started = clock_->now()] {
                  return HealthFacts{"1.2.3", started, std::chrono::seconds(20)};
                },
            .clock = clock_,
            .instance = "abc",
            .own_uid = kOwner,
            .past = {[this] { return history_; }, [] { return std::make_shared<const std::vector<LeakSuspect>>(); }},
            .book = [this] { return book_.get(); },
            .at_the_desk =
                [this](const std::function<void()>& work) {
                  if (!busy_) work();
                  return !busy_;
                },
            .machine = [this] { return machine_; }};
  }
  Hands hands() {
    return {.configuration = [this] { return configuration_.answer(); },
            .change_configuration = [this](const Request& request) { return configuration_.change(request); },
            .set_configuration = [this](const std::string& json,
                                        auto respond) { return configuration_.set(json, false, std::move(respond)); },
            .monitoring = [this] { return monitoring_; },
            .monitor = [this](bool on) { return std::exchange(monitoring_, on) != on; },
            .lives = false,
            .opened = [] { return true; },
            .period = [] { return std::chrono::seconds(1); },
            .when_fresh = [](std::function<void()>) { return false; },
            .warn = [this](const std::string& text) { log_.warning("{}", text); }};
  }
  void apply(const config::Settings& settings) { book_->configure(settings_for(settings.book, *snapshot_)); }

  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  const std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{*clock_, lines_};
  Configuration configuration_{std::make_shared<config::LiveConfig>(config::LiveConfig::open({}).value()),
                               [this](const config::Settings& settings) { apply(settings); }, log_};
  std::shared_ptr<const MachineFacts> machine_ = std::make_shared<const MachineFacts>();
  std::string kept_in_ = "/var/lib/gpukeeper/faults.db";
  bool monitoring_ = true;
  bool busy_ = false;
  std::optional<auth::Identity> who_;
  const std::shared_ptr<JournalDisk> disk_ = std::make_shared<JournalDisk>();
  const std::shared_ptr<const History> history_;
  std::unique_ptr<Bookkeeper> book_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::unique_ptr<Router> router_;
};

}  // namespace gpukeeper::service::documented
