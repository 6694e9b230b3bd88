#include "auth/token.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "core/text.hpp"

namespace gpukeeper::auth {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "gpukeeper.tokens/1";
constexpr std::string_view kPrefix = "gk_";  // by which scanners for secrets that were published know it
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kIdBytes = 4;

std::string hex(std::span<const std::uint8_t> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::optional<TokenHash> parse_hash(std::string_view text) {
  TokenHash hash{};
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const std::string_view digits = text.substr(2 * i, 2);
    if (digits.find_first_not_of("0123456789abcdef") != digits.npos) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(*parse_u64(digits, 16));
  }
  return hash;
}

bool is_id(std::string_view text) {
  return text.size() == 2 * kIdBytes && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// A text member; empty for null.
std::optional<std::string> text_in(const Json& row, const char* key) {
  if (!row.contains(key)) return std::nullopt;
  if (row[key].is_null()) return std::string();
  if (!row[key].is_string()) return std::nullopt;
  return row[key].get<std::string>();
}

Result<Token> parse_token(const Json& row, std::size_t place) {
  const auto wrong = [place](std::string_view what) {
    return fail(Errc::invalid_argument, fmt::format("token {}: {}", place + 1, what));
  };
  if (!row.is_object()) return wrong("it is no object");
  Token token;
  const auto id = text_in(row, "id");
  if (!id || !is_id(*id)) return wrong("its id is not eight hex digits");
  token.id = *id;
  const auto role = parse_role(text_in(row, "role").value_or(""));
  if (!role) return wrong("its role is none of viewer, operator, admin");
  token.role = *role;
  const auto name = text_in(row, "name");
  if (!name || !check_token_text("name", *name, kLongestTokenName)) return wrong("its name is none");
  token.name = *name;
  const auto service = text_in(row, "service");
  if (!service || !check_token_text("service", *service, kLongestTokenService)) return wrong("its service is none");
  token.service = *service;
  const auto created = parse_rfc3339(text_in(row, "created").value_or(""));
  if (!created) return wrong("when it was created is no date");
  token.created = *created;
  const auto expires = text_in(row, "expires");
  if (!expires) return wrong("when it expires is neither a date nor null");
  if (!expires->empty()) token.expires = parse_rfc3339(*expires);
  if (!expires->empty() && !token.expires) return wrong("when it expires is neither a date nor null");
  const auto hash = parse_hash(text_in(row, "sha256").value_or(""));
  if (!hash) return wrong("its sha256 is not 64 hex digits");
  token.hash = *hash;
  return token;
}

}  // namespace

std::string title(const Token& token) {
  return token.name.empty() ? fmt::format("token {}", token.id) : fmt::format("token {} ({})", token.name, token.id);
}

Result<void> system_random(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return fail(Errc::unavailable,
                  fmt::format("read random bytes: getrandom: {}", std::generic_category().message(errno)));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<NewToken> make_token(Token wanted, const Random& random) {
  std::array<std::uint8_t, kSecretBytes + kIdBytes> bytes{};
  if (auto filled = random(bytes); !filled) return tl::make_unexpected(filled.error());
  const std::span<const std::uint8_t> all(bytes);
  NewToken made{.secret = std::string(kPrefix) + hex(all.first(kSecretBytes)), .token = std::move(wanted)};
  made.token.id = hex(all.subspan(kSecretBytes));  // of other bytes: it says nothing of the secret
  made.token.hash = hash_of(made.secret);
  return made;
}

TokenHash hash_of(std::string_view secret) {
  TokenHash hash{};
  unsigned size = hash.size();
  // The machine's openssl.cnf may load engines of somebody else: it has no say here.
  const bool well = ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1 &&
                    ::EVP_Digest(secret.data(), secret.size(), hash.data(), &size, ::EVP_sha256(), nullptr) == 1;
  if (!well) throw std::runtime_error("libcrypto does not make a SHA-256");  // it has no memory
  return hash;
}

const Token* find_token(std::span<const Token> tokens, std::string_view secret, WallTime now) {
  const TokenHash hash = hash_of(secret);
  const Token* found = nullptr;
  for (const Token& token : tokens) {
    if (::CRYPTO_memcmp(token.hash.data(), hash.data(), hash.size()) == 0) found = &token;
  }
  const bool expired = found && found->expires && *found->expires <= now;
  return expired ? nullptr : found;
}

std::string tokens_text(std::span<const Token> tokens) {
  Json list = Json::array();
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  for (const Token& token : tokens) {
    list.push_back({{"id", token.id},
                    {"role", to_string(token.role)},
                    {"name", or_null(token.name)},
                    {"service", or_null(token.service)},
                    {"created", rfc3339(token.created)},
                    {"expires", token.expires ? Json(rfc3339(*token.expires)) : Json()},
                    {"sha256", hex(token.hash)}});
  }
  return Json({{"schema", kSchema}, {"tokens", std::move(list)}}).dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

Result<std::vector<Token>> parse_tokens(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  const bool ours = document.is_object() && text_in(document, "schema") == kSchema && document.contains("tokens") &&
                    document["tokens"].is_array();
  if (!ours) return fail(Errc::invalid_argument, fmt::format("it is no JSON document of {}", kSchema));
  if (document["tokens"].size() > kMostTokens) {
    return fail(Errc::invalid_argument, fmt::format("it has more than {} tokens", kMostTokens));
  }
  std::vector<Token> tokens;
  for (const Json& row : document["tokens"]) {
    auto token = parse_token(row, tokens.size());
    if (!token) return tl::make_unexpected(token.error());
    tokens.push_back(std::move(*token));
  }
  return tokens;
}

Result<void> check_token_text(std::string_view what, std::string_view text, std::size_t longest) {
  if (text.size() <= longest && harmless(text) == text) return {};
  return fail(Errc::invalid_argument, fmt::format("{} takes at most {} bytes without control characters, not '{}'",
                                                  what, longest, fit(harmless(text), 80)));
}

}  // namespace gpukeeper::auth
