#include "auth/sign_in.hpp"

#include <utility>

#include <fmt/format.h>

namespace gpukeeper::auth {

Result<std::string> SignIn::add(std::vector<Token>& list, Role role, WallTime expires) {
  Token wanted;
  wanted.role = role;
  wanted.expires = expires;
  auto made = make_token(std::move(wanted), random_);
  if (!made) return tl::make_unexpected(made.error());
  if (list.size() >= kMost) list.erase(list.begin());
  list.push_back(std::move(made->token));
  return std::move(made->secret);
}

Result<std::string> SignIn::make_code(Role role, WallTime now) {
  std::scoped_lock lock(mutex_);
  return add(codes_, role, now + kCodeLives);
}

Result<std::optional<std::string>> SignIn::redeem(std::string_view code, WallTime now) {
  std::scoped_lock lock(mutex_);
  const Token* const found = find_token(codes_, code, now);
  if (!found) return std::optional<std::string>();
  const Role role = found->role;
  codes_.erase(codes_.begin() + (found - codes_.data()));
  auto secret = add(sessions_, role, now + kSessionLives);
  if (!secret) return tl::make_unexpected(secret.error());
  return std::optional(std::move(*secret));
}

std::optional<Identity> SignIn::session(std::string_view secret, WallTime now) const {
  std::scoped_lock lock(mutex_);
  const Token* const found = find_token(sessions_, secret, now);
  if (!found) return std::nullopt;
  return Identity{.role = found->role, .name = fmt::format("sign-in {}", found->id), .known = true};
}

}  // namespace gpukeeper::auth
