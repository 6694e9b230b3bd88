#include "sinks/sink_settings.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "sinks/address.hpp"
#include "sinks/body_template.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostSinks = 50;
constexpr std::size_t kMostOfAList = 100;  // patterns, recipients, headers, arguments, labels
constexpr std::size_t kLongestText = 1000;
constexpr std::size_t kLongestName = 32;
constexpr std::chrono::nanoseconds kShortestTimeout = 100ms;
constexpr std::chrono::nanoseconds kLongestTimeout = 120s;

// What a kind has a use for.
enum Use : unsigned {
  kUrl = 1,
  kToken = 2,
  kLogin = 4,
  kCommand = 8,
  kBody = 16,
  kMail = 32,
};

struct KindRow {
  SinkKind kind;
  std::string_view word;
  unsigned uses;
};

constexpr KindRow kKinds[] = {
    {SinkKind::log, "log", 0},
    {SinkKind::command, "command", kCommand},
    {SinkKind::webhook, "webhook", kUrl | kToken | kLogin | kBody},
    {SinkKind::slack, "slack", kUrl},
    {SinkKind::discord, "discord", kUrl},
    {SinkKind::pagerduty, "pagerduty", kUrl | kToken},
    {SinkKind::alertmanager, "alertmanager", kUrl | kToken | kLogin},
    {SinkKind::email, "email", kUrl | kLogin | kMail},
};

const KindRow& row_of(SinkKind kind) {
  return *std::ranges::find(kKinds, kind, &KindRow::kind);
}

// The keys that only some kinds have a use for.
struct KeyRow {
  std::string_view key;
  Use use;
  bool (*is_set)(const SinkSettings&);
};

constexpr KeyRow kKeys[] = {
    {"url", kUrl, [](const SinkSettings& s) { return !s.url.empty(); }},
    {"url_file", kUrl, [](const SinkSettings& s) { return !s.url_file.empty(); }},
    {"url_env", kUrl, [](const SinkSettings& s) { return !s.url_env.empty(); }},
    {"token_file", kToken, [](const SinkSettings& s) { return !s.token_file.empty(); }},
    {"token_env", kToken, [](const SinkSettings& s) { return !s.token_env.empty(); }},
    {"user", kLogin, [](const SinkSettings& s) { return !s.user.empty(); }},
    {"password_file", kLogin, [](const SinkSettings& s) { return !s.password_file.empty(); }},
    {"password_env", kLogin, [](const SinkSettings& s) { return !s.password_env.empty(); }},
    {"command", kCommand, [](const SinkSettings& s) { return !s.command.empty(); }},
    {"headers", kBody, [](const SinkSettings& s) { return !s.headers.empty(); }},
    {"body", kBody, [](const SinkSettings& s) { return !s.body.empty(); }},
    {"content_type", kBody, [](const SinkSettings& s) { return !s.content_type.empty(); }},
    {"from", kMail, [](const SinkSettings& s) { return !s.from.empty(); }},
    {"to", kMail, [](const SinkSettings& s) { return !s.to.empty(); }},
    {"starttls", kMail, [](const SinkSettings& s) { return s.starttls.has_value(); }},
    {"ca_file", kUrl, [](const SinkSettings& s) { return !s.ca_file.empty(); }},
};

std::string quoted(std::string_view text) {
  return fmt::format("'{}'", fit(harmless(text), 60));
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// A variable of the environment, or a label of Prometheus: both are written alike.
bool is_identifier(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// What RFC 5321 calls an address, without quoted local parts and comments: nobody has such, and they are a way to
// smuggle.
bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > 254) return false;
  const auto is_plain = [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("<>()[],;:\\\"@").find(c) == std::string_view::npos;
  };
  return std::ranges::all_of(text.substr(0, at), is_plain) && std::ranges::all_of(text.substr(at + 1), is_plain);
}

// Finds what is wrong with one sink; `key` is its place in the configuration.
class Checker {
 public:
  Checker(const SinkSettings& sink, std::string key, std::vector<std::string>& found)
      : sink_(sink), row_(row_of(sink.kind)), key_(std::move(key)), found_(found) {}

  void run() {
    for (const KeyRow& each : kKeys) {
      if (each.is_set(sink_) && !(row_.uses & each.use)) {
        say(each.key, "a sink of the kind {} has no use for it", row_.word);
      }
    }
    patterns("rules", sink_.rules, "rule");
    patterns("devices", sink_.devices, "device");
    labels();
    if (sink_.timeout < kShortestTimeout || sink_.timeout > kLongestTimeout) {
      about("timeout", fmt::format("{} s", std::chrono::duration<double>(sink_.timeout).count()),
            "it must be from 0.1 to 120 seconds");
    }
    if (row_.uses & kUrl) url();
    if (row_.uses & kToken) token();
    if (row_.uses & kLogin) login();
    if (row_.uses & kCommand) command();
    if (row_.uses & kBody) body();
    if (row_.uses & kMail) mail();
  }

 private:
  template <class... Args>
  void say(std::string_view member, fmt::format_string<Args...> form, Args&&... args) {
    found_.push_back(fmt::format("{}.{}: {}", key_, member, fmt::format(form, std::forward<Args>(args)...)));
  }
  void about(std::string_view member, std::string_view value, std::string_view sentence) {
    found_.push_back(fmt::format("{}.{} = {}: {}", key_, member, value, sentence));
  }

  bool few(std::string_view member, std::size_t count) {
    if (count > kMostOfAList) say(member, "it has {} entries; at most {} are taken", count, kMostOfAList);
    return count <= kMostOfAList;
  }

  void patterns(std::string_view member, const std::vector<std::string>& values, std::string_view what) {
    if (!few(member, values.size())) return;
    for (const std::string& value : values) {
      if (value.empty() || value.size() > kLongestText) {
        about(member, quoted(value),
              fmt::format("a pattern must have 1 to {} bytes; * is every {}", kLongestText, what));
      }
    }
  }

  void labels() {
    // Alertmanager tells alerts apart by their labels, so those of ours must stay what they are.
    static constexpr std::string_view kOurs[] = {"alertname", "severity", "host", "gpu", "device", "subject", "origin"};
    if (!few("labels", sink_.labels.size())) return;
    std::set<std::string_view> names;
    for (const std::string& label : sink_.labels) {
      const std::string_view all = label;
      const auto name = all.substr(0, all.find('='));
      if (name.size() == all.size() || !is_identifier(name) || has_control(all) || all.size() > kLongestText) {
        about("labels", quoted(label), "it must be name=value, the name of letters, digits and underscores");
      } else if (std::ranges::find(kOurs, name) != std::end(kOurs)) {
        about("labels", quoted(label), "gpukeeper sets that label itself");
      } else if (!names.insert(name).second) {
        about("labels", quoted(label), "that label is there twice");
      }
    }
  }

  void file(std::string_view member, const std::string& path) {
    if (!path.empty() && (path.front() != '/' || has_control(path))) {
      about(member, quoted(path), "it must be a whole path, from / on");
    }
  }
  void variable(std::string_view member, const std::string& name) {
    if (!name.empty() && !is_identifier(name)) {
      about(member, quoted(name), "it must be the name of an environment variable: letters, digits and underscores");
    }
  }

  void url() {
    file("url_file", sink_.url_file);
    variable("url_env", sink_.url_env);
    file("ca_file", sink_.ca_file);
    const int given = !sink_.url.empty() + !sink_.url_file.empty() + !sink_.url_env.empty();
    if (given > 1) say("url", "only one of url, url_file and url_env can be where it is");
    if (given == 0 && sink_.kind != SinkKind::pagerduty) {
      say("url", "a sink of the kind {} needs url, url_file or url_env", row_.word);
    }
    if (sink_.url.empty()) return;
    if (const auto refusal = refusal_of_address(sink_, sink_.url)) about("url", quoted(shown_url(sink_.url)), *refusal);
  }

  void token() {
    file("token_file", sink_.token_file);
    variable("token_env", sink_.token_env);
    if (!sink_.token_file.empty() && !sink_.token_env.empty()) say("token_file", "token_env is there too; keep one");
    if (sink_.kind == SinkKind::pagerduty && sink_.token_file.empty() && sink_.token_env.empty()) {
      say("token_file", "a sink of the kind pagerduty needs token_file or token_env: where its routing key is");
    }
  }

  void login() {
    file("password_file", sink_.password_file);
    variable("password_env", sink_.password_env);
    if (has_control(sink_.user) || sink_.user.size() > kLongestText) {
      about("user", quoted(sink_.user), "it must be one line of text");
    }
    if (row_.uses & kToken && !sink_.user.empty() && !(sink_.token_file.empty() && sink_.token_env.empty())) {
      say("user", "there is a token too; a server takes one of them");
    }
    const bool password = !sink_.password_file.empty() || !sink_.password_env.empty();
    if (!sink_.password_file.empty() && !sink_.password_env.empty()) {
      say("password_file", "password_env is there too; keep one");
    }
    if (sink_.user.empty() && password) say("user", "there is a password, so a user is needed");
    if (!sink_.user.empty() && !password) {
      say("password_file", "there is a user, so password_file or password_env is needed");
    }
  }

  void command() {
    if (sink_.command.empty() || sink_.command.front().empty()) {
      say("command", "a sink of the kind command needs a program: [/usr/local/bin/page, --gpu]");
    }
    if (!few("command", sink_.command.size())) return;
    for (const std::string& argument : sink_.command) {
      if (argument.find('\0') != std::string::npos || argument.size() > kLongestText) {
        about("command", quoted(argument),
              fmt::format("an argument has at most {} bytes, none of them 0", kLongestText));
      }
    }
  }

  void body() {
    if (few("headers", sink_.headers.size())) {
      for (const std::string& header : sink_.headers) this->header(header);
    }
    if (has_control(sink_.content_type) || sink_.content_type.size() > kLongestText) {
      about("content_type", quoted(sink_.content_type), "it must be a media type: application/json");
    }
    if (sink_.body.empty()) {
      if (!sink_.content_type.empty()) say("content_type", "it is for a body, and there is none");
      return;
    }
    const auto parsed = BodyTemplate::parse(sink_.body, sink_.content_type);
    if (!parsed) about("body", quoted(sink_.body), parsed.error().message);
  }

  void header(const std::string& header) {
    const std::string_view all = header;
    const auto name = all.substr(0, all.find(':'));
    const auto is_name_letter = [](char c) {
      return (is_letter(c) && c != '_') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (name.size() == all.size() || name.empty() || !std::ranges::all_of(name, is_name_letter) || has_control(all) ||
        all.size() > kLongestText) {
      about("headers", quoted(name), "it must be one line, Name: value");
      return;
    }
    const std::string lower = to_lower(name);
    if (lower == "authorization") {
      about("headers", quoted(name), "a secret must not stand here: use token_file or token_env");
    } else if (lower == "content-type") {
      about("headers", quoted(name), "use content_type for it");
    } else if (lower == "content-length" || lower == "transfer-encoding" || lower == "host" || lower == "connection" ||
               lower == "expect") {
      about("headers", quoted(name), "gpukeeper sets that header itself");
    }
  }

  void mail() {
    if (!is_mail_address(sink_.from)) {
      about("from", quoted(sink_.from), "it must be an address without a name: gpukeeper@example.org");
    }
    if (sink_.to.empty()) say("to", "a sink of the kind email needs somebody to write to");
    if (!few("to", sink_.to.size())) return;
    for (const std::string& address : sink_.to) {
      if (!is_mail_address(address)) {
        about("to", quoted(address), "it must be an address without a name: admin@example.org");
      }
    }
  }

  const SinkSettings& sink_;
  const KindRow& row_;
  const std::string key_;
  std::vector<std::string>& found_;
};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

std::string_view to_string(SinkKind kind) {
  return row_of(kind).word;
}

std::optional<SinkKind> parse_sink_kind(std::string_view word) {
  for (const KindRow& each : kKinds) {
    if (each.word == word) return each.kind;
  }
  return std::nullopt;
}

std::string shown_url(std::string_view url) {
  const auto address = parse_address(url);
  if (!address) return "…";
  const bool ip6 = address->host.find(':') != std::string::npos;
  std::string result = fmt::format("{}://{}{}{}", address->scheme, ip6 ? "[" : "", address->host, ip6 ? "]" : "");
  if (address->port) result += fmt::format(":{}", *address->port);
  const auto rest = url.find_first_of("/?#", url.find("://") + 3);
  if (rest != std::string_view::npos && rest + 1 < url.size()) result += "/…";
  return result;
}

std::vector<std::string> check(const SinkList& sinks) {
  std::vector<std::string> found;
  if (sinks.size() > kMostSinks) {
    found.push_back(fmt::format("sinks: there are {}; at most {} are taken", sinks.size(), kMostSinks));
    return found;
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const std::string key = fmt::format("sinks[{}]", i);
    if (!is_name(sinks[i].name)) {
      found.push_back(fmt::format("{}.name = {}: it must be 1 to {} small letters, digits, - and _", key,
                                  quoted(sinks[i].name), kLongestName));
    } else if (!names.insert(sinks[i].name).second) {
      found.push_back(fmt::format("{}.name = {}: there are two sinks of that name", key, quoted(sinks[i].name)));
    }
    Checker(sinks[i], key, found).run();
  }
  return found;
}

std::vector<std::string> warnings(const SinkList& sinks) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const SinkSettings& sink = sinks[i];
    const bool secret = sink.kind == SinkKind::slack || sink.kind == SinkKind::discord;
    if (!secret || sink.url.empty()) continue;
    found.push_back(
        fmt::format("sinks[{}].url: whoever knows the address of a {} webhook can write there; put it into a "
                    "file that others cannot read, and name that in url_file",
                    i, to_string(sink.kind)));
  }
  return found;
}

}  // namespace gpukeeper
