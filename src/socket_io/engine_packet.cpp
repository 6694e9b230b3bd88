#include "socket_io/engine_packet.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::socket_io {

std::string to_text(const EnginePacket& packet) {
  return static_cast<char>(packet.kind) + packet.data;
}

Result<EnginePacket> parse_engine_packet(std::string_view text) {
  if (text.empty()) return fail(Errc::invalid_argument, "an empty text is no packet of Engine.IO");
  const char kind = text.front();
  if (kind == 'b') return fail(Errc::invalid_argument, "binary packets are not taken here");
  if (kind < '0' || kind > '6') {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' begins no packet of Engine.IO 4: 0 to 6 do", harmless(text.substr(0, 1))));
  }
  return EnginePacket{static_cast<EngineKind>(kind), std::string(text.substr(1))};
}

Result<std::vector<EnginePacket>> parse_engine_payload(std::string_view body) {
  std::vector<EnginePacket> packets;
  for (const std::string_view text : split(body, kSeparator)) {
    if (packets.size() == kMostPackets) {
      return fail(Errc::invalid_argument, fmt::format("more than {} packets in one request", kMostPackets));
    }
    auto packet = parse_engine_packet(text);
    if (!packet) return tl::make_unexpected(packet.error());
    packets.push_back(std::move(*packet));
  }
  return packets;
}

}  // namespace gpukeeper::socket_io
