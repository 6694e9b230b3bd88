#include "auth/network.hpp"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::auth {
namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kMapped = 96;  // the bits before an address of version 4 that stands in one of version 6

// The bits of byte `n` that stand within the first `prefix` bits.
std::uint8_t mask_of(std::size_t n, unsigned prefix) {
  const unsigned before = static_cast<unsigned>(n) * 8;
  if (prefix <= before) return 0;
  const unsigned bits = std::min(prefix - before, 8U);
  return static_cast<std::uint8_t>(0xff << (8 - bits));
}

}  // namespace

bool Network::read(const std::string& text, Address& address) {
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (::inet_pton(AF_INET, text.c_str(), address.data() + kMapped / 8) == 1) return true;
  return ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Network result;
  result.text_ = std::string(text);
  if (!read(address, result.first_)) {
    return fail(Errc::invalid_argument, fmt::format("'{}' is no address such as 192.168.1.7 or fd00::7, and no network "
                                                    "such as 10.1.0.0/16 or fd00::/8",
                                                    text));
  }
  const unsigned before = address.find(':') == std::string::npos ? kMapped : 0;
  result.prefix_ = kBits;
  if (slash != std::string_view::npos) {
    const auto bits = parse_u64(text.substr(slash + 1));
    if (!bits || *bits > kBits - before) {
      return fail(Errc::invalid_argument,
                  fmt::format("'{}': after the slash stands how many bits are alike, 0 to {}", text, kBits - before));
    }
    result.prefix_ = before + static_cast<unsigned>(*bits);
  }
  for (std::size_t n = 0; n < result.first_.size(); ++n) {
    if ((result.first_[n] & ~mask_of(n, result.prefix_)) == 0) continue;
    return fail(Errc::invalid_argument, fmt::format("'{}' says more than its first {} bits: {} is that address alone",
                                                    text, result.prefix_ - before, address));
  }
  return result;
}

bool Network::contains(const std::string& address) const {
  Address asked{};
  if (!read(address, asked)) return false;
  for (std::size_t n = 0; n < asked.size(); ++n) {
    if (((asked[n] ^ first_[n]) & mask_of(n, prefix_)) != 0) return false;
  }
  return true;
}

}  // namespace gpukeeper::auth
