#include "auth/certificate.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::auth {
namespace {

constexpr std::size_t kDigits = 64;
constexpr std::size_t kShownDigits = 8;
constexpr std::string_view kKinds[] = {"DNS:", "URI:", "email:", "IP:"};

std::string plain_digits(std::string_view fingerprint) {
  std::string digits = to_lower(fingerprint);
  std::erase(digits, ':');
  return digits;
}

// As Certificate::names has it: "ci.example" is "DNS:ci.example".
std::string with_kind(std::string_view san) {
  const bool has_one = std::ranges::any_of(kKinds, [&](std::string_view kind) { return san.starts_with(kind); });
  return has_one ? std::string(san) : fmt::format("DNS:{}", san);
}

bool has_name(const Certificate& certificate, std::string_view san) {
  const std::string wanted = with_kind(san);
  if (!wanted.starts_with("DNS:")) return std::ranges::find(certificate.names, wanted) != certificate.names.end();
  return std::ranges::any_of(certificate.names, [lower = to_lower(wanted)](const std::string& name) {
    return name.starts_with("DNS:") && to_lower(name) == lower;  // of DNS the case does not count
  });
}

bool is_about(const CertificateRule& rule, const Certificate& certificate) {
  if (rule.common_name.empty() && rule.san.empty() && rule.fingerprint.empty()) return false;
  if (!rule.common_name.empty() && rule.common_name != certificate.common_name) return false;
  if (!rule.san.empty() && !has_name(certificate, rule.san)) return false;
  return rule.fingerprint.empty() || plain_digits(rule.fingerprint) == certificate.fingerprint;
}

}  // namespace

std::string title(const Certificate& certificate) {
  std::string name = certificate.common_name;
  if (name.empty() && !certificate.names.empty()) name = certificate.names.front();
  const auto start = std::string_view(certificate.fingerprint).substr(0, kShownDigits);
  return name.empty() ? fmt::format("certificate {}", start) : fmt::format("certificate {} ({})", name, start);
}

const CertificateRule* find_rule(std::span<const CertificateRule> rules, const Certificate& certificate) {
  const auto found = std::ranges::find_if(rules, [&](const auto& rule) { return is_about(rule, certificate); });
  return found == rules.end() ? nullptr : &*found;
}

bool is_fingerprint(std::string_view text) {
  const std::string digits = plain_digits(text);
  return digits.size() == kDigits && std::ranges::all_of(digits, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

}  // namespace gpukeeper::auth
