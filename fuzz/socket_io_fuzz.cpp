// What a client of Socket.IO says, in the body of a request or as a message: it may be anything.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "socket_io/session.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  using namespace gpukeeper::socket_io;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto packets = parse_engine_payload(body);
  if (!packets) {
    if (packets.error().message.empty()) std::abort();
    return 0;
  }
  std::string again;
  for (const EnginePacket& packet : *packets) {
    if (!again.empty()) again += kSeparator;
    again += to_text(packet);
  }
  if (again != body) std::abort();

  std::size_t asked = 0;
  Session session("a", "b", {}, [&](const std::string&) { ++asked; });
  for (const EnginePacket& packet : *packets) session.hear(packet, {});
  if (asked > Session::kAsksPerSecond) std::abort();
  std::size_t said = 0;
  while (const Text text = session.take()) {
    ++said;
    if (!parse_engine_packet(*text)) std::abort();
  }
  if (said > Session::kMostWaiting) std::abort();
  return 0;
}
