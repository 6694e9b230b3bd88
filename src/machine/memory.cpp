#include "machine/memory.hpp"

#include <cstdint>
#include <limits>
#include <map>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

// "32768000 kB"; of KiB, whatever the file calls them.
std::optional<Bytes> size_of(std::string_view text) {
  const auto blank = text.find(' ');
  const auto kib = parse_u64(text.substr(0, blank));
  if (!kib || *kib > std::numeric_limits<std::uint64_t>::max() / 1024) return std::nullopt;
  return from_kib(*kib);
}

}  // namespace

std::optional<MemoryFacts> parse_meminfo(std::string_view meminfo) {
  std::map<std::string_view, Bytes> sizes;
  for (const std::string_view line : lines(meminfo)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (const auto size = size_of(trim(line.substr(colon + 1)))) sizes.emplace(line.substr(0, colon), *size);
  }
  const auto find = [&](std::string_view name) {
    const auto found = sizes.find(name);
    return found == sizes.end() ? std::nullopt : std::optional(found->second);
  };
  const auto total = find("MemTotal");
  const auto available = find("MemAvailable");
  const auto free = find("MemFree");
  if (!total || !available || !free || total->value() == 0) return std::nullopt;
  return MemoryFacts{.total = *total,
                     .available = *available,
                     .free = *free,
                     .cached = find("Cached"),
                     .buffers = find("Buffers"),
                     .swap_total = find("SwapTotal"),
                     .swap_free = find("SwapFree")};
}

}  // namespace gpukeeper
