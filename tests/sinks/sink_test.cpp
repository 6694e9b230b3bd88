#include "sinks/sink.hpp"

#include <map>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "core/machine_name.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"
#include "sinks/fake_transport.hpp"
#include "sinks/notices.hpp"
#include "sinks/payloads.hpp"
#include "sinks/sink_dispatcher.hpp"
#include "sinks/try_sink.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SinkTest : public testing::Test {
 protected:
  Result<void> send(const SinkSettings& settings, const AlertNotice& notice = hot_gpu()) {
    return make_sink(settings, world_)->send(notice, {});
  }
  std::string error(const SinkSettings& settings, const AlertNotice& notice = hot_gpu()) {
    const auto sent = send(settings, notice);
    return sent ? "no error" : sent.error().message;
  }
  HttpPost post_of(const SinkSettings& settings, const AlertNotice& notice = hot_gpu()) {
    EXPECT_EQ(error(settings, notice), "no error");
    const auto posts = transport_.take_posts();
    EXPECT_EQ(posts.size(), 1u);
    return posts.empty() ? HttpPost{} : posts.front();
  }

  static SinkSettings sink(SinkKind kind, std::string url = "") {
    return {.name = "ops", .kind = kind, .url = std::move(url), .timeout = 3s};
  }

  FakeTransport transport_;
  FakePrograms programs_;
  FakeClock clock_;
  MemoryFiles files_;
  std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  std::map<std::string, std::string, std::less<>> environment_;
  const SinkWorld world_{transport_, programs_, clock_, log_,
                         Secrets(files_, [this](std::string_view name) -> std::optional<std::string> {
                           const auto found = environment_.find(name);
                           return found == environment_.end() ? std::nullopt : std::optional(found->second);
                         })};
};

TEST_F(SinkTest, LogLevelsFollowTheAlert) {
  using enum AlertNotice::Kind;
  for (const auto kind : {fired, repeated, resolved, test}) ASSERT_TRUE(send(sink(SinkKind::log), hot_gpu(kind)));
  AlertNotice warning = hot_gpu();
  warning.alert.level = AlertLevel::warning;
  ASSERT_TRUE(send(sink(SinkKind::log), warning));
  const std::string text = "GPU 0 thermal throttling: 92°C exceeds 80°C threshold (thermal, GPU 0 (GPU-3f2a))";
  EXPECT_THAT(lines_->take(),
              ElementsAre("error: alert fired: [critical] " + text, "error: alert repeated: [still critical] " + text,
                          "info: alert resolved: [resolved] " + text, "info: alert test: [test] " + text,
                          "warning: alert fired: [warning] " + text));
}

TEST_F(SinkTest, CommandIsGivenTheNoticeOnItsInput) {
  SinkSettings settings = sink(SinkKind::command);
  settings.command = {"page", "--to", "ops"};
  ProgramCall seen;
  programs_.answer_with([&](const ProgramCall& call, const std::stop_token&) -> Result<ProgramOutput> {
    seen = call;
    return ProgramOutput{};
  });
  ASSERT_TRUE(send(settings));
  EXPECT_THAT(programs_.take_runs(), ElementsAre("/usr/bin/page --to ops"));
  EXPECT_EQ(seen.input, notice_json(hot_gpu()) + "\n");
  EXPECT_EQ(seen.deadline, 3s);
}

TEST_F(SinkTest, WhatACommandIsGivenIsInNoMessage) {
  SinkSettings settings = sink(SinkKind::command);
  settings.command = {"page", "--key", "KEYSECRET"};
  programs_.fail(Errc::deadline_exceeded, "page --key KEYSECRET did not end within 3 s and was killed");
  EXPECT_EQ(error(settings), "page … … did not end within 3 s and was killed");
  programs_.answer({.exit_status = 1, .err = "wrong key KEYSECRET"});
  EXPECT_EQ(error(settings), "/usr/bin/page ended with status 1: wrong key …");
}

TEST_F(SinkTest, CommandThatFailsIsTriedAgain) {
  SinkSettings settings = sink(SinkKind::command);
  settings.command = {"page"};
  programs_.answer({.exit_status = 3, .err = "no \x1b[31mroute\nmore"});
  const auto sent = send(settings);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::unavailable);
  EXPECT_EQ(sent.error().message, "/usr/bin/page ended with status 3: no ?[31mroute");
  programs_.answer({.exit_status = 1});
  EXPECT_EQ(error(settings), "/usr/bin/page ended with status 1");
  programs_.fail(Errc::deadline_exceeded, "page did not end within 3 s and was killed");
  EXPECT_EQ(error(settings), "page did not end within 3 s and was killed");
  programs_.uninstall();
  EXPECT_EQ(error(settings), "the program page was not found in PATH");
}

TEST_F(SinkTest, WebhookPostsOurJson) {
  SinkSettings settings = sink(SinkKind::webhook, "https://example.org/hook");
  settings.headers = {"X-Team: ml"};
  settings.ca_file = "/etc/ca.pem";
  const HttpPost post = post_of(settings);
  EXPECT_EQ(post.url, "https://example.org/hook");
  EXPECT_EQ(post.body, notice_json(hot_gpu()));
  EXPECT_THAT(post.headers, ElementsAre("Content-Type: application/json", "X-Team: ml"));
  EXPECT_EQ(post.ca_file, "/etc/ca.pem");
  EXPECT_EQ(post.timeout, 3s);
  EXPECT_EQ(post.bearer, "");
}

TEST_F(SinkTest, WebhookPostsItsBody) {
  SinkSettings settings = sink(SinkKind::webhook, "https://example.org/hook");
  settings.body = "{level} on {host}";
  settings.content_type = "text/plain; charset=utf-8";
  const HttpPost post = post_of(settings);
  EXPECT_EQ(post.body, "critical on gpu-box");
  EXPECT_THAT(post.headers, ElementsAre("Content-Type: text/plain; charset=utf-8"));
}

TEST_F(SinkTest, SecretsAreReadAnewForEveryPost) {
  SinkSettings settings = sink(SinkKind::webhook);
  settings.url_file = "/run/hook";
  settings.token_file = "/run/token";
  files_.write("/run/hook", "https://example.org/one\nnot this line\n");
  files_.write("/run/token", "  SECRET1 \n");
  HttpPost post = post_of(settings);
  EXPECT_EQ(post.url, "https://example.org/one");
  EXPECT_EQ(post.bearer, "SECRET1");
  files_.write("/run/token", "SECRET2");
  EXPECT_EQ(post_of(settings).bearer, "SECRET2");
}

TEST_F(SinkTest, SecretsComeFromTheEnvironmentToo) {
  SinkSettings settings = sink(SinkKind::webhook);
  settings.url_env = "HOOK";
  settings.user = "me";
  settings.password_env = "PASSWORD";
  environment_ = {{"HOOK", "https://example.org/two"}, {"PASSWORD", "SECRET"}};
  const HttpPost post = post_of(settings);
  EXPECT_EQ(post.url, "https://example.org/two");
  EXPECT_EQ(post.login.user, "me");
  EXPECT_EQ(post.login.password, "SECRET");
}

TEST_F(SinkTest, ASecretThatCannotBeReadIsSaid) {
  SinkSettings settings = sink(SinkKind::webhook, "https://example.org/hook");
  settings.token_file = "/run/token";
  EXPECT_EQ(error(settings), "the token of the sink ops cannot be read: open /run/token: No such file or directory");
  files_.write("/run/token", " \n");
  EXPECT_EQ(error(settings), "the token of the sink ops: /run/token is empty");
  files_.write("/run/token", "SECRET\r\x01X: y");
  EXPECT_EQ(
      error(settings),
      "the token of the sink ops: /run/token must hold one line of at most 4096 bytes without control characters");
  EXPECT_EQ(send(settings).error().code, Errc::unavailable) << "it can be mended while the notice waits";
  settings.token_file.clear();
  settings.token_env = "TOKEN";
  EXPECT_EQ(error(settings), "the token of the sink ops: the environment variable TOKEN is not set");
  settings = sink(SinkKind::slack);
  settings.url_env = "HOOK";
  EXPECT_EQ(error(settings), "the address of the sink ops: the environment variable HOOK is not set");
  environment_["HOOK"] = "gopher://SECRET";
  EXPECT_EQ(
      error(settings),
      "the address of the sink ops will not do: it must be https://HOST/… or http://HOST/…, without a user: that is "
      "for the key user");
  settings = sink(SinkKind::email, "smtp://localhost");
  settings.user = "me";
  settings.password_env = "PASSWORD";
  EXPECT_EQ(error(settings), "the password of the sink ops: the environment variable PASSWORD is not set");
  EXPECT_THAT(transport_.take_posts(), IsEmpty());
  EXPECT_THAT(transport_.take_mails(), IsEmpty());
}

TEST_F(SinkTest, AnAddressOfAFileIsCheckedBeforeAPasswordGoesThere) {
  SinkSettings settings = sink(SinkKind::webhook);
  settings.url_env = "HOOK";
  settings.token_env = "TOKEN";
  environment_ = {{"HOOK", "http://example.org"}, {"TOKEN", "SECRET"}};
  EXPECT_EQ(error(settings),
            "the address of the sink ops will not do: a token or a password must not travel in the open to another "
            "machine: use https://");
}

TEST_F(SinkTest, AnAnswerThatIsNoSuccessIsSaidWithoutSecrets) {
  SinkSettings settings = sink(SinkKind::webhook, "https://example.org:8443/hook/PATHSECRET");
  settings.token_env = "TOKEN";
  settings.headers = {"X-Key: HEADERSECRET"};
  environment_["TOKEN"] = "TOKENSECRET";
  transport_.answer(503, "no TOKENSECRET nor HEADERSECRET for hook/PATHSECRET today\n\x1b[2J");
  const auto sent = send(settings);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::unavailable);
  EXPECT_EQ(sent.error().message,
            "POST https://example.org:8443/… was answered with status 503: no … nor … for … today??[2J");
  transport_.answer(302);
  EXPECT_EQ(error(settings), "POST https://example.org:8443/… was answered with status 302");
  transport_.fail(Errc::unavailable, "POST https://example.org:8443/…: Could not connect");
  EXPECT_EQ(error(settings), "POST https://example.org:8443/…: Could not connect");
}

TEST_F(SinkTest, WhatAReceiverRefusesForWhatItIsIsNotTriedAgain) {
  for (const int status : {400, 413, 422}) {
    transport_.answer(status);
    EXPECT_EQ(send(sink(SinkKind::webhook, "https://example.org")).error().code, Errc::invalid_argument) << status;
  }
  for (const int status : {301, 401, 403, 404, 408, 429, 500, 502, 503}) {
    transport_.answer(status);
    EXPECT_EQ(send(sink(SinkKind::webhook, "https://example.org")).error().code, Errc::unavailable) << status;
  }
}

TEST_F(SinkTest, ASinkIsTriedWithATest) {
  const SinkSettings settings = sink(SinkKind::webhook, "https://example.org/hook");
  EXPECT_EQ(try_sink(settings, world_), "https://example.org/… answered with status 200");
  const auto posts = transport_.take_posts();
  ASSERT_EQ(posts.size(), 1u);
  const auto notice = parse_notice(posts[0].body);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->kind, AlertNotice::Kind::test);
  EXPECT_EQ(notice->host, machine_name());
  transport_.answer(404, "nobody is here");
  EXPECT_EQ(try_sink(settings, world_).error().message,
            "POST https://example.org/… was answered with status 404: nobody is here");
}

TEST_F(SinkTest, SlackAndDiscordPostTheirPayloads) {
  EXPECT_EQ(post_of(sink(SinkKind::slack, "https://hooks.slack.com/x")).body, slack_payload(hot_gpu()));
  EXPECT_EQ(post_of(sink(SinkKind::discord, "https://discord.com/api/webhooks/x")).body, discord_payload(hot_gpu()));
}

TEST_F(SinkTest, PagerDutyHasAUsualAddressAndItsKeyInTheBodyAlone) {
  SinkSettings settings = sink(SinkKind::pagerduty);
  settings.token_env = "KEY";
  environment_["KEY"] = "ROUTINGKEY";
  transport_.answer(202);
  const HttpPost post = post_of(settings);
  EXPECT_EQ(post.url, "https://events.pagerduty.com/v2/enqueue");
  EXPECT_EQ(post.body, pagerduty_payload(hot_gpu(), "ROUTINGKEY"));
  EXPECT_EQ(post.bearer, "");
  transport_.answer(400, R"({"errors":["ROUTINGKEY is not valid"]})");
  EXPECT_EQ(error(settings),
            R"(POST https://events.pagerduty.com/… was answered with status 400: {"errors":["… is not valid"]})");
}

TEST_F(SinkTest, ATestOfPagerDutyIsOverAtOnce) {
  SinkSettings settings = sink(SinkKind::pagerduty);
  settings.token_env = "KEY";
  environment_["KEY"] = "ROUTINGKEY";
  ASSERT_TRUE(send(settings, hot_gpu(AlertNotice::Kind::test)));
  const auto posts = transport_.take_posts();
  ASSERT_EQ(posts.size(), 2u);
  EXPECT_THAT(posts[0].body, HasSubstr(R"("event_action":"trigger")"));
  EXPECT_THAT(posts[1].body, HasSubstr(R"("event_action":"resolve")"));
}

TEST_F(SinkTest, AlertmanagerIsPostedToItsApi) {
  for (const char* url : {"http://127.0.0.1:9093", "http://127.0.0.1:9093/"}) {
    EXPECT_EQ(post_of(sink(SinkKind::alertmanager, url)).url, "http://127.0.0.1:9093/api/v2/alerts");
  }
  EXPECT_EQ(post_of(sink(SinkKind::alertmanager, "https://am.example.org/prefix")).url,
            "https://am.example.org/prefix/api/v2/alerts");
}

TEST_F(SinkTest, AlertmanagerIsRemindedInPostsOfABoundedSize) {
  const auto sink_to_remind = make_sink(sink(SinkKind::alertmanager, "http://localhost:9093"), world_);
  EXPECT_EQ(sink_to_remind->reminder_pause(), 60s);
  const std::vector<AlertNotice> firing(450, hot_gpu(AlertNotice::Kind::repeated));
  ASSERT_TRUE(sink_to_remind->remind(firing, {}));
  std::vector<std::size_t> sizes;
  for (const HttpPost& post : transport_.take_posts()) sizes.push_back(nlohmann::json::parse(post.body).size());
  EXPECT_THAT(sizes, ElementsAre(200, 200, 50));
}

TEST_F(SinkTest, EmailAsksForTlsButWithinThisMachine) {
  SinkSettings settings = sink(SinkKind::email, "smtp://mail.example.org:587");
  settings.from = "a@b";
  settings.to = {"c@d"};
  settings.user = "me";
  settings.password_env = "PASSWORD";
  environment_["PASSWORD"] = "SECRET";
  ASSERT_TRUE(send(settings));
  settings.url = "smtp://localhost:25";
  ASSERT_TRUE(send(settings));
  settings.starttls = true;
  ASSERT_TRUE(send(settings));
  const auto mails = transport_.take_mails();
  ASSERT_EQ(mails.size(), 3u);
  EXPECT_EQ(mails[0].tls, MailPost::Tls::required);
  EXPECT_EQ(mails[1].tls, MailPost::Tls::none);
  EXPECT_EQ(mails[2].tls, MailPost::Tls::required);
  EXPECT_EQ(mails[0].from, "a@b");
  EXPECT_THAT(mails[0].to, ElementsAre("c@d"));
  EXPECT_EQ(mails[0].login.password, "SECRET");
  EXPECT_THAT(mails[0].message, Not(HasSubstr("SECRET")));
}

}  // namespace
}  // namespace gpukeeper
