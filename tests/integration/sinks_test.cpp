#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>

#include "core/text.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"
#include "integration/receivers.hpp"
#include "sinks/curl_transport.hpp"
#include "sinks/notices.hpp"
#include "sinks/payloads.hpp"
#include "sinks/sink_dispatcher.hpp"

// What leaves this machine, received: by an HTTP and an SMTP server, and by Alertmanager where it is installed.

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class DeliveryTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto version = transport_.version();
    ASSERT_TRUE(version) << version.error().message;
    ASSERT_TRUE(receivers_.ready()) << "python3 tests/integration/receivers.py did not start";
  }

  SinkSettings sink(SinkKind kind, const std::string& path = "/ok") {
    SinkSettings settings{.name = "ops", .kind = kind, .timeout = 5s};
    settings.url = receivers_.url(kind == SinkKind::email ? "smtp" : "http", kind == SinkKind::email ? "" : path);
    if (kind == SinkKind::email) {
      settings.from = "keeper@example.org";
      settings.to = {"a@example.org", "b@example.org"};
    }
    return settings;
  }
  std::string send(const SinkSettings& settings, const AlertNotice& notice = hot_gpu()) {
    EXPECT_THAT(check({settings}), testing::IsEmpty());
    const auto sent = make_sink(settings, world_)->send(notice, stop_.get_token());
    return sent ? "sent" : sent.error().message;
  }
  std::string password_file(const std::string& password) {
    const std::string path = folder_.path() / "password";
    std::ofstream(path) << password << "\n";
    return path;
  }

  const TemporaryFolder folder_;
  Receivers receivers_;
  SystemClock clock_;
  std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  CurlTransport transport_;
  RealPrograms programs_;
  RealFiles files_;
  std::stop_source stop_;
  const SinkWorld world_{transport_, programs_, clock_, log_,
                         Secrets(files_, [](std::string_view) { return std::nullopt; })};
};

TEST_F(DeliveryTest, AWebhookIsReceived) {
  SinkSettings settings = sink(SinkKind::webhook, "/hook?key=1");
  settings.headers = {"X-Team: ml"};
  settings.token_file = password_file("SECRET");
  ASSERT_EQ(send(settings), "sent");
  const auto got = receivers_.next();
  EXPECT_EQ(got["http"], "POST");
  EXPECT_EQ(got["path"], "/hook?key=1");
  EXPECT_EQ(got["body"], notice_json(hot_gpu()));
  EXPECT_EQ(got["headers"]["content-type"], "application/json");
  EXPECT_EQ(got["headers"]["authorization"], "Bearer SECRET");
  EXPECT_EQ(got["headers"]["x-team"], "ml");
  EXPECT_EQ(got["headers"]["user-agent"], "gpukeeper");
  EXPECT_FALSE(got["headers"].contains("expect"));
}

TEST_F(DeliveryTest, ALargeBodyArrivesWhole) {
  AlertNotice huge = hot_gpu();
  huge.alert.message = std::string(50'000, 'x');  // the receiver's pipe to us holds 64 KiB
  ASSERT_EQ(send(sink(SinkKind::webhook), huge), "sent");
  EXPECT_EQ(receivers_.next()["body"], notice_json(huge));
}

TEST_F(DeliveryTest, UserAndPasswordIntroduceUs) {
  SinkSettings settings = sink(SinkKind::webhook);
  settings.user = "me";
  settings.password_file = password_file("right");
  ASSERT_EQ(send(settings), "sent");
  EXPECT_EQ(receivers_.next()["headers"]["authorization"], "Basic bWU6cmlnaHQ=");
}

TEST_F(DeliveryTest, ChatsAndPagersAreReceived) {
  ASSERT_EQ(send(sink(SinkKind::slack, "/services/T0/B0/x")), "sent");
  EXPECT_EQ(receivers_.next()["body"], slack_payload(hot_gpu()));
  ASSERT_EQ(send(sink(SinkKind::discord, "/api/webhooks/1/x")), "sent");
  EXPECT_EQ(receivers_.next()["body"], discord_payload(hot_gpu()));
  SinkSettings pager = sink(SinkKind::pagerduty, "/v2/enqueue");
  pager.token_file = password_file("KEY");
  ASSERT_EQ(send(pager), "sent");
  EXPECT_EQ(receivers_.next()["body"], pagerduty_payload(hot_gpu(), "KEY"));
}

TEST_F(DeliveryTest, RedirectionsAreNotFollowed) {
  const SinkSettings settings = sink(SinkKind::webhook, "/redirect");
  EXPECT_EQ(send(settings), "POST " + shown_url(settings.url) + " was answered with status 302: ok");
  EXPECT_EQ(receivers_.next()["path"], "/redirect");
  EXPECT_TRUE(receivers_.next(200ms).is_discarded()) << "nobody was asked at the other place";
}

TEST_F(DeliveryTest, WhatFailsIsSaid) {
  SinkSettings settings = sink(SinkKind::webhook, "/status/503");
  EXPECT_EQ(send(settings), "POST " + shown_url(settings.url) + " was answered with status 503: as you asked");
  settings = sink(SinkKind::webhook, "/endless");
  EXPECT_EQ(send(settings), "POST " + shown_url(settings.url) + ": the server answers with more than 1048576 bytes");
  settings = sink(SinkKind::webhook, "/slow");
  settings.timeout = 300ms;
  EXPECT_THAT(send(settings), StartsWith("POST " + shown_url(settings.url) + ": Operation timed out after 3"));
  settings.url = "http://127.0.0.1:1/SECRET";
  EXPECT_THAT(send(settings), StartsWith("POST http://127.0.0.1:1/…: Failed to connect to 127.0.0.1 port 1"));
  settings.url = "http://no-such-host.invalid/SECRET";
  EXPECT_EQ(send(settings), "POST http://no-such-host.invalid/…: Could not resolve host: no-such-host.invalid");
}

TEST_F(DeliveryTest, AStopEndsWhatIsUnderWay) {
  SinkSettings settings = sink(SinkKind::webhook, "/slow");
  settings.timeout = 60s;
  std::jthread stopper([&] {
    receivers_.next();  // it has been asked
    stop_.request_stop();
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(send(settings), "POST " + shown_url(settings.url) + ": was stopped");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
}

TEST_F(DeliveryTest, AMailIsReceived) {
  AlertNotice notice = hot_gpu();
  notice.alert.message = "GPU 0 says ☃ and\r\n.\r\nRCPT TO:<evil@example.org>";
  ASSERT_EQ(send(sink(SinkKind::email), notice), "sent");
  const auto got = receivers_.next();
  EXPECT_EQ(got["from"], "<keeper@example.org>");
  EXPECT_THAT(got["to"], ElementsAre("<a@example.org>", "<b@example.org>"));
  EXPECT_THAT(got["message"].get<std::string>(), HasSubstr("Subject: =?UTF-8?B?"));
  EXPECT_EQ(got["tls"], false);
}

TEST_F(DeliveryTest, AMailServerIsToldWhoWeAre) {
  SinkSettings settings = sink(SinkKind::email);
  settings.user = "me";
  settings.password_file = password_file("right");
  ASSERT_EQ(send(settings), "sent");
  EXPECT_THAT(receivers_.next()["login"], ElementsAre("me", "right"));
  settings.password_file = password_file("WRONGSECRET");
  EXPECT_EQ(send(settings), "mail through " + shown_url(settings.url) + ": Login denied");
  settings = sink(SinkKind::email);
  settings.to = {"nobody@example.org"};
  EXPECT_EQ(send(settings), "mail through " + shown_url(settings.url) + ": RCPT failed: 550");
}

TEST_F(DeliveryTest, AMailServerThatCannotDoTlsGetsNothingWhereItMust) {
  SinkSettings settings = sink(SinkKind::email);
  settings.starttls = true;
  EXPECT_THAT(send(settings), StartsWith("mail through " + shown_url(settings.url) + ": STARTTLS not supported"));
  EXPECT_TRUE(receivers_.next(200ms).is_discarded());
}

TEST_F(DeliveryTest, CertificatesAreChecked) {
  const std::string key = folder_.path() / "key.pem";
  const std::string certificate = folder_.path() / "cert.pem";
  const auto openssl = programs_.find("openssl", {});
  if (!openssl) GTEST_SKIP() << openssl.error().message;
  const auto made =
      programs_.run({*openssl,
                     {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days",
                      "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"}},
                    {});
  ASSERT_TRUE(made && made->exit_status == 0);
  Receivers secure({certificate, key});
  ASSERT_TRUE(secure.ready());

  SinkSettings settings = sink(SinkKind::webhook);
  settings.url = secure.url("https", "/ok", "localhost");
  EXPECT_THAT(send(settings), HasSubstr("certificate"));
  settings.ca_file = certificate;
  EXPECT_EQ(send(settings), "sent");
  EXPECT_EQ(secure.next()["path"], "/ok") << "the first that was received";
  settings.url = secure.url("https", "/ok");  // 127.0.0.1, which is not in the certificate
  EXPECT_THAT(send(settings), HasSubstr("127.0.0.1"));

  SinkSettings mail = sink(SinkKind::email);
  mail.url = secure.url("smtp", "", "localhost");
  mail.starttls = true;
  EXPECT_THAT(send(mail), HasSubstr("certificate"));
  mail.ca_file = certificate;
  EXPECT_EQ(send(mail), "sent");
  EXPECT_EQ(secure.next()["tls"], true);
}

TEST_F(DeliveryTest, TheDispatcherBringsAlertsToTheReceiverInOrder) {
  SinkSettings settings = sink(SinkKind::webhook);
  settings.body = "{event} {id}";
  settings.content_type = "text/plain";
  SinkDispatcher dispatcher({settings}, world_, {.folder = folder_.path().string(), .host = "gpu-box"});
  dispatcher.start();
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    Alert alert = hot_gpu().alert;
    alert.id = "a" + std::to_string(i);
    dispatcher.alerts_changed({{AlertChange::Kind::fired, alert}, {AlertChange::Kind::resolved, alert}});
    expected.push_back("fired " + alert.id);
    expected.push_back("resolved " + alert.id);
  }
  for (const std::string& each : expected) EXPECT_EQ(receivers_.next()["body"], each);
}

TEST_F(DeliveryTest, ACommandReadsTheNotice) {
  const std::string out = folder_.path() / "out";
  SinkSettings settings{.name = "ops", .kind = SinkKind::command, .command = {"sh", "-c", "cat > \"$0\"", out}};
  ASSERT_EQ(send(settings), "sent");
  EXPECT_EQ(*read_file(out, 1 << 20), notice_json(hot_gpu()) + "\n");
  settings.command = {"sh", "-c", "sleep 60 & sleep 60"};
  settings.timeout = 300ms;
  EXPECT_THAT(send(settings), EndsWith("did not end within 300 ms and was killed"));
}

// Alertmanager on ports of the kernel's choice cannot say which they are, so free ones are looked for.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

class AlertmanagerTest : public DeliveryTest {
 protected:
  void SetUp() override {
    DeliveryTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto path = programs_.find("prometheus-alertmanager", {});
    if (!path) GTEST_SKIP() << path.error().message << "; the package prometheus-alertmanager has it";
    const auto curl = programs_.find("curl", {});
    if (!curl) GTEST_SKIP() << curl.error().message;
    curl_ = *curl;
    const std::string config = folder_.path() / "am.yml";
    // What it gives on is received by our own webhook server: the way is tested to its end.
    std::ofstream(config) << "route:\n  receiver: all\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1h\n"
                          << "receivers:\n- name: all\n  webhook_configs:\n  - url: "
                          << receivers_.url("http", "/from-am") << "\n    send_resolved: true\n";
    url_ = "http://127.0.0.1:" + std::to_string(free_port());
    manager_ = std::make_unique<RunningProgram>(std::vector<std::string>{
        *path, "--config.file=" + config, "--storage.path=" + (folder_.path() / "am").string(),
        "--web.listen-address=" + url_.substr(7), "--cluster.listen-address=", "--log.level=error"});
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (get("/-/ready").find("OK") == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "prometheus-alertmanager did not start";
      std::this_thread::sleep_for(50ms);
    }
  }
  std::string get(const std::string& path) {
    const auto output = programs_.run({curl_, {"-s", "--noproxy", "*", url_ + path}}, {});
    return output ? output->out : "";
  }
  nlohmann::json next_from_manager() {
    for (;;) {
      auto got = receivers_.next();
      if (got.is_discarded()) return got;
      if (got["path"] == "/from-am") return nlohmann::json::parse(got["body"].get<std::string>());
    }
  }

  std::string curl_;
  std::string url_;
  std::unique_ptr<RunningProgram> manager_;
};

TEST_F(AlertmanagerTest, TakesAnAlertGivesItOnAndHearsOfItsEnd) {
  SinkSettings settings{.name = "am", .kind = SinkKind::alertmanager, .url = url_};
  AlertNotice notice = hot_gpu();
  notice.alert.since = clock_.wall() - 20s;
  notice.alert.fired_at = notice.at = clock_.wall();
  notice.labels = {{"team", "ml"}};
  ASSERT_EQ(send(settings, notice), "sent");

  const auto active = nlohmann::json::parse(get("/api/v2/alerts"));
  ASSERT_EQ(active.size(), 1u);
  EXPECT_EQ(active[0]["labels"]["alertname"], "thermal");
  EXPECT_EQ(active[0]["labels"]["severity"], "critical");
  EXPECT_EQ(active[0]["labels"]["device"], "GPU-3f2a");
  EXPECT_EQ(active[0]["labels"]["team"], "ml");
  EXPECT_EQ(active[0]["status"]["state"], "active");
  auto given_on = next_from_manager();
  EXPECT_EQ(given_on["status"], "firing");
  EXPECT_EQ(given_on["alerts"][0]["annotations"]["summary"], notice.alert.message);

  // What is said again is still one alert, which ends later.
  notice.kind = AlertNotice::Kind::repeated;
  std::this_thread::sleep_for(50ms);
  ASSERT_TRUE(make_sink(settings, world_)->remind({&notice, 1}, {}));
  const auto kept = nlohmann::json::parse(get("/api/v2/alerts"));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_GT(kept[0]["endsAt"].get<std::string>(), active[0]["endsAt"].get<std::string>());

  notice.kind = AlertNotice::Kind::resolved;
  notice.alert.phase = AlertPhase::resolved;
  notice.alert.resolved_at = clock_.wall();
  ASSERT_EQ(send(settings, notice), "sent");
  given_on = next_from_manager();
  EXPECT_EQ(given_on["status"], "resolved");
  EXPECT_EQ(nlohmann::json::parse(get("/api/v2/alerts")).size(), 0u);
}

TEST_F(AlertmanagerTest, TakesHostileTextsAndAlertsOfTheMachine) {
  const SinkSettings settings{.name = "am", .kind = SinkKind::alertmanager, .url = url_};
  EXPECT_EQ(send(settings, hostile_notice()), "sent");
  EXPECT_EQ(send(settings, bare_notice()), "sent");
}

}  // namespace
}  // namespace gpukeeper
