#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "service/stream.hpp"
#include "service/takeover.hpp"

// Included by the network's source files only: Asio is heavy.

namespace gpukeeper::service {

struct WebSocketOptions {
  std::size_t message = 64 << 10;  ///< the longest that a client may send; then 1009
  std::chrono::milliseconds ping =
      std::chrono::seconds(15);  ///< after so long without a word of the client; then twice
  std::chrono::milliseconds farewell = std::chrono::seconds(1);  ///< for a client to say farewell, too
};

/// Answers the takeover's request for a WebSocket (RFC 6455) and speaks it, until one side has had enough or the stream
/// ends. Beast does the framing: this is the only source file that has it.
///
/// `ahead`: what came behind the request. `allow`: told how long the next bytes may take to be sent, or nothing while
/// there are none; when that is over somebody cancels the stream.
struct WebSocketSpeaker {
  asio::awaitable<void> (*speak)(Stream& stream, asio::any_io_executor executor, std::shared_ptr<Takeover> takeover,
                                 std::string ahead, const WebSocketOptions& options,
                                 std::function<void(std::optional<std::size_t>)> allow);
};

}  // namespace gpukeeper::service
