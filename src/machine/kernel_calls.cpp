#include "machine/kernel_calls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/statvfs.h>

#include <fmt/format.h>

#include "core/files.hpp"

namespace gpukeeper {
namespace {

// Empty for a kind that has no such text.
std::string address_text(const sockaddr* address) {
  if (!address) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    sockaddr_in ip{};
    std::memcpy(&ip, address, sizeof ip);
    return ::inet_ntop(AF_INET, &ip.sin_addr, text.data(), text.size()) ? text.data() : "";
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 ip{};
    std::memcpy(&ip, address, sizeof ip);
    return ::inet_ntop(AF_INET6, &ip.sin6_addr, text.data(), text.size()) ? text.data() : "";
  }
  return {};
}

}  // namespace

RealKernelCalls::RealKernelCalls(std::string root) : root_(std::move(root)) {
  if (root_ == "/") root_.clear();
}

Result<DiskSpace> RealKernelCalls::space(const std::string& mount_point) const {
  const std::string path = root_ + mount_point;
  struct statvfs facts {};
  if (::statvfs(path.c_str(), &facts) != 0) {
    const int error = errno;
    return fail(errc_from_errno(error), fmt::format("statvfs {}: {}", path, std::generic_category().message(error)));
  }
  const auto bytes = [&](fsblkcnt_t blocks) { return Bytes(std::uint64_t{blocks} * facts.f_frsize); };
  return DiskSpace{.total = bytes(facts.f_blocks),
                   .used = remaining(bytes(facts.f_blocks), bytes(facts.f_bfree)),
                   .free = bytes(facts.f_bavail)};
}

std::map<std::string, std::vector<std::string>> RealKernelCalls::addresses() const {
  std::map<std::string, std::vector<std::string>> result;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return result;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(first, &::freeifaddrs);
  for (const ifaddrs* each = first; each; each = each->ifa_next) {
    if (auto text = address_text(each->ifa_addr); !text.empty()) result[each->ifa_name].push_back(std::move(text));
  }
  for (auto& [name, addresses] : result) {
    // Not the one of ranges, which clang 14 cannot take.
    std::stable_partition(addresses.begin(), addresses.end(),
                          [](const std::string& text) { return text.find(':') == text.npos; });
  }
  return result;
}

}  // namespace gpukeeper
