#include "config/door.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

#include "auth/token.hpp"
#include "core/display_text.hpp"

namespace gpukeeper::config {
namespace {

const ListenAddress* first_with_tls(const Settings& settings) {
  for (const auto* list : {&settings.listen, &settings.metrics.listen}) {
    const auto found = std::ranges::find_if(*list, &ListenAddress::tls);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

void check_tls(const Settings& settings, std::vector<std::string>& found) {
  const TlsSettings& tls = settings.tls;
  const ListenAddress* const listener = first_with_tls(settings);
  if (listener && !tls.certificate && !tls.key) {
    found.push_back(
        fmt::format("listen: {} takes a certificate: name its file with tls.certificate, and that of its "
                    "key with tls.key",
                    listener->to_string()));
  } else if (tls.certificate && !tls.key) {
    found.emplace_back("tls.certificate: its key is needed, too: name its file with tls.key");
  } else if (tls.key && !tls.certificate) {
    found.emplace_back("tls.key: its certificate is needed, too: name its file with tls.certificate");
  }
  if (tls.client_required && !tls.client_ca) {
    found.emplace_back("tls.client_required: say with tls.client_ca who vouches for clients");
  }
}

void check_rule(const auth::CertificateRule& rule, std::size_t index, std::vector<std::string>& found) {
  const std::string where = fmt::format("auth.certificates[{}]", index);
  if (rule.common_name.empty() && rule.san.empty() && rule.fingerprint.empty()) {
    found.push_back(where + ": say which, by common_name, san or fingerprint");
  }
  if (!rule.fingerprint.empty() && !auth::is_fingerprint(rule.fingerprint)) {
    found.push_back(where +
                    ".fingerprint: it must be a SHA-256, 64 hex digits with or without colons between them, as "
                    "'openssl x509 -noout -fingerprint -sha256' says it");
  }
  const auto service = auth::check_token_text("the service", rule.service, auth::kLongestTokenService);
  if (!service) found.push_back(fmt::format("{}.service: {}", where, service.error().message));
}

// As a browser sends it: scheme, host and perhaps a port, and nothing else.
bool is_origin(std::string_view text) {
  const bool has_scheme = text.starts_with("https://") || text.starts_with("http://");
  if (!has_scheme) return false;
  const auto rest = text.substr(text.find("//") + 2);
  return !rest.empty() && std::ranges::all_of(rest, [](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
}

void check_origin(const std::string& origin, std::vector<std::string>& found) {
  if (is_origin(origin)) return;
  found.push_back(
      fmt::format("cors.origins: '{}' is no origin: write it as a browser sends it, https://HOST or "
                  "https://HOST:PORT, in small letters and without a path; there is no word for all",
                  harmless(origin)));
}

}  // namespace

bool listens_with_tls(const Settings& settings) {
  return first_with_tls(settings) != nullptr;
}

std::vector<std::string> check_door(const Settings& settings) {
  std::vector<std::string> found;
  check_tls(settings, found);
  const auto& rules = settings.auth.certificates;
  for (std::size_t i = 0; i < rules.size(); ++i) check_rule(rules[i], i, found);
  if (!rules.empty() && !settings.tls.client_ca) {
    found.emplace_back("auth.certificates: no client is asked for one: say with tls.client_ca who vouches for them");
  }
  for (const std::string& origin : settings.cors.origins) check_origin(origin, found);
  return found;
}

}  // namespace gpukeeper::config
