#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper::socket_io {

/// The kinds of Engine.IO 4, by the digit that a packet begins with.
enum class EngineKind : char {
  open = '0',
  close = '1',
  ping = '2',
  pong = '3',
  message = '4',
  upgrade = '5',
  noop = '6',
};

struct EnginePacket {
  EngineKind kind = EngineKind::noop;
  std::string data;

  friend bool operator==(const EnginePacket&, const EnginePacket&) = default;
};

std::string to_text(const EnginePacket& packet);

/// Errors: invalid_argument for what is none, and for a binary one.
Result<EnginePacket> parse_engine_packet(std::string_view text);

/// The packets of a request's body, 1 to kMostPackets. Errors: as above, of any of them.
inline constexpr std::size_t kMostPackets = 256;
Result<std::vector<EnginePacket>> parse_engine_payload(std::string_view body);

/// What separates packets in a body (ASCII's record separator).
inline constexpr char kSeparator = '\x1e';

}  // namespace gpukeeper::socket_io
