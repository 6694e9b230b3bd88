#include "sinks/sink_settings.hpp"

#include <gmock/gmock.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

SinkSettings sink(SinkKind kind) {
  SinkSettings result{.name = "ops", .kind = kind};
  switch (kind) {
    case SinkKind::log: break;
    case SinkKind::command: result.command = {"/usr/local/bin/page", "--gpu"}; break;
    case SinkKind::webhook: result.url = "https://example.org/hook"; break;
    case SinkKind::slack:
    case SinkKind::discord: result.url_file = "/etc/gpukeeper/hook"; break;
    case SinkKind::pagerduty: result.token_file = "/etc/gpukeeper/routing-key"; break;
    case SinkKind::alertmanager: result.url = "http://127.0.0.1:9093"; break;
    case SinkKind::email:
      result.url = "smtp://mail.example.org:587";
      result.from = "gpukeeper@example.org";
      result.to = {"admin@example.org"};
      break;
  }
  return result;
}

TEST(SinkSettingsTest, EveryKindHasAWordAndASettingThatDoes) {
  for (const char* word : {"log", "command", "webhook", "slack", "discord", "pagerduty", "alertmanager", "email"}) {
    const auto kind = parse_sink_kind(word);
    ASSERT_TRUE(kind) << word;
    EXPECT_EQ(to_string(*kind), word);
    EXPECT_THAT(check({sink(*kind)}), IsEmpty()) << word;
    EXPECT_THAT(warnings({sink(*kind)}), IsEmpty()) << word;
  }
  EXPECT_FALSE(parse_sink_kind("pager"));
  EXPECT_THAT(check({}), IsEmpty());
}

struct Case {
  SinkKind kind;
  void (*change)(SinkSettings&);
  std::string expected;  // one mistake
};

void PrintTo(const Case& each, std::ostream* out) {
  *out << each.expected;
}

class SinkMistakeTest : public testing::TestWithParam<Case> {};

TEST_P(SinkMistakeTest, IsSaidWithKeyValueAndRule) {
  SinkSettings changed = sink(GetParam().kind);
  GetParam().change(changed);
  EXPECT_THAT(check({changed}), ElementsAre(GetParam().expected));
}

using S = SinkSettings;
using enum SinkKind;

INSTANTIATE_TEST_SUITE_P(
    , SinkMistakeTest,
    testing::Values(
        Case{log, [](S& s) { s.name = "Ops!"; },
             "sinks[0].name = 'Ops!': it must be 1 to 32 small letters, digits, - and _"},
        Case{log, [](S& s) { s.url = "https://a"; }, "sinks[0].url: a sink of the kind log has no use for it"},
        Case{slack, [](S& s) { s.command = {"a"}; }, "sinks[0].command: a sink of the kind slack has no use for it"},
        Case{slack, [](S& s) { s.body = "a"; }, "sinks[0].body: a sink of the kind slack has no use for it"},
        Case{command, [](S& s) { s.starttls = false; },
             "sinks[0].starttls: a sink of the kind command has no use for it"},
        Case{log, [](S& s) { s.rules = {""}; },
             "sinks[0].rules = '': a pattern must have 1 to 1000 bytes; * is every rule"},
        Case{log,
             [](S& s) {
               s.devices = {"a", ""};
             },
             "sinks[0].devices = '': a pattern must have 1 to 1000 bytes; * is every device"},
        Case{log, [](S& s) { s.rules.resize(101, "*"); }, "sinks[0].rules: it has 101 entries; at most 100 are taken"},
        Case{log, [](S& s) { s.labels = {"team"}; },
             "sinks[0].labels = 'team': it must be name=value, the name of letters, digits and underscores"},
        Case{log,
             [](S& s) {
               s.labels = {"a=1", "a=2"};
             },
             "sinks[0].labels = 'a=2': that label is there twice"},
        Case{log, [](S& s) { s.labels = {"severity=none"}; },
             "sinks[0].labels = 'severity=none': gpukeeper sets that label itself"},
        Case{log, [](S& s) { s.timeout = 0s; }, "sinks[0].timeout = 0 s: it must be from 0.1 to 120 seconds"},
        Case{log, [](S& s) { s.timeout = 121s; }, "sinks[0].timeout = 121 s: it must be from 0.1 to 120 seconds"},
        Case{slack, [](S& s) { s.url_file.clear(); },
             "sinks[0].url: a sink of the kind slack needs url, url_file or url_env"},
        Case{slack, [](S& s) { s.url_env = "HOOK"; },
             "sinks[0].url: only one of url, url_file and url_env can be where it is"},
        Case{slack, [](S& s) { s.url_file = "hook"; },
             "sinks[0].url_file = 'hook': it must be a whole path, from / on"},
        Case{webhook, [](S& s) { s.ca_file = "ca.pem"; },
             "sinks[0].ca_file = 'ca.pem': it must be a whole path, from / on"},
        Case{webhook, [](S& s) { s.url.clear(), s.url_env = "MY HOOK"; },
             "sinks[0].url_env = 'MY HOOK': it must be the name of an environment variable: letters, digits and "
             "underscores"},
        Case{
            webhook, [](S& s) { s.url = "ftp://example.org/SECRET"; },
            "sinks[0].url = 'ftp://example.org/…': it must be https://HOST/… or http://HOST/…, without a user: that is "
            "for the key user"},
        Case{
            webhook, [](S& s) { s.url = "https://me:SECRET@example.org"; },
            "sinks[0].url = '…': it must be https://HOST/… or http://HOST/…, without a user: that is for the key user"},
        Case{webhook, [](S& s) { s.url = "http://example.org", s.token_env = "T"; },
             "sinks[0].url = 'http://example.org': a token or a password must not travel in the open to another "
             "machine: "
             "use https://"},
        Case{email, [](S& s) { s.url = "https://example.org"; },
             "sinks[0].url = 'https://example.org': it must be smtp://HOST:PORT or smtps://HOST:PORT, without a user: "
             "that is for the key user"},
        Case{email, [](S& s) { s.starttls = false, s.user = "me", s.password_env = "P"; },
             "sinks[0].url = 'smtp://mail.example.org:587': a password must not travel in the open to another machine: "
             "use smtps://, or starttls: true"},
        Case{webhook, [](S& s) { s.token_file = "t"; },
             "sinks[0].token_file = 't': it must be a whole path, from / on"},
        Case{webhook, [](S& s) { s.token_file = "/t", s.token_env = "T"; },
             "sinks[0].token_file: token_env is there too; keep one"},
        Case{webhook, [](S& s) { s.token_env = "T", s.user = "me", s.password_env = "P"; },
             "sinks[0].user: there is a token too; a server takes one of them"},
        Case{pagerduty, [](S& s) { s.token_file.clear(); },
             "sinks[0].token_file: a sink of the kind pagerduty needs token_file or token_env: where its routing key "
             "is"},
        Case{email, [](S& s) { s.user = "me"; },
             "sinks[0].password_file: there is a user, so password_file or password_env is needed"},
        Case{email, [](S& s) { s.password_file = "/p"; }, "sinks[0].user: there is a password, so a user is needed"},
        Case{email, [](S& s) { s.user = "me", s.password_file = "/p", s.password_env = "P"; },
             "sinks[0].password_file: password_env is there too; keep one"},
        Case{email, [](S& s) { s.user = "a\nb", s.password_file = "/p"; },
             "sinks[0].user = 'a?b': it must be one line of text"},
        Case{command, [](S& s) { s.command.clear(); },
             "sinks[0].command: a sink of the kind command needs a program: [/usr/local/bin/page, --gpu]"},
        Case{command, [](S& s) { s.command.push_back(std::string("a\0b", 3)); },
             "sinks[0].command = 'a?b': an argument has at most 1000 bytes, none of them 0"},
        Case{webhook, [](S& s) { s.headers = {"X-Team"}; },
             "sinks[0].headers = 'X-Team': it must be one line, Name: value"},
        Case{webhook, [](S& s) { s.headers = {"X-Team: a\r\nHost: b"}; },
             "sinks[0].headers = 'X-Team': it must be one line, Name: value"},
        Case{webhook, [](S& s) { s.headers = {"Authorization: Bearer SECRET"}; },
             "sinks[0].headers = 'Authorization': a secret must not stand here: use token_file or token_env"},
        Case{webhook, [](S& s) { s.headers = {"content-type: text/plain"}; },
             "sinks[0].headers = 'content-type': use content_type for it"},
        Case{webhook, [](S& s) { s.headers = {"Host: a"}; },
             "sinks[0].headers = 'Host': gpukeeper sets that header itself"},
        Case{webhook, [](S& s) { s.content_type = "text/plain"; },
             "sinks[0].content_type: it is for a body, and there is none"},
        Case{webhook, [](S& s) { s.content_type = "text/plain\n", s.body = "a"; },
             "sinks[0].content_type = 'text/plain?': it must be a media type: application/json"},
        Case{webhook, [](S& s) { s.body = R"({"a": "{mesage}"})"; },
             R"(sinks[0].body = '{"a": "{mesage}"}': there is no placeholder {mesage}; did you mean {message}?)"},
        Case{email, [](S& s) { s.from = "Keeper <a@b>"; },
             "sinks[0].from = 'Keeper <a@b>': it must be an address without a name: gpukeeper@example.org"},
        Case{email, [](S& s) { s.to.clear(); }, "sinks[0].to: a sink of the kind email needs somebody to write to"},
        Case{email,
             [](S& s) {
               s.to = {"a@b", "c@d\r\nRCPT TO:<e@f>"};
             },
             "sinks[0].to = 'c@d??RCPT TO:<e@f>': it must be an address without a name: admin@example.org"}));

TEST(SinkSettingsTest, TwoSinksCannotHaveOneName) {
  EXPECT_THAT(check({sink(log), sink(slack)}), ElementsAre("sinks[1].name = 'ops': there are two sinks of that name"));
}

TEST(SinkSettingsTest, ThereIsABoundToTheirNumber) {
  EXPECT_THAT(check(SinkList(51)), ElementsAre("sinks: there are 51; at most 50 are taken"));
}

TEST(SinkSettingsTest, SecretsMayTravelInTheOpenWithinThisMachine) {
  for (const char* url : {"http://localhost/", "http://127.0.0.1:9093", "http://[::1]:9093/x"}) {
    SinkSettings local = sink(webhook);
    local.url = url;
    local.token_env = "T";
    EXPECT_THAT(check({local}), IsEmpty()) << url;
  }
  for (const char* url : {"http://127.0.0.1.example.org/", "http://localhost.example.org", "http://[::2]/"}) {
    SinkSettings remote = sink(webhook);
    remote.url = url;
    remote.token_env = "T";
    EXPECT_THAT(check({remote}), testing::SizeIs(1)) << url;
  }
}

TEST(SinkSettingsTest, AnAddressThatIsASecretIsWarnedOf) {
  SinkSettings open = sink(slack);
  open.url_file.clear();
  open.url = "https://hooks.slack.com/services/SECRET";
  EXPECT_THAT(check({open}), IsEmpty());
  EXPECT_THAT(
      warnings({open}),
      ElementsAre("sinks[0].url: whoever knows the address of a slack webhook can write there; put it into a file "
                  "that others cannot read, and name that in url_file"));
}

TEST(SinkSettingsTest, AnAddressIsShownWithoutItsSecrets) {
  const std::pair<const char*, const char*> kCases[] = {
      {"https://hooks.slack.com/services/T0/B0/SECRET", "https://hooks.slack.com/…"},
      {"HTTPS://Example.org:8443?key=SECRET", "https://example.org:8443/…"},
      {"https://example.org/", "https://example.org"},
      {"https://[2001:db8::1]:80/a", "https://[2001:db8::1]:80/…"},
      {"https://me:SECRET@example.org/", "…"},
      {"SECRET", "…"},
      {"https://exa mple.org", "…"},
      {"https://example.org:99999", "…"},
      {"https://example.org\\@evil.org", "…"},
      {"https:///path", "…"},
  };
  for (const auto& [url, shown] : kCases) EXPECT_EQ(shown_url(url), shown) << url;
}

}  // namespace
}  // namespace gpukeeper
