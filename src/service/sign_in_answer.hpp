#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/failed_logins.hpp"
#include "auth/sign_in.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "service/http.hpp"
#include "service/router.hpp"

namespace gpukeeper::service {

/// GET /sign-in?code=: makes a one-time code a session, which the browser keeps as a cookie that no script reads and no
/// other site's page sends (HttpOnly, SameSite=Strict), and leads on to the page.
///
/// Threads: the server's.
class SignInAnswer {
 public:
  /// All outlive this.
  SignInAnswer(auth::SignIn& sessions, const Clock& clock, Log& log) : sessions_(sessions), clock_(clock), log_(log) {}

  Response answer(const Request& request);

 private:
  Response refuse(const Peer& peer);

  auth::SignIn& sessions_;
  const Clock& clock_;
  Log& log_;
  auth::FailedLogins failed_;
};

/// The row of it. Whoever comes may try.
Route sign_in_route(SignInAnswer& answer);

/// The session's secret that a request brings in its cookie; nothing when it brings none.
std::optional<std::string_view> session_of(const Request& request);

}  // namespace gpukeeper::service
