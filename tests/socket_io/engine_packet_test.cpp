#include "socket_io/engine_packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::socket_io {
namespace {

using testing::ElementsAre;

TEST(EnginePacketTest, APacketIsADigitAndText) {
  EXPECT_EQ(parse_engine_packet("2probe").value(), (EnginePacket{EngineKind::ping, "probe"}));
  EXPECT_EQ(parse_engine_packet("4").value(), (EnginePacket{EngineKind::message, ""}));
  EXPECT_EQ(to_text({EngineKind::pong, "probe"}), "3probe");
}

TEST(EnginePacketTest, ABodyHasSeveral) {
  EXPECT_THAT(parse_engine_payload("40\x1e"
                                   "3")
                  .value(),
              ElementsAre(EnginePacket{EngineKind::message, "0"}, EnginePacket{EngineKind::pong, ""}));
}

TEST(EnginePacketTest, WhatIsNoneIsRefused) {
  const auto refusal = [](std::string_view body) { return parse_engine_payload(body).error().message; };
  EXPECT_EQ(refusal(""), "an empty text is no packet of Engine.IO");
  EXPECT_EQ(refusal("40\x1e"), "an empty text is no packet of Engine.IO");
  EXPECT_EQ(refusal("bAAAA"), "binary packets are not taken here");
  EXPECT_EQ(refusal("7"), "'7' begins no packet of Engine.IO 4: 0 to 6 do");
  EXPECT_EQ(refusal("\x1b[2J"), "'?' begins no packet of Engine.IO 4: 0 to 6 do");
  std::string many = "6";
  for (std::size_t i = 1; i < kMostPackets; ++i)
    many +=
        "\x1e"
        "6";
  EXPECT_EQ(parse_engine_payload(many).value().size(), kMostPackets);
  EXPECT_EQ(refusal(many + "\x1e"
                           "6"),
            "more than 256 packets in one request");
}

}  // namespace
}  // namespace gpukeeper::socket_io
