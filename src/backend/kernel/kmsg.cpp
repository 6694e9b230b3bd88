#include "backend/kernel/kmsg.hpp"

#include "core/text.hpp"

namespace gpukeeper {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The kernel writes every byte that is no printable ASCII, and the backslash, as \xNN.
std::string unescaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.size() - i >= 4 && text[i] == '\\' && text[i + 1] == 'x' && hex_digit(text[i + 2]) >= 0 &&
        hex_digit(text[i + 3]) >= 0) {
      result += static_cast<char>(hex_digit(text[i + 2]) * 16 + hex_digit(text[i + 3]));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

std::optional<KmsgRecord> parse_kmsg(std::string_view record) {
  const auto semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  const auto fields = split(record.substr(0, semicolon), ',');
  if (fields.size() < 3) return std::nullopt;
  const auto priority = parse_u64(fields[0]);
  const auto sequence = parse_u64(fields[1]);
  const auto microseconds = parse_i64(fields[2]);
  if (!priority || !sequence || !microseconds || *microseconds < 0) return std::nullopt;

  KmsgRecord result;
  result.from_kernel = *priority >> 3 == 0;
  result.sequence = *sequence;
  result.since_boot = std::chrono::microseconds(*microseconds);
  const auto rest = lines(record.substr(semicolon + 1));
  if (!rest.empty()) result.text = unescaped(rest.front());
  constexpr std::string_view kDevice = " DEVICE=+pci:";
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i].starts_with(kDevice)) result.device = PciAddress::parse(rest[i].substr(kDevice.size()));
  }
  return result;
}

}  // namespace gpukeeper
