#include "attribution/secret_names.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_word(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

template <std::size_t N>
bool is_any(std::string_view word, const std::string_view (&of)[N]) {
  return std::ranges::find(of, word) != std::end(of);
}

// "dbPassword", "DB_PASSWORD" and "--db-password" are all {"db", "password"}.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  bool inside = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_word(name[i])) {
      inside = false;
      continue;
    }
    const bool hump = i > 0 && is_upper(name[i]) && is_word(name[i - 1]) && !is_upper(name[i - 1]);
    if (!inside || hump) words.emplace_back();
    words.back() += to_lower(name.substr(i, 1));
    inside = true;
  }
  return words;
}

// A secret wherever it stands in a name, also glued to another word: "dbpassword", "hftoken".
constexpr std::string_view kAnywhere[] = {"passw",     "passphrase", "secret",     "token",  "credential",   "apikey",
                                          "accesskey", "authkey",    "privatekey", "bearer", "authorization"};
// A secret only as a word of its own.
constexpr std::string_view kWords[] = {"auth", "oauth", "cred", "creds",  "pw",      "pwd",      "pin",
                                       "otp",  "jwt",   "sig",  "cookie", "cookies", "signature"};
// A secret at the end of a word, but for some words that only end so: "dbpass", "sshkey".
constexpr std::string_view kEnds[] = {"pass", "key", "keys", "pwd"};
constexpr std::string_view kOnlyEndSo[] = {"bypass",    "compass",    "lowpass", "highpass", "bandpass", "allpass",
                                           "multipass", "singlepass", "monkey",  "hotkey",   "hotkeys",  "turkey",
                                           "donkey",    "whiskey",    "jockey",  "hockey"};
// What ends in these is the place of a secret, not the secret.
constexpr std::string_view kPlaces[] = {"file", "path", "dir", "stdin", "fd"};

bool is_secret_word(const std::string& word) {
  if (word.starts_with("tokeniz") || word.starts_with("tokenis")) return false;
  for (const auto part : kAnywhere) {
    if (word.find(part) != std::string::npos) return true;
  }
  if (is_any(word, kWords)) return true;
  if (is_any(word, kOnlyEndSo)) return false;
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return word.ends_with(end); });
}

}  // namespace

bool names_a_secret(std::string_view name) {
  const auto words = words_of(name);
  if (words.empty() || is_any(words.back(), kPlaces)) return false;
  return std::ranges::any_of(words, is_secret_word);
}

bool counts_tokens(std::string_view name) {
  const auto words = words_of(name);
  return std::ranges::find(words, "tokens") != words.end();
}

}  // namespace gpukeeper
