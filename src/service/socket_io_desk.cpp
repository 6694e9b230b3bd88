#include "service/socket_io_desk.hpp"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "machine/machine_reader.hpp"
#include "service/documented/gpu_list.hpp"
#include "service/documented/live_objects.hpp"
#include "service/events_answer.hpp"
#include "service/later.hpp"
#include "service/takeover.hpp"

namespace gpukeeper::service {

using namespace std::chrono_literals;
using documented::Json;
using socket_io::EngineKind;
using socket_io::EnginePacket;

namespace {

constexpr auto kTick = 1s;
constexpr std::string_view kHighUsage = "high_gpu_usage_alert";

// The answers that Engine.IO has for what is wrong.
Response refused(int code, std::string_view message) {
  return json_answer(400, fmt::format(R"({{"code":{},"message":"{}"}})", code, message));
}

Response text_answer(std::string text) {
  Response response = json_answer(200, std::move(text));
  response.content_type = "text/plain; charset=UTF-8";
  return response;
}

// Nobody can guess it: std::random_device asks the kernel.
std::string random_id() {
  std::random_device source;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", source(), source(), source(), source());
}

std::string dumped(const Json& object) {
  return object.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string parameter(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

}  // namespace

struct SocketIoDesk::Usage : documented::HighUsage {
  using HighUsage::HighUsage;
};

// One of them, however it is connected.
struct SocketIoDesk::Client final : EventDesk::Listener {
  Client(std::string its_name, MonotonicTime now, std::function<void(const std::string&)> asked)
      : name(std::move(its_name)), session(random_id(), random_id(), now, std::move(asked)) {}

  void wake() override {}  // it is told otherwise

  const std::string name;  // of who asks: nobody else goes on with it
  socket_io::Session session;
  std::shared_ptr<Later> poll;  // a request that waits; null for none
  std::function<void()> carry;  // its WebSocket has something to write; null without one
  bool upgrading = false;       // a WebSocket is being tried
  bool greeted = false;         // it was told how all is
};

// Its WebSocket.
class SocketIoDesk::Carrier final : public Takeover {
 public:
  Carrier(std::shared_ptr<SocketIoDesk> desk, std::shared_ptr<Client> client, Request request, bool is_upgrade)
      : desk_(std::move(desk)), client_(std::move(client)), request_(std::move(request)), trying_(is_upgrade) {}

  const Request& request() const override { return request_; }
  bool is_web_socket() const override { return true; }

  void begin(std::function<void()> wake) override {
    wake_ = std::move(wake);
    if (trying_) return;
    client_->carry = wake_;
    own_ = std::make_shared<const std::string>(client_->session.open_packet(false));
  }

  Said next() override {
    if (farewell_) return {.end = true, .farewell = *farewell_};
    if (own_) return {.text = std::exchange(own_, nullptr)};
    if (trying_) return {};
    if (auto packet = client_->session.take()) return {.text = std::move(packet)};
    if (client_->session.over()) return {.end = true};
    return {};
  }

  std::optional<Farewell> hear(std::string_view message) override {
    const auto packet = socket_io::parse_engine_packet(message);
    if (!packet) return Farewell{1003, "no packet of Engine.IO"};
    if (trying_) return probe(*packet);
    desk_->hear(client_, *packet);
    return std::nullopt;
  }

  std::shared_ptr<const std::string> heartbeat() override { return std::make_shared<const std::string>("6"); }

  void stop(Farewell why) override {
    farewell_ = std::move(why);
    if (wake_) wake_();
  }

  void ended() override {
    wake_ = nullptr;
    if (trying_) {
      client_->upgrading = false;
      return;
    }
    client_->carry = nullptr;
    desk_->leave(client_);
  }

 private:
  // 2probe is answered 3probe, and the request that waits is let go; then the client says 5.
  std::optional<Farewell> probe(const EnginePacket& packet) {
    if (packet.kind == EngineKind::ping && packet.data == "probe") {
      own_ = std::make_shared<const std::string>("3probe");
      client_->upgrading = true;
      desk_->deliver(client_);
      wake_();
      return std::nullopt;
    }
    if (packet.kind != EngineKind::upgrade || !client_->upgrading) return Farewell{1002, "2probe and 5 are expected"};
    trying_ = false;
    client_->upgrading = false;
    client_->carry = wake_;
    wake_();
    return std::nullopt;
  }

  const std::shared_ptr<SocketIoDesk> desk_;
  const std::shared_ptr<Client> client_;
  const Request request_;
  bool trying_;  // until the client has said that it comes over
  std::optional<Farewell> farewell_;
  std::function<void()> wake_;
  std::shared_ptr<const std::string> own_;  // to be said before all else
};

SocketIoDesk::SocketIoDesk(World world)
    : world_(std::move(world)), usage_(std::make_unique<Usage>(world_.high_usage, world_.high_usage_time)) {}
SocketIoDesk::~SocketIoDesk() = default;

template <class Do>
void SocketIoDesk::on_server(Do what, std::chrono::milliseconds delay) const {
  world_.after(delay, [weak = std::const_pointer_cast<SocketIoDesk>(shared_from_this()),
                       what = std::move(what)]() mutable { what(*weak); });
}

Response SocketIoDesk::answer(const Request& request) {
  if (parameter(request, "EIO") != "4") return refused(5, "Unsupported protocol version");
  const std::string transport = parameter(request, "transport");
  const bool web_socket = transport == "websocket";
  if (!web_socket && transport != "polling") return refused(0, "Transport unknown");
  if (web_socket) {
    if (auto none = refuse_no_web_socket(request)) return std::move(*none);
  }
  const std::string sid = parameter(request, "sid");
  if (sid.empty()) return open(request, web_socket);
  const auto found = clients_.find(sid);
  if (found == clients_.end() || found->second->name != request.who.name) return refused(1, "Session ID unknown");
  const std::shared_ptr<Client> client = found->second;  // it may leave meanwhile
  return go_on(request, client);
}

Response SocketIoDesk::open(const Request& request, bool web_socket) {
  if (request.method != "GET") return refused(2, "Bad handshake method");
  if (auto full = world_.listeners.full()) return std::move(*full);
  const auto client = welcome(request);
  if (!web_socket) return text_answer(client->session.open_packet(true));
  Response response;
  response.status = 101;
  response.takeover = std::make_shared<Carrier>(shared_from_this(), client, request, false);
  return response;
}

Response SocketIoDesk::go_on(const Request& request, const std::shared_ptr<Client>& client) {
  if (parameter(request, "transport") == "websocket") {
    if (client->carry || client->upgrading) return refused(3, "Bad request");
    Response response;
    response.status = 101;
    response.takeover = std::make_shared<Carrier>(shared_from_this(), client, request, true);
    return response;
  }
  if (client->carry) return refused(3, "Bad request");
  return request.method == "POST" ? take(request, client) : poll(client);
}

Response SocketIoDesk::poll(const std::shared_ptr<Client>& client) {
  if (client->poll) {  // two at once: who is it?
    leave(client);
    return refused(3, "Bad request");
  }
  if (client->session.has_waiting()) return text_answer(client->session.take_all());
  if (client->upgrading) return text_answer("6");
  constexpr auto kPatience = socket_io::Session::kPingInterval + socket_io::Session::kPingTimeout;
  const auto later = std::make_shared<Later>("nothing came", kPatience);
  later->on_abandoned([client = std::weak_ptr(client), raw = later.get()] {
    const auto there = client.lock();
    if (there && there->poll.get() == raw) there->poll = nullptr;
  });
  client->poll = later;
  Response response;
  response.later = later;
  return response;
}

Response SocketIoDesk::take(const Request& request, const std::shared_ptr<Client>& client) {
  const auto packets = socket_io::parse_engine_payload(request.body);
  if (!packets) {
    leave(client);
    return refused(3, "Bad request");
  }
  for (const EnginePacket& packet : *packets) hear(client, packet);
  return text_answer("ok");
}

std::shared_ptr<SocketIoDesk::Client> SocketIoDesk::welcome(const Request& request) {
  // Whom it asks outlives it: what was asked is answered while it is heard.
  const auto place = std::make_shared<Client*>();
  const auto client = std::make_shared<Client>(request.who.name, world_.clock->now(),
                                               [this, place](const std::string& event) { asked(**place, event); });
  *place = client.get();
  clients_.emplace(client->session.id(), client);
  world_.listeners.add(*client);
  tick_later();
  return client;
}

void SocketIoDesk::hear(const std::shared_ptr<Client>& client, const EnginePacket& packet) {
  client->session.hear(packet, world_.clock->now());
  if (client->session.take_joined()) look();
  deliver(client);
}

void SocketIoDesk::asked(Client& client, const std::string& event) {
  if (event == "request_gpu_update") return refresh();
  if (event != "request_monitoring_stats") return;
  client.session.tell("system:monitoring_stats", socket_io::event_text("system:monitoring_stats", world_.stats()),
                      true);
}

// What waits goes out, as far as somebody is there to take it.
void SocketIoDesk::deliver(const std::shared_ptr<Client>& client) {
  if (client->carry) return client->carry();
  if (client->session.over()) return leave(client);
  if (!client->poll || (!client->session.has_waiting() && !client->upgrading)) return;
  const auto poll = std::exchange(client->poll, nullptr);
  poll->give(text_answer(client->session.has_waiting() ? client->session.take_all() : "6"));
}

void SocketIoDesk::leave(const std::shared_ptr<Client>& client) {
  client->session.end();
  if (clients_.erase(client->session.id()) == 0) return;
  world_.listeners.remove(*client);
  if (const auto poll = std::exchange(client->poll, nullptr)) poll->give(text_answer("1"));
  if (client->carry) client->carry();
}

void SocketIoDesk::tick_later() {
  if (std::exchange(ticking_, true)) return;
  on_server([](SocketIoDesk& desk) { desk.tick(); }, kTick);
}

void SocketIoDesk::tick() {
  ticking_ = false;
  const auto now = world_.clock->now();
  std::vector<std::shared_ptr<Client>> all;
  for (const auto& [id, client] : clients_) all.push_back(client);
  bool joined = false;
  for (const auto& client : all) {
    client->session.tick(now);
    joined = joined || client->session.joined();
    deliver(client);
  }
  if (clients_.empty()) return;  // the next who comes has it go on
  if (joined) tell_high_usage();
  if (joined && now + kTick > next_update_) look();  // rather too early than too late
  tick_later();
}

// The latest snapshot and the computer, from which all is told; one look at a time.
void SocketIoDesk::look() {
  if (std::exchange(looking_, true)) return;
  const bool demanded = std::exchange(demanded_, false);
  auto work = [self = shared_from_this(), demanded, count = ++updates_] {
    const auto news = self->gather(demanded, count);
    self->on_server([news](SocketIoDesk& desk) { desk.tell(*news); });
  };
  if (!world_.elsewhere) return work();
  if (!world_.elsewhere(std::move(work))) looking_ = false;  // at the next tick
}

std::shared_ptr<const SocketIoDesk::News> SocketIoDesk::gather(bool demanded, std::uint64_t count) const {
  auto news = std::make_shared<News>();
  const auto snapshot = world_.snapshot();
  news->until_next = kTick;
  if (snapshot->sequence == 0) return news;
  const auto facts = world_.machine ? world_.machine() : nullptr;
  const auto urgency = demanded ? documented::Urgency::critical : documented::urgency_of(*snapshot, facts.get());
  news->until_next = documented::period_of(demanded ? documented::Urgency::standard : urgency);
  const std::string summary = dumped(documented::gpu_summary(*snapshot));
  const auto add = [](std::vector<Told>& to, std::string name, const std::string& argument) {
    auto packet = socket_io::event_text(name, argument);
    to.push_back({std::move(name), std::move(packet), true});
  };
  add(news->first, "gpu_status", summary);
  add(news->first, "system:initial_status", dumped(documented::initial_status(*snapshot, facts.get())));
  add(news->update, "gpu_status_update", summary);
  add(news->update, "system:metrics_update",
      dumped(documented::metrics_update(*snapshot, facts.get(), urgency, count)));
  if (Json alerts = documented::live_alerts(*snapshot, facts.get()); !alerts.empty()) {
    add(news->update, "system:alerts", dumped(documented::alerts_object(std::move(alerts), snapshot->taken_at)));
  }
  return news;
}

void SocketIoDesk::tell(const News& news) {
  looking_ = false;
  next_update_ = world_.clock->now() + news.until_next;
  if (news.update.empty()) return;
  std::vector<std::shared_ptr<Client>> all;
  for (const auto& [id, client] : clients_) all.push_back(client);
  for (const auto& client : all) {
    if (!client->session.joined()) continue;
    const bool first = !std::exchange(client->greeted, true);
    for (const Told& told : first ? news.first : news.update) {
      client->session.tell(told.name, told.packet, told.latest);
    }
    if (first) tell_lasting_usage(*client);
    deliver(client);
  }
  const bool new_ones = std::ranges::any_of(all, [](const auto& c) { return c->session.joined() && !c->greeted; });
  if (demanded_ || new_ones) look();
}

// Somebody wants to know how it is now.
void SocketIoDesk::refresh() {
  if (std::exchange(refreshing_, true)) return;
  const auto fresh = [self = shared_from_this()] {
    self->on_server([](SocketIoDesk& desk) {
      desk.refreshing_ = false;
      desk.demanded_ = true;
      desk.look();
    });
  };
  if (!world_.when_fresh(fresh)) fresh();
}

// To who comes while it lasts.
void SocketIoDesk::tell_lasting_usage(Client& client) {
  Json alerts = usage_->told();
  if (alerts.empty()) return;
  client.session.tell(kHighUsage,
                      socket_io::event_text(kHighUsage, dumped(documented::alerts_object(std::move(alerts),
                                                                                         world_.snapshot()->taken_at))),
                      false);
}

void SocketIoDesk::tell_high_usage() {
  const auto snapshot = world_.snapshot();
  Json alerts = usage_->look(*snapshot);
  if (alerts.empty()) return;
  const auto packet = socket_io::event_text("high_gpu_usage_alert",
                                            dumped(documented::alerts_object(std::move(alerts), snapshot->taken_at)));
  std::vector<std::shared_ptr<Client>> all;
  for (const auto& [id, client] : clients_) all.push_back(client);
  for (const auto& client : all) {
    client->session.tell(kHighUsage, packet, false);
    deliver(client);
  }
}

}  // namespace gpukeeper::service
