#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper::socket_io {

/// The kinds of Socket.IO 5, by the digit that a packet begins with. 5 and 6 are binary, and refused.
enum class SocketKind : char {
  connect = '0',
  disconnect = '1',
  event = '2',
  ack = '3',
  connect_error = '4',
};

/// What a client says. Of an event its name is kept: nothing that may be asked for here has arguments.
struct SocketPacket {
  SocketKind kind = SocketKind::event;
  std::string name_space = "/";
  std::optional<std::uint64_t> id;  ///< of an event: it wants to be told that it came
  std::string event;

  friend bool operator==(const SocketPacket&, const SocketPacket&) = default;
};

/// Errors: invalid_argument for what is none, and for a binary one.
Result<SocketPacket> parse_socket_packet(std::string_view text);

// What is said to clients.

/// 0{"sid":"…"}; of the namespace "/".
std::string connected_packet(std::string_view sid);
/// 4/ns,{"message":"Invalid namespace"}
std::string refused_packet(std::string_view name_space);
/// 2["name",argument]; `argument` is JSON.
std::string event_packet(std::string_view name, std::string_view argument);
/// 37[]
std::string ack_packet(std::uint64_t id);

}  // namespace gpukeeper::socket_io
