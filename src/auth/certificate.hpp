#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/role.hpp"
#include "core/clock.hpp"

namespace gpukeeper::auth {

/// What a client's certificate says of it. Whoever made this has seen that somebody vouches for it (tls.client_ca).
struct Certificate {
  std::string common_name;         ///< of the subject; empty where it has none
  std::vector<std::string> names;  ///< of subjectAltName: "DNS:ci.example", "URI:spiffe://example/ci", "email:a@b"
  std::string fingerprint;         ///< SHA-256 of the whole, 64 hex digits
  WallTime expires{};

  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// "certificate ci.example (1a2b3c4d)": the common name, or the first other one, and how the fingerprint begins.
std::string title(const Certificate& certificate);

/// What clients may whose certificate is such; what is empty may be anything.
struct CertificateRule {
  std::string common_name;
  std::string san;          ///< one of its names: as in Certificate::names; one without a kind is DNS
  std::string fingerprint;  ///< colons and the case of letters do not count
  Role role = Role::viewer;
  std::string service;  ///< as Token::service

  friend bool operator==(const CertificateRule&, const CertificateRule&) = default;
};

/// The first that is about this certificate; null when none is.
const CertificateRule* find_rule(std::span<const CertificateRule> rules, const Certificate& certificate);

/// Whether that is a SHA-256 as a rule may have it.
bool is_fingerprint(std::string_view text);

}  // namespace gpukeeper::auth
