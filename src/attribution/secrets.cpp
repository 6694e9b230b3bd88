#include "attribution/secrets.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "attribution/secret_names.hpp"
#include "core/text.hpp"

// One pass over the arguments. Each is asked for the places where it shows a secret, and whether it announces that the
// next argument is one. Whenever it cannot be told where a secret ends, it ends with its argument: to hide too much
// costs a look, to hide too little cannot be taken back.

namespace gpukeeper {
namespace {

using Text = std::string_view;
constexpr auto kNone = Text::npos;

constexpr Text kBlanks = " \t\n\r\v\f";
constexpr Text kQuotes = "'\"`";

/// What is hidden of an argument.
struct Range {
  std::size_t begin;
  std::size_t end;
};

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_in(char c, Text set) {
  return set.find(c) != kNone;
}

bool all_digits(Text text) {
  return !text.empty() && text.size() <= 9 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Text without_quotes(Text text) {
  while (!text.empty() && is_in(text.front(), kQuotes)) text.remove_prefix(1);
  while (!text.empty() && is_in(text.back(), kQuotes)) text.remove_suffix(1);
  return text;
}

Text base_name(Text path) {
  path = without_quotes(path);
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

/// The words of a text as a shell would part them, quotes kept. Nothing when its quotes do not pair: then nobody knows
/// where its words end.
std::optional<std::vector<Text>> shell_words(Text text) {
  std::vector<Text> words;
  std::size_t begin = kNone;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_in(c, kBlanks)) {
      if (begin != kNone) words.push_back(text.substr(begin, i - begin));
      begin = kNone;
      continue;
    }
    if (begin == kNone) begin = i;
    if (c == '\\' && quote != '\'') {
      ++i;  // what follows is no quote and parts no words
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (is_in(c, kQuotes)) {
      quote = c;
    }
  }
  if (quote != 0) return std::nullopt;
  if (begin != kNone) words.push_back(text.substr(begin));
  return words;
}

/// The name that ends before `end`: "api_key" of `{"api_key"` and of `os.environ['api_key']`.
Text name_before(Text text, std::size_t end) {
  constexpr std::size_t kBetween = 8;  // quotes, brackets and blanks between a name and its '='
  for (std::size_t i = 0; i < kBetween && end > 0 && (is_in(text[end - 1], "'\"`)]}\\ \t\n")); ++i) --end;
  std::size_t begin = end;
  while (begin > 0 && (is_alnum(text[begin - 1]) || is_in(text[begin - 1], "_-."))) --begin;
  return text.substr(begin, end - begin);
}

/// Where the value of a secret name begins that stands in the text with its value: "--token=X", "PASS: X".
std::size_t named_value(Text text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '=' && text[i] != ':') continue;
    const Text name = name_before(text, i);
    if (!names_a_secret(name)) continue;
    const auto begin = text.find_first_not_of(kBlanks, i + 1);
    if (begin == kNone) continue;
    const Text value = text.substr(begin, text.find_first_of(",;& }])\n", begin) - begin);
    if (counts_tokens(name) && all_digits(without_quotes(value))) continue;
    return begin;
  }
  return kNone;
}

bool announces_secret(Text word);

/// Where a secret begins that follows its name after a blank, within one argument: "AUTH me PASSWORD X".
std::size_t spoken_value(Text text) {
  std::size_t at = 0;
  while ((at = text.find_first_not_of(kBlanks, at)) != kNone) {
    const auto end = text.find_first_of(kBlanks, at);
    if (end == kNone) return kNone;
    const auto next = text.find_first_not_of(kBlanks, end);
    if (next == kNone) return kNone;
    if (announces_secret(text.substr(at, end - at))) return next;
    at = next;
  }
  return kNone;
}

/// Whether the word says that the one after it is a secret.
bool announces_secret(Text word) {
  word = without_quotes(word);
  const bool open = word.ends_with(':') || word.ends_with('=');
  if (open) word.remove_suffix(1);
  if (word.find_first_of("=:") != kNone) return open && names_a_secret(name_before(word, word.size()));
  if (open || (word.starts_with('-') && word.find_first_of(kBlanks) == kNone)) return names_a_secret(word);
  const std::string lower = to_lower(word);
  return lower == "password" || lower == "passwd" || lower == "passphrase" || lower == "bearer" ||
         lower == "identified";
}

/// A token that is known by its look.
struct Token {
  Text prefix;
  std::size_t least;  ///< characters after it, so that a word which only begins so is no token
};

constexpr Token kTokens[] = {
    {"hf_", 20},     {"sk-", 16},    {"sk_live_", 8},       {"sk_test_", 8}, {"rk_live_", 8}, {"pk_live_", 8},
    {"ghp_", 20},    {"gho_", 20},   {"ghu_", 20},          {"ghs_", 20},    {"ghr_", 20},    {"github_pat_", 20},
    {"glpat-", 12},  {"gldt-", 12},  {"xoxa-", 8},          {"xoxb-", 8},    {"xoxe-", 8},    {"xoxo-", 8},
    {"xoxp-", 8},    {"xoxr-", 8},   {"xoxs-", 8},          {"xapp-", 8},    {"AKIA", 16},    {"ASIA", 16},
    {"AIza", 30},    {"ya29.", 16},  {"eyJ", 20},           {"npm_", 30},    {"pypi-", 16},   {"dckr_pat_", 16},
    {"dop_v1_", 20}, {"SG.", 20},    {"nvapi-", 16},        {"r8_", 30},     {"gsk_", 20},    {"xai-", 20},
    {"tskey-", 12},  {"lsv2_", 16},  {"hvs.", 16},          {"hvb.", 16},    {"shpat_", 16},  {"sq0atp-", 16},
    {"key-", 32},    {"whsec_", 16}, {"AGE-SECRET-KEY-", 8}};

void find_tokens(Text text, std::vector<Range>& hidden) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && is_alnum(text[at - 1])) continue;
    const Text rest = text.substr(at);
    for (const Token& token : kTokens) {
      if (!rest.starts_with(token.prefix)) continue;
      std::size_t end = token.prefix.size();
      while (end < rest.size() && (is_alnum(rest[end]) || is_in(rest[end], "_-.~+/="))) ++end;
      if (end - token.prefix.size() >= token.least) hidden.push_back({at, at + end});
    }
  }
  for (const Text sign : {Text("-----BEGIN "), Text("PuTTY-User-Key-File")}) {
    if (const auto at = text.find(sign); at != kNone) hidden.push_back({at, text.size()});
  }
}

/// The password of "scheme://user:password@host", wherever it stands. Without a colon a web address has a token in the
/// user's place; elsewhere ("ssh://git@host") it is a name.
void find_url_passwords(Text text, std::vector<Range>& hidden) {
  for (auto at = text.find("://"); at != kNone; at = text.find("://", at + 3)) {
    const auto begin = at + 3;
    const auto next = std::min(text.find("://", begin), text.size());
    const auto end = std::min(text.find_first_of("/?#\"' \t\n", begin), text.size());
    auto user_end = text.substr(0, end).rfind('@');
    const auto colon = text.substr(0, next).find(':', begin);
    const bool password = colon != kNone && colon < end;
    if (user_end == kNone || user_end < begin) {
      // A password that was not written as a URL demands may hold a slash: "user:pa/ss@host". A port is a number.
      if (!password || (colon != begin && all_digits(text.substr(colon + 1, end - colon - 1)))) continue;
      user_end = text.substr(0, next).rfind('@');
      if (user_end == kNone || user_end < colon) continue;
    }
    if (password && colon < user_end) {
      hidden.push_back({colon + 1, user_end});
    } else if (text.substr(0, at).ends_with("http") || text.substr(0, at).ends_with("https")) {
      hidden.push_back({begin, user_end});
    }
  }
}

/// An option that some programs take a secret with, under a name that does not say so.
struct Option {
  Text program;
  Text needs;  ///< a word that must have come before: docker's -p means something else elsewhere
  Text option;
  bool glued;   ///< "-pX"
  bool parted;  ///< "-p X"
  Text after;   ///< only what follows the first of these characters: "user:X"
};

constexpr Option kOptions[] = {
    {"mysql", "", "-p", true, false, ""},
    {"mysqldump", "", "-p", true, false, ""},
    {"mysqladmin", "", "-p", true, false, ""},
    {"mysqlimport", "", "-p", true, false, ""},
    {"mysqlsh", "", "-p", true, false, ""},
    {"mysqlcheck", "", "-p", true, false, ""},
    {"mycli", "", "-p", true, true, ""},
    {"mariadb", "", "-p", true, false, ""},
    {"mariadb-dump", "", "-p", true, false, ""},
    {"mariadb-admin", "", "-p", true, false, ""},
    {"sshpass", "", "-p", true, true, ""},
    {"redis-cli", "", "-a", true, true, ""},
    {"docker", "login", "-p", true, true, ""},
    {"podman", "login", "-p", true, true, ""},
    {"nerdctl", "login", "-p", true, true, ""},
    {"skopeo", "login", "-p", true, true, ""},
    {"helm", "login", "-p", true, true, ""},
    {"az", "login", "-p", true, true, ""},
    {"wandb", "", "login", false, true, ""},
    {"vault", "", "login", false, true, ""},
    {"mongo", "", "-p", true, true, ""},
    {"mongosh", "", "-p", true, true, ""},
    {"mongodump", "", "-p", true, true, ""},
    {"mongorestore", "", "-p", true, true, ""},
    {"ldapsearch", "", "-w", true, true, ""},
    {"ldapadd", "", "-w", true, true, ""},
    {"ldapmodify", "", "-w", true, true, ""},
    {"ldapwhoami", "", "-w", true, true, ""},
    {"mosquitto_pub", "", "-P", true, true, ""},
    {"mosquitto_sub", "", "-P", true, true, ""},
    {"ipmitool", "", "-P", true, true, ""},
    {"sqlcmd", "", "-P", true, true, ""},
    {"bcp", "", "-P", true, true, ""},
    {"zip", "", "-P", true, true, ""},
    {"unzip", "", "-P", true, true, ""},
    {"7z", "", "-p", true, false, ""},
    {"7za", "", "-p", true, false, ""},
    {"smbclient", "", "-U", true, true, "%"},
    {"smbclient", "", "--user", true, true, "%"},
    {"curl", "", "--user", true, true, ":"},
    {"curl", "", "--proxy-user", true, true, ":"},
    {"curl", "", "-u", true, true, ":"},
    {"curl", "", "-U", true, true, ":"},
    {"wget", "", "--user", true, true, ":"},
    {"lftp", "", "-u", true, true, ",:"},
    {"aria2c", "", "--http-user", true, true, ":"},
};

bool is_known_program(Text name) {
  return std::ranges::any_of(kOptions, [&](const Option& option) { return option.program == name; });
}

bool is_shell(Text name) {
  constexpr Text kShells[] = {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish"};
  if (name.starts_with('-')) name.remove_prefix(1);  // a login shell
  return std::ranges::find(kShells, name) != std::end(kShells);
}

/// "-c", "-lc", "--command": what follows is text for a shell.
bool takes_shell_text(Text word) {
  if (word == "--command") return true;
  return word.size() >= 2 && word.size() <= 5 && word[0] == '-' && word[1] != '-' && word.ends_with('c');
}

class Masker {
 public:
  std::string line(std::span<const Text> arguments) {
    const bool renamed = arguments.size() == 1;
    for (const Text argument : arguments) {
      if (renamed || (std::exchange(shell_text_, false) && !secret_next_)) {
        each_word(argument);
      } else {
        one(argument);
      }
    }
    return std::move(line_);
  }

 private:
  void each_word(Text argument) {
    const auto words = argument.find_first_of(kBlanks) == kNone ? std::nullopt : shell_words(argument);
    if (!words) return one(argument);
    for (const Text word : *words) one(word);
  }

  void one(Text word) {
    std::vector<Range> hidden;
    if (std::exchange(secret_next_, false) && !(tokens_counted_ && all_digits(word))) {
      // The scheme before a credential, "Basic", is none itself: what comes after it is.
      secret_next_ = secret_scheme_ && is_scheme(word);
      hidden.push_back({0, word.size()});
    }
    secret_scheme_ = false;
    after_next(word, hidden);
    inside(word, hidden);
    look_ahead(word, hidden);
    append(word, hidden);
    ++position_;
  }

  static bool is_scheme(Text word) {
    const std::string lower = to_lower(without_quotes(word));
    return lower == "basic" || lower == "bearer" || lower == "token" || lower == "digest" || lower == "negotiate" ||
           lower == "apikey";
  }

  static void inside(Text word, std::vector<Range>& hidden) {
    const auto begin = std::min(named_value(word), spoken_value(word));
    if (begin != kNone) hidden.push_back({begin, word.size()});
    find_tokens(word, hidden);
    find_url_passwords(word, hidden);
  }

  /// "user:X" after curl's -u.
  void after_next(Text word, std::vector<Range>& hidden) {
    const Text marks = std::exchange(after_next_, Text());
    if (!marks.empty()) hide_after(word, 0, marks, hidden);
  }
  static void hide_after(Text word, std::size_t from, Text marks, std::vector<Range>& hidden) {
    const auto mark = word.find_first_of(marks, from);
    if (mark != kNone) hidden.push_back({mark + 1, word.size()});
  }

  /// What the word says of the words after it, and of what is glued to it. A word that is hidden speaks, too: the
  /// secret of `--token --password X` may be either.
  void look_ahead(Text word, std::vector<Range>& hidden) {
    const Text bare = without_quotes(word);
    // `"token" : "X"`, taken apart at its blanks.
    const bool sign = !bare.empty() && bare.find_first_not_of(":=") == kNone;
    const Text name = sign ? name_before(previous_, previous_.size()) : bare;
    if (position_ > 0 && (sign ? names_a_secret(name) : announces_secret(bare))) {
      secret_next_ = true;
      secret_scheme_ = bare.ends_with(':');
      tokens_counted_ = counts_tokens(name);
    }
    previous_ = word;
    for (const Option& option : kOptions) {
      if (option.program != program_ || !bare.starts_with(option.option)) continue;
      if (!option.needs.empty() && std::ranges::find(plain_, option.needs) == plain_.end()) continue;
      apply(option, word, bare, hidden);
    }
    if (position_ > 0 && bare.starts_with('-')) {
      shell_text_ = shell_ && takes_shell_text(bare);
      return;
    }
    const Text program = base_name(bare);
    if (is_known_program(program)) {
      program_ = program;
      plain_.clear();
    }
    plain_.push_back(bare);
    shell_ = is_shell(program);
  }

  void apply(const Option& option, Text word, Text bare, std::vector<Range>& hidden) {
    const auto begin = static_cast<std::size_t>(bare.data() - word.data()) + option.option.size();
    if (bare.size() == option.option.size()) {
      if (option.parted && option.after.empty()) secret_next_ = true;
      if (option.parted) after_next_ = option.after;
    } else if (option.glued) {
      if (option.option.starts_with("--") && bare[option.option.size()] != '=') return;
      if (option.after.empty()) {
        hidden.push_back({begin, word.size()});
      } else {
        hide_after(word, begin, option.after, hidden);
      }
    }
  }

  void append(Text word, std::vector<Range>& hidden) {
    if (!line_.empty() || position_ > 0) line_ += ' ';
    std::ranges::sort(hidden, {}, &Range::begin);
    std::size_t shown = 0;
    for (const Range& range : hidden) {
      if (range.end <= shown || range.begin >= range.end) continue;
      if (range.begin > shown || shown == 0) {
        line_ += word.substr(shown, range.begin - shown);
        line_ += kMask;
      }
      shown = range.end;
    }
    line_ += word.substr(shown);
  }

  std::string line_;
  std::size_t position_ = 0;
  Text previous_;
  Text program_;             // the last one named that kOptions knows
  std::vector<Text> plain_;  // words after it that are no options
  Text after_next_;
  bool secret_next_ = false;     // the next word is a secret,
  bool secret_scheme_ = false;   // or the scheme before one,
  bool tokens_counted_ = false;  // unless it is a number of tokens
  bool shell_ = false;           // the last word that is no option is a shell
  bool shell_text_ = false;      // the next argument is text for it
};

}  // namespace

std::string masked_command_line(std::span<const std::string_view> arguments) {
  return Masker().line(arguments);
}

}  // namespace gpukeeper
