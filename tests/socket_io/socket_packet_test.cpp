#include "socket_io/socket_packet.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::socket_io {
namespace {

SocketPacket parsed(std::string_view text) {
  auto packet = parse_socket_packet(text);
  EXPECT_TRUE(packet) << text;
  return packet ? *packet : SocketPacket{};
}

std::string refusal(std::string_view text) {
  const auto packet = parse_socket_packet(text);
  return packet ? "taken" : packet.error().message;
}

TEST(SocketPacketTest, WhatStockClientsSay) {
  EXPECT_EQ(parsed("0"), (SocketPacket{.kind = SocketKind::connect}));
  EXPECT_EQ(parsed(R"(0{"token":"x"})"), (SocketPacket{.kind = SocketKind::connect}));
  EXPECT_EQ(parsed(R"(0/admin,{"token":"x"})"), (SocketPacket{.kind = SocketKind::connect, .name_space = "/admin"}));
  EXPECT_EQ(parsed("0/admin?a=1,"), (SocketPacket{.kind = SocketKind::connect, .name_space = "/admin"}));
  EXPECT_EQ(parsed("1"), (SocketPacket{.kind = SocketKind::disconnect}));
  EXPECT_EQ(parsed(R"(2["request_gpu_update"])"), (SocketPacket{.event = "request_gpu_update"}));
  EXPECT_EQ(parsed(R"(217["request_gpu_update",{"a":[1]}])"), (SocketPacket{.id = 17, .event = "request_gpu_update"}));
  EXPECT_EQ(parsed(R"(2/admin,7["a"])"), (SocketPacket{.name_space = "/admin", .id = 7, .event = "a"}));
  EXPECT_EQ(parsed("312[]"), (SocketPacket{.kind = SocketKind::ack, .id = 12}));
}

TEST(SocketPacketTest, WhatIsNoneIsRefused) {
  const std::string no_event = R"(an event is a list that begins with its name, such as ["request_gpu_update"])";
  for (const std::string_view text : {"2", "2{}", "2[]", "2[1]", "2[\"a\"", "2/x", "217"}) {
    EXPECT_EQ(refusal(text), no_event) << text;
  }
  EXPECT_EQ(refusal(""), "an empty text is no packet of Socket.IO");
  EXPECT_EQ(refusal("51-[\"a\",{\"_placeholder\":true,\"num\":0}]"), "binary packets are not taken here");
  EXPECT_EQ(refusal("61-[]"), "binary packets are not taken here");
  EXPECT_EQ(refusal("9"), "'9' begins no packet of Socket.IO 5: 0 to 4 do");
  EXPECT_EQ(refusal("21234567890123456[\"a\"]"), "the number of an event has more than 15 digits");
  EXPECT_EQ(refusal("2[\"" + std::string(257, 'a') + "\"]"), "the name of an event is longer than 256 bytes");
}

TEST(SocketPacketTest, WhatIsSaidToClients) {
  EXPECT_EQ(connected_packet("abc"), R"(0{"sid":"abc"})");
  EXPECT_EQ(refused_packet("/admin"), R"(4/admin,{"message":"Invalid namespace"})");
  EXPECT_EQ(event_packet("gpu_status", R"({"gpu_count":0})"), R"(2["gpu_status",{"gpu_count":0}])");
  EXPECT_EQ(ack_packet(17), "317[]");
}

}  // namespace
}  // namespace gpukeeper::socket_io
