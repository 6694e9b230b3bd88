#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/role.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"

namespace gpukeeper::auth {

/// SHA-256 of a token. A fast hash is right here, and a slow one for passwords would not be: a token is 256 random
/// bits, which nobody finds by trying.
using TokenHash = std::array<std::uint8_t, 32>;

/// What is kept of a token. The token itself is shown once, when it is made, and is nowhere afterwards.
struct Token {
  std::string id;  ///< eight hex digits, to name it by
  Role role = Role::viewer;
  std::string name;     ///< what its maker calls it; may be empty
  std::string service;  ///< whose leases alone it may change; empty: no such bound
  WallTime created{};
  std::optional<WallTime> expires = std::nullopt;  ///< from then on it is good for nothing
  TokenHash hash{};

  friend bool operator==(const Token&, const Token&) = default;
};

/// "token ci (1a2b3c4d)", or "token 1a2b3c4d" where it has no name.
std::string title(const Token& token);

/// Fills all of it with random bytes. Errors: as the kernel says.
using Random = std::function<Result<void>(std::span<std::uint8_t>)>;

/// The kernel's (getrandom(2)).
Result<void> system_random(std::span<std::uint8_t> bytes);

/// What is to be shown, "gk_" and 64 hex digits, and what is kept: with an id, and the rest as it was given.
struct NewToken {
  std::string secret;
  Token token;
};
/// Errors: those of `random`.
Result<NewToken> make_token(Token wanted, const Random& random);

TokenHash hash_of(std::string_view secret);

/// The token that this is the secret of; null when there is none, or it has expired. Takes as long whichever it is, and
/// however much of it is right.
const Token* find_token(std::span<const Token> tokens, std::string_view secret, WallTime now);

/// The file's text: JSON, which says of itself what it is.
std::string tokens_text(std::span<const Token> tokens);

/// Errors: invalid_argument, with the place, for what tokens_text() does not write.
Result<std::vector<Token>> parse_tokens(std::string_view text);

inline constexpr std::size_t kLongestTokenName = 64;
inline constexpr std::size_t kLongestTokenService = 128;
inline constexpr std::size_t kMostTokens = 1000;

/// A name, or a service's, as it may be given: short, and without control characters.
/// Errors: invalid_argument.
Result<void> check_token_text(std::string_view what, std::string_view text, std::size_t longest);

}  // namespace gpukeeper::auth
