#include "embed/daemon_keeper.hpp"

#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "embed/daemon_link.hpp"
#include "embed/no_signals.hpp"
#include "format/json_text.hpp"
#include "format/snapshot_reader.hpp"

namespace gpukeeper::embed {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kSnapshot = "/api/v1/snapshot";
constexpr std::string_view kSnapshots = "/api/v1/events/stream?types=snapshot";
constexpr auto kPause = 1s;          // from try to try of one that does not answer
constexpr auto kBeginPatience = 5s;  // of one that has just begun
constexpr auto kBeginPause = 100ms;

KeeperOptions::Variable without_host(const KeeperOptions::Variable& environment) {
  return [environment](std::string_view name) -> std::optional<std::string> {
    if (name == "GPUKEEPER_HOST" || name == "GPUKEEPER_DAEMON") return std::nullopt;
    return environment(name);
  };
}

State state_of_word(const std::string& word) {
  for (const State state : {State::optimal, State::normal, State::throttled, State::critical}) {
    if (word == to_string(state)) return state;
  }
  return State::unavailable;
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The configured borders out of /api/v1/config.
Thresholds thresholds_in(const std::string& document) {
  const Json json = Json::parse(document, nullptr, false);
  std::map<std::string, double> values;
  const auto keys = json.is_object() ? json.find("keys") : json.end();
  for (const Json& key : json.is_object() && keys != json.end() && keys->is_array() ? *keys : Json::array()) {
    const auto value = key.is_object() ? key.find("value") : key.end();
    if (key.is_object() && value != key.end() && value->is_number()) values[text_in(key, "key")] = value->get<double>();
  }
  Thresholds result;
  const auto take = [&](const char* key, auto& into) {
    if (const auto found = values.find(key); found != values.end()) {
      into = std::remove_reference_t<decltype(into)>(found->second);
    }
  };
  take("temp_optimal", result.temp_optimal);
  take("temp_normal", result.temp_normal);
  take("temp_throttle", result.temp_throttle);
  take("memory_optimal", result.memory_optimal);
  take("memory_normal", result.memory_normal);
  take("memory_critical", result.memory_critical);
  return result;
}

// What one message of the daemon's means for a listener.
class Translator {
 public:
  using Latest = std::function<std::shared_ptr<const View>()>;

  Translator(EventWishes wishes, ListenerThread::Say say, Latest latest)
      : wishes_(std::move(wishes)), say_(std::move(say)), latest_(std::move(latest)) {}

  void tell(const client::StreamEvent& event) {
    if (event.type == "begin" || event.type == "restarted") return;
    if (event.type == "state") tell_what_follows(event);
    if (event.type == "skipped" || is_wanted(event.type)) say_(told(++number_, event.data, *latest_()->snapshot));
  }

 private:
  bool is_wanted(const std::string& type) const {
    const auto known = events::parse_event_types(type);
    if (!known) return false;
    for (const events::EventType each : events::event_types()) {
      if (type == to_string(each)) return wishes_.types.has(each);
    }
    return false;
  }
  void tell_what_follows(const client::StreamEvent& event) {
    Json message = Json::parse(event.data, nullptr, false);
    const auto payload = message.is_object() ? message.find("payload") : message.end();
    if (!message.is_object() || payload == message.end() || !payload->is_object()) return;
    const State now = state_of_word(text_in(*payload, "state"));
    const State before = state_of_word(text_in(*payload, "before"));
    const Json who = {{"device", text_in(*payload, "uuid")},
                      {"index", payload->value("index", Json())},
                      {"old_state", to_string(before)},
                      {"new_state", to_string(now)}};
    for (const GovernorEventKind kind : kinds_of(before, now, payload->value("available", Json()) == Json(true))) {
      if (!wishes_.kinds.contains(kind)) continue;
      const Json told_here = {
          {"type", to_string(kind)}, {"timestamp", text_in(message, "timestamp")}, {"payload", who}};
      auto result = told(++number_, dump(told_here, false), *latest_()->snapshot);
      result.type = to_string(kind);  // here `throttle` is the governor's
      say_(result);
    }
  }

  const EventWishes wishes_;
  const ListenerThread::Say say_;
  const Latest latest_;
  std::uint64_t number_ = 0;
};

}  // namespace

Result<std::unique_ptr<Keeper>> DaemonKeeper::open(const KeeperOptions& options) {
  const bool local = options.host == "local";
  auto daemon = client::Daemon::find(local ? std::string() : options.host,
                                     local ? without_host(options.environment) : options.environment);
  if (!daemon) return tl::make_unexpected(daemon.error());
  std::unique_ptr<DaemonKeeper> keeper(new DaemonKeeper(std::move(*daemon)));
  SystemClock clock;
  const auto until = clock.now() + kBeginPatience;
  for (;;) {
    auto taken = keeper->take_snapshot();
    if (taken) break;
    if (taken.error().code != Errc::unavailable || clock.now() >= until) return tl::make_unexpected(taken.error());
    clock.sleep_until(clock.now() + kBeginPause, {});
  }
  const NoSignals thread_gets_none;
  keeper->follower_ = std::jthread([raw = keeper.get()](const std::stop_token& stop) { raw->follow_snapshots(stop); });
  return std::unique_ptr<Keeper>(std::move(keeper));
}

DaemonKeeper::DaemonKeeper(client::Daemon daemon)
    : daemon_(std::move(daemon)),
      leases_([this](const Question& question, std::chrono::nanoseconds wait) { return ask_daemon(question, wait); },
              interrupt_) {}

DaemonKeeper::~DaemonKeeper() {
  subscriptions_.end_all();
}

Result<Answer> DaemonKeeper::ask_daemon(const Question& question, std::chrono::nanoseconds wait) {
  return embed::ask_daemon(daemon_, question, wait, *interrupt_);
}

Result<std::string> DaemonKeeper::document(std::string_view method, std::string_view target) {
  return daemon_.ask(method, target);
}

Result<void> DaemonKeeper::take_snapshot() {
  auto text = document("GET", kSnapshot);
  if (!text) return tl::make_unexpected(text.error());
  auto snapshot = parse_snapshot(*text);
  if (!snapshot) {
    return fail(Errc::internal,
                fmt::format("the gpukeeper daemon at {}: its answer {}", harmless(host()), snapshot.error().message));
  }
  if (snapshot->sequence == 0) snapshot->sequence = 1;  // the document does not say it, and it was taken
  shown_->publish(view_of(std::make_shared<const Snapshot>(std::move(*snapshot))));
  return {};
}

void DaemonKeeper::follow_snapshots(const std::stop_token& stop) {
  SystemClock clock;
  while (!stop.stop_requested()) {
    auto followed = daemon_.follow(kSnapshots, stop, [&](const client::StreamEvent& event) {
      if (event.type != "snapshot") return true;
      auto snapshot = parse_snapshot_event(event.data);
      if (!snapshot) return true;
      if (snapshot->sequence == 0) snapshot->sequence = 1;
      shown_->publish(view_of(std::make_shared<const Snapshot>(std::move(*snapshot))));
      note({});
      return true;
    });
    if (stop.stop_requested()) return;
    note(followed ? Result<void>(fail(Errc::unavailable, "the gpukeeper daemon has ended the stream")) : followed);
    clock.sleep_until(clock.now() + kPause, stop);
  }
}

void DaemonKeeper::note(Result<void> asked) {
  std::scoped_lock lock(mutex_);
  trouble_ = asked ? std::nullopt : std::optional(asked.error());
}

Result<std::shared_ptr<const View>> DaemonKeeper::look() {
  {
    std::scoped_lock lock(mutex_);
    if (!trouble_) return view();
  }
  if (auto taken = take_snapshot(); !taken) return tl::make_unexpected(taken.error());
  return view();
}

Result<void> DaemonKeeper::monitor(bool on) {
  auto told = document("POST", on ? "/api/v1/monitoring/start" : "/api/v1/monitoring/stop");
  if (!told) return tl::make_unexpected(told.error());
  return {};
}

bool DaemonKeeper::monitoring() {
  const auto text = document("GET", "/api/v1/monitoring");
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  return json.is_object() && json.value("monitoring", Json()) == Json(true);
}

Result<State> DaemonKeeper::judge(double temperature, double memory_percent) {
  const auto config = document("GET", "/api/v1/config");
  if (!config) return tl::make_unexpected(config.error());
  return embed::judge(temperature, memory_percent, thresholds_in(*config));
}

Result<std::uint64_t> DaemonKeeper::subscribe(EventWishes wishes, Listener listener) {
  return subscriptions_.add(
      [this, wishes = std::move(wishes)](const std::stop_token& stop, const ListenerThread::Say& say) {
        Translator translator(wishes, say, [this] { return view(); });
        std::string after;
        SystemClock clock;
        while (!stop.stop_requested()) {
          const std::string target = "/api/v1/events/stream" + (after.empty() ? "" : "?after=" + after);
          // It begins with how all is, which is no news.
          bool news = !after.empty();
          static_cast<void>(daemon_.follow(target, stop, [&](const client::StreamEvent& event) {
            if (!event.id.empty()) after = event.id;
            if (news) translator.tell(event);
            if (event.type == "snapshot") news = true;
            return true;
          }));
          clock.sleep_until(clock.now() + kPause, stop);
        }
      },
      std::move(listener));
}

Result<std::uint16_t> DaemonKeeper::serve_metrics(const std::string&) {
  return fail(Errc::invalid_argument,
              fmt::format("this keeper asks the gpukeeper daemon at {}, which serves its metrics itself: GET /metrics, "
                          "or 'gpukeeper serve --metrics-listen'",
                          harmless(host())));
}

void DaemonKeeper::interrupt() {
  interrupt_->raise();
}

}  // namespace gpukeeper::embed
