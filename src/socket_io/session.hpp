#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "socket_io/engine_packet.hpp"

namespace gpukeeper::socket_io {

/// Text of a packet, shared by all who are sent it.
using Text = std::shared_ptr<const std::string>;

/// One client's conversation, whatever carries it: requests that wait, or a WebSocket.
///
/// What waits to be sent is bounded: of what is told again and again only the latest waits, and a client that leaves
/// more than kMostWaiting packets unread is over.
///
/// Threads: one.
class Session {
 public:
  static constexpr std::chrono::seconds kPingInterval{25};
  static constexpr std::chrono::seconds kPingTimeout{20};
  static constexpr std::size_t kMaxPayload = 64 << 10;  ///< bytes of a request's body
  static constexpr std::size_t kMostWaiting = 64;       ///< packets
  static constexpr std::size_t kAsksPerSecond = 10;     ///< what it asks beyond that is passed over

  /// `ids`: random texts, the first its own, the other that of the namespace. `asked`: told each event that it sends.
  Session(std::string id, std::string socket_id, MonotonicTime now, std::function<void(const std::string&)> asked);

  const std::string& id() const { return id_; }

  /// The first packet: 0{"sid":…}.
  std::string open_packet(bool may_upgrade) const;

  /// What it said. One that cannot be understood ends it.
  void hear(const EnginePacket& packet, MonotonicTime now);

  /// Pings that are due, and an answer that stayed away. About once a second.
  void tick(MonotonicTime now);

  /// Tells it an event, where it has joined the namespace. `latest`: the one that still waits under that name is left
  /// out.
  void tell(std::string_view name, Text packet, bool latest);

  /// Whether it has joined the namespace since it was asked last.
  bool take_joined() { return std::exchange(just_joined_, false); }
  bool joined() const { return joined_; }

  /// It is over: nothing more is to be said but what waits.
  bool over() const { return over_; }
  void end() { over_ = true; }

  bool has_waiting() const { return !waiting_.empty(); }
  /// The next packet; null when none waits.
  Text take();
  /// All that wait, as the body of an answer.
  std::string take_all();

 private:
  struct Waiting {
    std::string name;  // of what is told again and again
    Text packet;
  };
  void say(std::string packet);
  void hear_message(std::string_view text, MonotonicTime now);
  bool may_ask(MonotonicTime now);

  const std::string id_;
  const std::string socket_id_;
  const std::function<void(const std::string&)> asked_;
  std::deque<Waiting> waiting_;
  bool joined_ = false;
  bool just_joined_ = false;
  bool over_ = false;
  std::optional<MonotonicTime> ping_at_;  // nothing while an answer is awaited
  std::optional<MonotonicTime> pong_by_;
  MonotonicTime second_{};  // in which it asked last …
  std::size_t asks_ = 0;    // … so often
};

/// The event as a packet of both protocols: 42["name",argument].
Text event_text(std::string_view name, std::string_view argument);

}  // namespace gpukeeper::socket_io
