#include "service/authority.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "service/sign_in_answer.hpp"

namespace gpukeeper::service {

using auth::Identity;
using auth::Role;

namespace {

constexpr std::string_view kHowToGetOne =
    "'gpukeeper token create' makes one; send it as 'Authorization: Bearer TOKEN', or ask over the unix socket";

Response without_token(std::string_view code, const std::string& detail) {
  auto response = problem(401, code, detail);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

bool is_member(const Credentials& credentials, const std::vector<gid_t>& groups) {
  return std::ranges::any_of(groups, [&](gid_t group) {
    return group == credentials.gid || std::ranges::find(credentials.groups, group) != credentials.groups.end();
  });
}

std::string who_has(Role role) {
  if (role == Role::admin) return "root, the user that gpukeeper runs as and the groups of auth.admin_groups have it";
  return "root, the user that gpukeeper runs as and the groups of auth.operator_groups have it";
}

}  // namespace

// Of "Authorization: Bearer TOKEN", whatever the case of the first word (RFC 9110, 11.1). Another scheme is a matter
// between the client and a proxy in front of us.
std::optional<std::string_view> token_of(const Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto authorization = request.header("Authorization");
  if (!authorization || !same_ignoring_case(authorization->substr(0, kScheme.size()), kScheme)) return std::nullopt;
  return trim(authorization->substr(kScheme.size()));
}

bool is_loopback(const std::string& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
}

Authority::Authority(AuthRules rules, Tokens tokens, const Clock& clock, Log& log, const auth::SignIn* sessions,
                     std::function<void()> look)
    : tokens_(std::move(tokens)), clock_(clock), log_(log), sessions_(sessions), look_(std::move(look)) {
  configure(std::move(rules));
}

tl::expected<Identity, Response> Authority::who(const Request& request) {
  auto known = identify(request);
  if (!known && look_) {
    look_();
    known = identify(request);
  }
  if (!known) return tl::make_unexpected(refuse_token(request));
  return std::move(*known);
}

bool Authority::still_is(const Request& request) const {
  const auto now = identify(request);
  const Identity& then = request.who;
  return now && now->role == then.role && now->name == then.name && now->service == then.service;
}

std::optional<Identity> Authority::identify(const Request& request) const {
  if (const auto secret = token_of(request)) {
    const auto tokens = tokens_();
    const auth::Token* const token = auth::find_token(*tokens, *secret, clock_.wall());
    if (!token) return std::nullopt;
    const auto service = token->service.empty() ? std::nullopt : std::optional(token->service);
    return Identity{.role = token->role, .name = auth::title(*token), .known = true, .service = service};
  }
  if (request.peer->credentials) return by_kernel(*request.peer->credentials);
  if (auto signed_in = by_session(request)) return signed_in;
  const auto rules = rules_.read();
  const Role anybody = is_loopback(request.peer->address) ? rules->loopback : rules->elsewhere;
  if (request.peer->certificate) return by_certificate(*request.peer->certificate, *rules, anybody);
  return Identity{.role = anybody, .name = request.peer->address};
}

Response Authority::refuse_token(const Request& request) {
  const std::string from = request.peer->over_unix_socket() ? "the unix socket" : request.peer->address;
  log_.warning("a wrong token from {}", from);
  if (!failed_.is_too_many(from, clock_.now())) {
    return without_token("wrong_token", fmt::format("the token is none that counts: it is wrong, has expired or was "
                                                    "revoked; {}",
                                                    kHowToGetOne));
  }
  auto response = problem(429, "too_many_wrong_tokens",
                          fmt::format("more than {} wrong tokens came from {} within a minute: look at the token, and "
                                      "try again in a minute",
                                      auth::FailedLogins::kMost, from));
  response.headers.emplace_back("Retry-After", "60");
  response.close = true;
  return response;
}

Identity Authority::by_kernel(const Credentials& credentials) const {
  const auto rules = rules_.read();
  Identity who{.role = Role::viewer,
               .name = credentials.uid == 0 ? "root" : fmt::format("user {}", credentials.uid),
               .known = true};
  if (credentials.uid == 0 || credentials.uid == rules->own_uid || is_member(credentials, rules->admins)) {
    who.role = Role::admin;
  } else if (is_member(credentials, rules->operators)) {
    who.role = Role::operator_;
  }
  return who;
}

// A browser sends the cookie by itself, and so would a page of another site make it send it, were there not SameSite.
// For a change it must say besides whose page asks, which SiteGuard has compared with ours; browsers always do.
std::optional<Identity> Authority::by_session(const Request& request) const {
  const auto secret = sessions_ ? session_of(request) : std::nullopt;
  if (!secret) return std::nullopt;
  auto who = sessions_->session(*secret, clock_.wall());
  const bool says_whose = request.header("Origin") || request.header("Sec-Fetch-Site");
  if (who && !request.reads_only() && !says_whose) return std::nullopt;
  const auto origin = request.header("Origin");
  const auto host = request.header("Host");
  const bool own_page = !origin || (host && origin->ends_with(fmt::format("://{}", *host)));
  return own_page ? who : std::nullopt;
}

// One that nobody was told of is known all the same: what it needs is a line in auth.certificates, not a token.
Identity Authority::by_certificate(const auth::Certificate& certificate, const AuthRules& rules, Role anybody) const {
  Identity who{.role = anybody, .name = auth::title(certificate), .known = true};
  if (certificate.expires <= clock_.wall()) return who;  // while its connection lived
  const auto* const rule = auth::find_rule(rules.certificates, certificate);
  if (!rule) return who;
  who.role = rule->role;
  if (!rule->service.empty()) who.service = rule->service;
  return who;
}

std::optional<Response> refuse(const Request& request, Role needs, Own own) {
  const Identity& who = request.who;
  const bool changes = needs > Role::viewer;
  if (changes && who.service && own == Own::none) {
    return problem(403, "not_permitted",
                   fmt::format("the {} is for the leases of service '{}', and this is about more", harmless(who.name),
                               harmless(*who.service)));
  }
  if (who.role >= needs) return std::nullopt;
  const bool vouched_for = request.peer->credentials && !token_of(request);
  if (own == Own::user && vouched_for) return std::nullopt;
  if (!who.known) {
    const std::string_view what = changes ? "this changes what gpukeeper does, and over TCP that takes a token: "
                                          : "other machines are answered with a token only: ";
    return without_token("no_token", std::string(what) + std::string(kHowToGetOne));
  }
  const std::string needed =
      fmt::format("this takes the role {}, and {} has {}: ", to_string(needs), harmless(who.name), to_string(who.role));
  if (token_of(request)) {
    return problem(403, "not_permitted",
                   needed + fmt::format("'gpukeeper token create --role {}' makes a token that may", to_string(needs)));
  }
  if (request.peer->certificate) {
    return problem(403, "not_permitted",
                   needed + "a line of auth.certificates in the configuration gives a certificate its role");
  }
  return problem(403, "not_permitted", needed + who_has(needs));
}

uid_t user_of(const Request& request, uid_t own_uid) {
  return request.peer->credentials ? request.peer->credentials->uid : own_uid;
}

}  // namespace gpukeeper::service
