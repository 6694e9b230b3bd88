#include "socket_io/socket_packet.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::socket_io {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostDigits = 15;  // what a JavaScript number holds
constexpr std::size_t kLongestEvent = 256;

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

// What follows the namespace and the number of an event.
Result<std::string> event_name(std::string_view arguments) {
  const Json list = Json::parse(arguments, nullptr, false);
  if (!list.is_array() || list.empty() || !list[0].is_string()) {
    return wrong(R"(an event is a list that begins with its name, such as ["request_gpu_update"])");
  }
  auto name = list[0].get<std::string>();
  if (name.size() > kLongestEvent) return wrong("the name of an event is longer than 256 bytes");
  return name;
}

}  // namespace

Result<SocketPacket> parse_socket_packet(std::string_view text) {
  if (text.empty()) return wrong("an empty text is no packet of Socket.IO");
  const char kind = text.front();
  if (kind == '5' || kind == '6') return wrong("binary packets are not taken here");
  if (kind < '0' || kind > '4') {
    return wrong(fmt::format("'{}' begins no packet of Socket.IO 5: 0 to 4 do", harmless(text.substr(0, 1))));
  }
  SocketPacket packet;
  packet.kind = static_cast<SocketKind>(kind);
  std::string_view rest = text.substr(1);
  if (rest.starts_with('/')) {
    const auto comma = rest.find(',');
    packet.name_space = rest.substr(0, rest.find('?') < comma ? rest.find('?') : comma);
    rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
  }
  if (packet.kind != SocketKind::event && packet.kind != SocketKind::ack) return packet;
  const std::string_view digits = rest.substr(0, rest.find_first_not_of("0123456789"));
  if (digits.size() > kMostDigits) return wrong("the number of an event has more than 15 digits");
  if (!digits.empty()) packet.id = parse_u64(digits);
  rest.remove_prefix(digits.size());
  if (packet.kind == SocketKind::ack) return packet;
  auto name = event_name(rest);
  if (!name) return tl::make_unexpected(name.error());
  packet.event = std::move(*name);
  return packet;
}

std::string connected_packet(std::string_view sid) {
  return fmt::format(R"(0{{"sid":"{}"}})", sid);
}

std::string refused_packet(std::string_view name_space) {
  return fmt::format(R"(4{},{{"message":"Invalid namespace"}})", name_space);
}

std::string event_packet(std::string_view name, std::string_view argument) {
  return fmt::format(R"(2["{}",{}])", name, argument);
}

std::string ack_packet(std::uint64_t id) {
  return fmt::format("3{}[]", id);
}

}  // namespace gpukeeper::socket_io
