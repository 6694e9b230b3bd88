#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/http.hpp"

namespace gpukeeper::service {

/// Why a WebSocket ends (RFC 6455, 7.4).
struct Farewell {
  std::uint16_t code = 1000;
  std::string reason;  ///< at most 123 bytes
};

/// What a connection does once the head of its answer is sent and as long as it stays: it is written to as things
/// happen. The server asks it what to write, so that nothing is piled up for a client that reads slowly.
///
/// Threads: one, the server's.
class Takeover {
 public:
  struct Said {
    std::shared_ptr<const std::string> text = nullptr;  ///< null: there is nothing to write now
    bool end = false;                                   ///< after the text the connection ends
    Farewell farewell = {};                             ///< with that, where it is a WebSocket
  };
  virtual ~Takeover() = default;

  /// What its client asked.
  virtual const Request& request() const = 0;

  /// Whether it is a WebSocket: a text is a message then, each way. Else texts are bytes that follow the head.
  virtual bool is_web_socket() const = 0;

  /// The connection is the client's now. `wake`: has next() asked when it had nothing before.
  virtual void begin(std::function<void()> wake) = 0;

  virtual Said next() = 0;

  /// A message of the client, over a WebSocket: UTF-8. The connection ends with what is returned.
  virtual std::optional<Farewell> hear(std::string_view /*message*/) { return std::nullopt; }

  /// Written after a while without anything else, so that both sides see whether the other is there. Never null. A
  /// WebSocket has pings of its own.
  virtual std::shared_ptr<const std::string> heartbeat() = 0;

  /// It is to end: from now on next() says the last that is to be said, with that farewell.
  virtual void stop(Farewell why) = 0;

  /// The connection is over; `wake` is not to be called any more. Not called where begin() was not.
  virtual void ended() = 0;
};

}  // namespace gpukeeper::service
