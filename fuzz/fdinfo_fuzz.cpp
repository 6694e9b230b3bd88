// fdinfo texts come from the kernel, but through drivers of every vendor and age.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "backend/sysfs/fdinfo.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto client = gpukeeper::parse_fdinfo(text);
  if (!client) return 0;
  if (client->driver.empty()) std::abort();
  for (const auto& engine : client->engines) {
    if (engine.name.empty() || engine.capacity == 0) std::abort();
    if (engine.busy && engine.busy->count() < 0) std::abort();
    if (client->find_engine(engine.name) != &engine) std::abort();  // every name once
  }
  for (const auto& memory : client->memory) {
    if (memory.region.empty() || client->find_memory(memory.region) != &memory) std::abort();
  }
  // The order of lines means nothing beyond which of two equal keys stands last: the same text twice is the same
  // client.
  const auto twice = gpukeeper::parse_fdinfo(std::string(text) + "\n" + std::string(text));
  if (!twice || twice->driver != client->driver || twice->engines.size() != client->engines.size()) std::abort();
  return 0;
}
