#include "socket_io/session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "socket_io/socket_packet.hpp"

namespace gpukeeper::socket_io {

Session::Session(std::string id, std::string socket_id, MonotonicTime now,
                 std::function<void(const std::string&)> asked)
    : id_(std::move(id)), socket_id_(std::move(socket_id)), asked_(std::move(asked)), ping_at_(now + kPingInterval) {}

std::string Session::open_packet(bool may_upgrade) const {
  using std::chrono::milliseconds;
  return fmt::format(R"(0{{"sid":"{}","upgrades":[{}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}})", id_,
                     may_upgrade ? R"("websocket")" : "", milliseconds(kPingInterval).count(),
                     milliseconds(kPingTimeout).count(), kMaxPayload);
}

void Session::hear(const EnginePacket& packet, MonotonicTime now) {
  switch (packet.kind) {
    case EngineKind::message: return hear_message(packet.data, now);
    case EngineKind::pong:
      pong_by_.reset();
      ping_at_ = now + kPingInterval;
      return;
    case EngineKind::ping: return say("3" + packet.data.substr(0, 64));  // a client of an older protocol
    case EngineKind::noop: return;
    case EngineKind::upgrade: return;  // whoever carries the conversation knows
    case EngineKind::open:
    case EngineKind::close: over_ = true;
  }
}

void Session::hear_message(std::string_view text, MonotonicTime now) {
  const auto packet = parse_socket_packet(text);
  if (!packet) return end();
  if (packet->name_space != "/") {
    if (packet->kind == SocketKind::connect && packet->name_space.size() <= 64) {
      say("4" + refused_packet(packet->name_space));
    }
    return;
  }
  switch (packet->kind) {
    case SocketKind::connect:
      if (joined_) return;
      joined_ = just_joined_ = true;
      return say("4" + connected_packet(socket_id_));
    case SocketKind::disconnect: joined_ = false; return;
    case SocketKind::event:
      if (!joined_) return end();
      if (packet->id) say("4" + ack_packet(*packet->id));
      if (may_ask(now)) asked_(packet->event);
      return;
    case SocketKind::ack:
    case SocketKind::connect_error: return;  // nothing was asked that this would answer
  }
}

bool Session::may_ask(MonotonicTime now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    asks_ = 0;
  }
  return ++asks_ <= kAsksPerSecond;
}

void Session::tick(MonotonicTime now) {
  if (pong_by_ && now >= *pong_by_) return end();
  if (!ping_at_ || now < *ping_at_) return;
  ping_at_.reset();
  pong_by_ = now + kPingTimeout;
  say("2");
}

void Session::tell(std::string_view name, Text packet, bool latest) {
  if (!joined_ || over_) return;
  if (latest) std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.name == name; });
  if (waiting_.size() >= kMostWaiting) return end();
  waiting_.push_back({latest ? std::string(name) : std::string(), std::move(packet)});
}

void Session::say(std::string packet) {
  if (waiting_.size() >= kMostWaiting) return end();
  waiting_.push_back({{}, std::make_shared<const std::string>(std::move(packet))});
}

Text Session::take() {
  if (waiting_.empty()) return nullptr;
  Text first = std::move(waiting_.front().packet);
  waiting_.pop_front();
  return first;
}

std::string Session::take_all() {
  std::string body;
  while (const Text packet = take()) {
    if (!body.empty()) body += kSeparator;
    body += *packet;
  }
  return body;
}

Text event_text(std::string_view name, std::string_view argument) {
  return std::make_shared<const std::string>("4" + event_packet(name, argument));
}

}  // namespace gpukeeper::socket_io
