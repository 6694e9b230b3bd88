#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <tl/expected.hpp>

#include "auth/failed_logins.hpp"
#include "auth/role.hpp"
#include "auth/sign_in.hpp"
#include "auth/token.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/published.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// Whose a change may be, beside those of everybody, for which a role is enough.
enum class Own : std::uint8_t {
  none,     ///< it is about all: a token for one service is not good for it
  service,  ///< about leases: such a token is, for those of its service
  user,     ///< and so is whoever the kernel vouches for over the unix socket, for those of his own
};

/// The rules of a running daemon, as configured.
struct AuthRules {
  uid_t own_uid = 0;  ///< the user that gpukeeper runs as: admin, as root is
  std::vector<gid_t> admins;
  std::vector<gid_t> operators;
  auth::Role loopback = auth::Role::viewer;              ///< over TCP from this machine, without a token
  auth::Role elsewhere = auth::Role::none;               ///< from another machine, without one
  std::vector<auth::CertificateRule> certificates = {};  ///< of clients over TLS
};

/// Says of every request who asks, before anything else looks at it: by its token, else by the kernel's word over the
/// unix socket, else by the session that a browser has signed in to, else by the certificate that its client has shown,
/// else by where it comes from.
///
/// Threads: who() belongs to the server's; configure() may be called from any.
class Authority {
 public:
  using Tokens = std::function<std::shared_ptr<const std::vector<auth::Token>>()>;

  /// `tokens`: those that count now, never null; `sessions`: null where nobody signs in; `look` has the tokens read
  /// anew where their file has changed, so that one made a moment ago is not taken for a wrong one. All outlive this.
  Authority(AuthRules rules, Tokens tokens, const Clock& clock, Log& log, const auth::SignIn* sessions = nullptr,
            std::function<void()> look = nullptr);

  void configure(AuthRules rules) { rules_.publish(std::make_shared<const AuthRules>(std::move(rules))); }

  /// 401 for a token that is none; 429, and the connection's end, for one after many others from there.
  tl::expected<auth::Identity, Response> who(const Request& request);

  /// Whether who asked that, as Request::who has him, would be taken for the same now.
  bool still_is(const Request& request) const;

 private:
  /// Nothing for a token that is none.
  std::optional<auth::Identity> identify(const Request& request) const;
  Response refuse_token(const Request& request);
  std::optional<auth::Identity> by_session(const Request& request) const;
  auth::Identity by_kernel(const Credentials& credentials) const;
  auth::Identity by_certificate(const auth::Certificate& certificate, const AuthRules& rules, auth::Role anybody) const;

  Published<AuthRules> rules_;
  const Tokens tokens_;
  const Clock& clock_;
  Log& log_;
  const auth::SignIn* const sessions_;
  const std::function<void()> look_;
  auth::FailedLogins failed_;
};

/// What an `Authorization: Bearer` has; nothing where there is none.
std::optional<std::string_view> token_of(const Request& request);

/// Whether an address is of this machine's loopback: 127.0.0.0/8, ::1.
bool is_loopback(const std::string& address);

/// The refusal of a row that needs that role: 401 for who has said nothing of himself over TCP, with how to get a
/// token; 403 for who may not. Nothing when he may. The one place that decides it.
std::optional<Response> refuse(const Request& request, auth::Role needs, Own own);

/// The user in whose name somebody books: his own, where the kernel vouches for him; that of the daemon for a token.
uid_t user_of(const Request& request, uid_t own_uid);

/// Whether he may read the command lines of everybody's processes.
inline bool may_read_command_lines(const auth::Identity& who) {
  return who.role == auth::Role::admin && !who.service;
}

}  // namespace gpukeeper::service
