#include "service/sign_in_answer.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::string_view kCookie = "gpukeeper_session";

std::string cookie(std::string_view secret, bool over_tls) {
  using std::chrono::seconds;
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", kCookie, secret,
                     seconds(auth::SignIn::kSessionLives).count(), over_tls ? "; Secure" : "");
}

}  // namespace

std::optional<std::string_view> session_of(const Request& request) {
  const auto cookies = request.header("Cookie");
  if (!cookies) return std::nullopt;
  for (const auto piece : split(*cookies, ';')) {
    const auto pair = trim(piece);
    if (pair.starts_with(kCookie) && pair.substr(kCookie.size()).starts_with('=')) {
      return pair.substr(kCookie.size() + 1);
    }
  }
  return std::nullopt;
}

Response SignInAnswer::answer(const Request& request) {
  const auto code = request.query.find("code");
  if (code == request.query.end()) {
    return problem(400, "no_code",
                   "the link has a code: /sign-in?code=CODE, as 'gpukeeper serve --sign-in-link' says it");
  }
  if (request.method == "HEAD") return {};  // who looks at links before they are followed uses nothing up
  const auto secret = sessions_.redeem(code->second, clock_.wall());
  if (!secret) return problem(500, "no_randomness", secret.error().message);
  if (!*secret) return refuse(*request.peer);
  log_.info("somebody signed in by the link, from {}",
            request.peer->over_unix_socket() ? "the unix socket" : request.peer->address);
  Response response;
  response.status = 303;
  response.headers = {
      {"Location", "/"}, {"Set-Cookie", cookie(**secret, request.peer->tls)}, {"Cache-Control", "no-store"}};
  return response;
}

Response SignInAnswer::refuse(const Peer& peer) {
  const std::string from = peer.over_unix_socket() ? "the unix socket" : peer.address;
  log_.warning("a wrong sign-in code from {}", from);
  if (failed_.is_too_many(from, clock_.now())) {
    auto response = problem(429, "too_many_wrong_codes",
                            fmt::format("more than {} wrong codes came from {} within a minute: try again in a minute",
                                        auth::FailedLogins::kMost, from));
    response.headers.emplace_back("Retry-After", "60");
    response.close = true;
    return response;
  }
  return problem(
      403, "wrong_code",
      "the link has been used, or is older than 10 minutes: 'gpukeeper serve --sign-in-link' says one at its "
      "start");
}

Route sign_in_route(SignInAnswer& answer) {
  Route route{"GET", "/sign-in", "Sign in with the one-time code of a link; ?code=.",
              [&answer](const Request& request) { return answer.answer(request); }};
  route.needs = auth::Role::none;
  route.about.query = {{"code", "text", "That of the link; it works once.", true}};
  route.about.status = 303;
  return route;
}

}  // namespace gpukeeper::service
