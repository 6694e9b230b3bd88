#include "cli/memory_size.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "ledger/lease.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{1} << 50;  // 1 PiB

std::optional<std::uint64_t> bytes_of(std::string_view text) {
  const bool bare = std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return yaml::parse_size(bare ? std::string(text) + "MiB" : std::string(text));
}

}  // namespace

Result<Bytes> parse_memory(std::string_view text) {
  const auto bytes = text.empty() || text.front() < '0' || text.front() > '9' ? std::nullopt : bytes_of(text);
  if (!bytes) {
    return fail(
        Errc::invalid_argument,
        fmt::format("memory is a number of MiB, or has a unit: 6144, 6GiB, 6144MiB, 6GB; not '{}'", harmless(text)));
  }
  if (*bytes == 0) return fail(Errc::invalid_argument, "memory must be more than 0");
  if (*bytes > kMost) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is more memory than any machine has: a number alone counts MiB", harmless(text)));
  }
  return Bytes(*bytes);
}

std::string memory_remark(std::string_view text) {
  constexpr std::string_view kThousands[] = {"kB", "MB", "GB", "TB"};
  const auto unit = std::ranges::find_if(kThousands, [&](std::string_view u) { return text.ends_with(u); });
  const auto bytes = parse_memory(text);
  if (unit == std::end(kThousands) || !bytes) return {};
  const std::string other =
      fmt::format("{}{}iB", text.substr(0, text.size() - 2), unit->front() == 'k' ? 'K' : unit->front());
  const auto meant = parse_memory(other);
  if (!meant) return {};
  return fmt::format("{} are {}: that unit counts in thousands; {} are {}", text, memory_text(*bytes), other,
                     memory_text(*meant));
}

std::string memory_text(Bytes bytes) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  if (bytes.value() < kMiB) return mib(bytes);
  return fmt::format("{} MiB", bytes.value() / kMiB);
}

}  // namespace gpukeeper::cli
