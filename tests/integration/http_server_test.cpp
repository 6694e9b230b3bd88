// The server over real sockets, with clients that behave well and badly. It listens on a unix socket and on TCP; a test
// that does not say otherwise uses the unix socket.
#include "service/http_server.hpp"

#include <cerrno>
#include <fstream>
#include <future>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booking/pidfd_watch.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"
#include "integration/http_client.hpp"
#include "service/alerts_answer.hpp"
#include "service/connection_end.hpp"
#include "service/later.hpp"
#include "service/peer_process.hpp"
#include "service/takeover.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kLarge = "/large";

std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

// Says what the test has it say; on the server's thread but for the first two.
class Talk final : public Takeover {
 public:
  explicit Talk(Request request) : request_(std::move(request)) {}

  void say(std::string text) {
    std::scoped_lock lock(mutex_);
    texts_.push_back(std::make_shared<const std::string>(std::move(text)));
  }
  bool is_over() const { return over_; }

  const Request& request() const override { return request_; }
  bool is_web_socket() const override { return false; }
  void begin(std::function<void()> wake) override { wake_ = std::move(wake); }
  void wake() const {
    if (wake_) wake_();
  }
  Said next() override {
    std::scoped_lock lock(mutex_);
    if (!texts_.empty()) {
      auto text = texts_.front();
      texts_.erase(texts_.begin());
      return {.text = text};
    }
    if (farewell_) return {.text = std::make_shared<const std::string>("bye: " + farewell_->reason), .end = true};
    return {};
  }
  std::shared_ptr<const std::string> heartbeat() override { return std::make_shared<const std::string>("."); }
  void stop(Farewell why) override {
    farewell_ = std::move(why);
    wake();
  }
  void ended() override {
    wake_ = nullptr;
    over_ = true;
  }

 private:
  const Request request_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const std::string>> texts_;  // guarded by mutex_
  std::function<void()> wake_;
  std::optional<Farewell> farewell_;
  std::atomic<bool> over_ = false;
};

// The next connection, of a socket that does not block.
int accept_one(int listening) {
  for (;; std::this_thread::yield()) {
    const int socket = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0 || errno != EAGAIN) return socket;
  }
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options_.idle = 20s;
    options_.sweep = 10ms;
  }
  ~HttpServerTest() override { stop(); }

  void start() {
    server_ = std::make_unique<HttpServer>([this](Request request) { return answer(std::move(request)); }, clock_, log_,
                                           options_);
    server_->add(open(unix_));
    auto tcp = open({.path = {}, .host = "127.0.0.1", .port = 0});
    tcp_ = tcp.address();
    server_->add(std::move(tcp));
    thread_ = std::jthread([this] { server_->run(); });
  }
  void stop() {
    if (!server_) return;
    server_->stop();
    if (thread_.joinable()) thread_.join();
  }

  static Listener open(const ListenAddress& address) {
    auto listener = Listener::open(address);
    if (!listener) throw std::runtime_error(listener.error().message);
    return std::move(*listener);
  }

  Response answer(Request request) {
    if (request.path == "/later") {
      Response response;
      response.later = std::make_shared<Later>();
      asked_.push(response.later);
      return response;
    }
    if (request.path == "/wait") {  // for long, if need be
      Response response;
      response.later = std::make_shared<Later>("nothing came", 20s);
      asked_.push(response.later);
      ends_.push(request.peer->end);
      return response;
    }
    if (request.path == "/ack") {
      request.parameters["id"] = "1";
      return acknowledge(request, {.post = [this](std::function<void(Engine&)> command) {
                           commands_.push(std::move(command));
                           return true;
                         }});
    }
    if (request.path == "/listen") {
      Response response;
      response.content_type = "text/event-stream";
      const auto talk = std::make_shared<Talk>(std::move(request));
      response.takeover = talk;
      talks_.push(talk);
      return response;
    }
    if (request.path == "/throw") throw std::runtime_error("broken");
    if (request.path == kLarge) {
      Response response = json_answer(200, "");
      response.body = large_;
      return response;
    }
    const auto& who = request.peer->credentials;
    return json_answer(200, request.path + " " + request.body + " " +
                                (who ? "pid " + std::to_string(who->pid) : "from " + request.peer->address));
  }

  void tell(const std::shared_ptr<Talk>& talk, std::string text) {
    talk->say(std::move(text));
    server_->ping([talk] { talk->wake(); });
  }
  static bool until_over(const std::shared_ptr<Talk>& talk) {
    for (const auto end = std::chrono::steady_clock::now() + 20s; !talk->is_over(); std::this_thread::yield()) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }

  // Of those that came, in order.
  template <class T>
  struct Waiting {
    void push(T one) {
      std::scoped_lock lock(mutex);
      all.push_back(std::move(one));
    }
    T take() {
      for (;; std::this_thread::yield()) {
        std::scoped_lock lock(mutex);
        if (all.empty()) continue;
        auto first = all.front();
        all.erase(all.begin());
        return first;
      }
    }
    std::mutex mutex;
    std::vector<T> all;
  };
  Waiting<std::shared_ptr<Later>> asked_;
  Waiting<std::shared_ptr<ConnectionEnd>> ends_;
  Waiting<std::shared_ptr<Talk>> talks_;
  Waiting<std::function<void(Engine&)>> commands_;  // for an engine that comes to none of them
  const TemporaryFolder folder_;
  const ListenAddress unix_{.path = (folder_.path() / "s.sock").string(), .host = {}};
  ListenAddress tcp_;
  HttpServerOptions options_;
  const std::shared_ptr<const std::string> large_ = std::make_shared<const std::string>(32U << 20, 'x');
  SystemClock clock_;
  const std::shared_ptr<FakeLogTarget> target_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, target_};
  std::unique_ptr<HttpServer> server_;
  std::jthread thread_;
};

TEST_F(HttpServerTest, AConnectionStaysForRequestAfterRequest) {
  start();
  for (const ListenAddress& address : {unix_, tcp_}) {
    HttpClient client(address);
    for (const std::string path : {"/a", "/b", "/c"}) {
      ASSERT_TRUE(client.send(get(path)));
      const auto answer = client.receive();
      EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 OK\r\nDate: "), HasSubstr("\r\nConnection: keep-alive\r\n")));
      EXPECT_THAT(body_of(answer), StartsWith(path + " "));
    }
  }
}

TEST_F(HttpServerTest, WhoAsksIsKnown) {
  start();
  HttpClient local(unix_);
  local.send(get("/"));
  EXPECT_EQ(body_of(local.receive()), "/  pid " + std::to_string(::getpid()));
  HttpClient remote(tcp_);
  remote.send(get("/"));
  EXPECT_EQ(body_of(remote.receive()), "/  from 127.0.0.1");
}

TEST_F(HttpServerTest, RequestsMayFollowEachOtherWithoutWaiting) {
  start();
  std::string all;
  for (int i = 0; i < 1000; ++i) all += get("/" + std::to_string(i));
  HttpClient client(tcp_);
  std::jthread sender([&] { client.send(all); });
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(body_of(client.receive()), StartsWith("/" + std::to_string(i) + " "));
  }
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  start();
  HttpClient client(unix_);
  client.send("HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n" + get("/next"));
  EXPECT_THAT(client.receive(false), HasSubstr("Content-Length: 33554432\r\n"));
  EXPECT_THAT(body_of(client.receive()), StartsWith("/next"));
}

TEST_F(HttpServerTest, AClientThatSaysCloseOrSpeaks10IsLeftAfterTheAnswer) {
  start();
  for (const std::string& request : {get("/", "Connection: close\r\n"), std::string("GET / HTTP/1.0\r\n\r\n")}) {
    HttpClient client(unix_);
    client.send(request);
    EXPECT_THAT(client.receive_all(), HasSubstr("Connection: close\r\n"));
  }
}

TEST_F(HttpServerTest, AClientThatHasSaidAllIsStillAnswered) {
  start();
  for (const ListenAddress& address : {unix_, tcp_}) {
    HttpClient client(address);
    client.send(get("/half"));
    client.end_sending();
    EXPECT_THAT(body_of(client.receive_all()), StartsWith("/half"));
  }
}

TEST_F(HttpServerTest, AClientThatAsksForLeaveToSendIsGivenIt) {
  start();
  HttpClient client(unix_);
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_THAT(body_of(client.receive()), StartsWith("/p body "));
}

TEST_F(HttpServerTest, ARequestThatDripsInIsGivenUp) {
  options_.request = 200ms;
  start();
  for (const std::string beginning :
       {"G", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\na"}) {
    HttpClient client(tcp_);
    std::jthread dripping([&](std::stop_token stop) {
      bool going = client.send(beginning);
      while (going && !stop.stop_requested()) {
        std::this_thread::sleep_for(20ms);
        going = client.send("a");
      }
    });
    const auto answer = client.receive_all();
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 408 Request Timeout\r\n"), HasSubstr("did not come within 0.2 s")))
        << beginning;
  }
}

TEST_F(HttpServerTest, AnIdleConnectionEndsWithoutAWord) {
  options_.idle = 50ms;
  start();
  HttpClient client(unix_);
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpServerTest, AClientThatDoesNotReadIsCutOffAndDelaysNobody) {
  options_.answer = 200ms;
  options_.slowest = 1U << 30;
  start();
  HttpClient deaf(tcp_);
  deaf.send(get(kLarge));
  HttpClient other(tcp_);
  other.send(get("/other"));
  EXPECT_THAT(body_of(other.receive()), StartsWith("/other"));
  std::this_thread::sleep_for(500ms);
  EXPECT_LT(deaf.receive_all().size(), large_->size());
}

TEST_F(HttpServerTest, ASlowReaderThatReadsIsServed) {
  start();
  HttpClient client(unix_);
  client.send(get(kLarge));
  EXPECT_EQ(body_of(client.receive()).size(), large_->size());
}

TEST_F(HttpServerTest, WhoSendsTooMuchIsToldSoAndLeft) {
  start();
  for (const ListenAddress& address : {unix_, tcp_}) {
    HttpClient head(address);
    std::jthread sending([&] { head.send("GET / HTTP/1.1\r\nX: " + std::string(500'000, 'a') + "\r\n\r\n"); });
    EXPECT_THAT(head.receive_all(), StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));

    HttpClient body(address);
    std::jthread sending_too(
        [&] { body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n" + std::string(500'000, 'a')); });
    EXPECT_THAT(body.receive_all(), StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
  }
}

TEST_F(HttpServerTest, NoiseIsRefusedAndHurtsNobody) {
  start();
  unsigned seed = 1;
  for (int i = 0; i < 200; ++i) {
    std::string noise = i % 2 == 0 ? "GET / HTTP/1.1\r\n" : "";
    for (int j = 0; j < 200; ++j) noise += static_cast<char>((seed = seed * 1103515245 + 12345) >> 16);
    HttpClient client(unix_);
    client.send(noise);
    client.end_sending();
    const auto answer = client.receive_all();
    EXPECT_THAT(answer, testing::AnyOf("", testing::ContainsRegex("^HTTP/1.1 (400|431|505) "))) << noise;
  }
  HttpClient client(unix_);
  client.send(get("/well"));
  EXPECT_THAT(body_of(client.receive()), StartsWith("/well"));
}

TEST_F(HttpServerTest, AHandlerThatThrowsIsAnsweredAndLogged) {
  start();
  HttpClient client(unix_);
  client.send(get("/throw"));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(target_->take(), Contains("error: GET /throw: broken"));
  client.send(get("/next"));
  EXPECT_THAT(body_of(client.receive()), StartsWith("/next"));
}

TEST_F(HttpServerTest, TwoHundredClientsAtOnce) {
  start();
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 200; ++t) {
      threads.emplace_back([&, t] {
        HttpClient client(t % 2 == 0 ? unix_ : tcp_);
        for (int i = 0; i < 20; ++i) {
          const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
          if (client.send(get(path)) && body_of(client.receive()).starts_with(path + " ")) ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, 4000);
}

TEST_F(HttpServerTest, BeyondTheLimitAClientIsSentAwayAndTheOtherListenerIsNotAffected) {
  options_.connections = 2;
  start();
  HttpClient first(tcp_);
  first.send(get("/1"));
  first.receive();
  HttpClient second(tcp_);
  second.send(get("/2"));
  second.receive();
  {
    HttpClient third(tcp_);
    EXPECT_THAT(third.receive_all(),
                AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"), HasSubstr("Retry-After: 1\r\n"),
                      HasSubstr("2 connections are open, and no more are taken")));
  }
  HttpClient local(unix_);
  local.send(get("/local"));
  EXPECT_THAT(body_of(local.receive()), StartsWith("/local"));
}

TEST_F(HttpServerTest, NoPeerKeepsAllOthersOut) {
  options_.per_peer = 2;
  start();
  HttpClient first(unix_);
  HttpClient second(unix_);
  for (HttpClient* client : {&first, &second}) {
    client->send(get("/1"));
    client->receive();
  }
  {
    HttpClient third(unix_);
    EXPECT_THAT(third.receive_all(), AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"),
                                           HasSubstr("2 connections of user " + std::to_string(::getuid()) +
                                                     " are open, and no more are taken: try again in a second")));
  }
  HttpClient other(tcp_);  // another door
  other.send(get("/other"));
  EXPECT_THAT(body_of(other.receive()), StartsWith("/other"));
}

TEST_F(HttpServerTest, WhoIsNotWelcomeIsToldSoAndShutOut) {
  options_.welcome = [](const Peer& peer) { return peer.over_unix_socket(); };
  start();
  {
    HttpClient stranger(tcp_);
    EXPECT_THAT(stranger.receive_all(), AllOf(StartsWith("HTTP/1.1 403 Forbidden\r\n"), HasSubstr("http.allow")));
  }
  HttpClient local(unix_);
  local.send(get("/local"));
  EXPECT_THAT(body_of(local.receive()), StartsWith("/local"));
}

TEST_F(HttpServerTest, PagesOfASiteThatMayReadAreToldSo) {
  options_.may_read = [](std::string_view origin) { return origin == "https://ours.example"; };
  start();
  HttpClient client(unix_);
  client.send(get("/a", "Origin: https://ours.example\r\n"));
  EXPECT_THAT(client.receive(), AllOf(HasSubstr("Access-Control-Allow-Origin: https://ours.example\r\n"),
                                      HasSubstr("Vary: Origin\r\n"), Not(HasSubstr("Allow-Credentials"))));
  client.send(get("/a", "Origin: https://evil.example\r\n"));
  EXPECT_THAT(client.receive(), Not(HasSubstr("Access-Control")));
  client.send(get("/later", "Origin: https://ours.example\r\n"));
  asked_.take()->give(json_answer(200, "it"));
  EXPECT_THAT(client.receive(), HasSubstr("Access-Control-Allow-Origin: https://ours.example\r\n"));
}

TEST_F(HttpServerTest, AtTheStopQuietConnectionsEndAndTheSocketIsGone) {
  start();
  HttpClient idle(unix_);
  idle.send(get("/"));
  idle.receive();
  const auto begin = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_FALSE(HttpClient(unix_).connected());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(HttpServerTest, AtTheStopAClientThatHoldsOnIsCutOffInTheEnd) {
  options_.drain = 300ms;
  start();
  HttpClient deaf(tcp_);
  deaf.send(get(kLarge));
  HttpClient half(unix_);
  half.send("GET / HT");
  std::this_thread::sleep_for(50ms);
  const auto begin = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
}

TEST_F(HttpServerTest, AStopUnderLoadLosesNoAnswer) {
  start();
  std::atomic<int> answered = 0;
  std::atomic<int> lost = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 50; ++t) {
    threads.emplace_back([&, t] {
      HttpClient client(t % 2 == 0 ? unix_ : tcp_);
      for (bool going_on = client.connected(); going_on;) {
        if (!client.send(get("/a"))) break;  // the connection had ended: the client knows that nobody heard it
        const std::string answer = client.receive();
        if (!answer.starts_with("HTTP/1.1 200") || body_of(answer).empty()) ++lost;
        ++answered;
        going_on = answer.find("Connection: keep-alive") != std::string::npos;
      }
    });
  }
  while (answered < 1000) std::this_thread::yield();
  stop();
  threads.clear();
  EXPECT_EQ(lost, 0);
}

TEST_F(HttpServerTest, AConnectionThatIsTakenOverIsWrittenToAsThingsHappen) {
  start();
  for (const ListenAddress& address : {unix_, tcp_}) {
    HttpClient client(address);
    client.send(get("/listen"));
    const auto talk = talks_.take();
    EXPECT_THAT(client.receive(false),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nContent-Type: text/event-stream\r\n"),
                      HasSubstr("\r\nConnection: close\r\n"), Not(HasSubstr("Content-Length"))));
    for (const std::string text : {"one", "two", "three"}) {
      tell(talk, text);
      EXPECT_EQ(client.receive_exactly(text.size()), text);
    }
  }
}

TEST_F(HttpServerTest, AnAnswerToHeadIsNotTakenOver) {
  start();
  HttpClient client(unix_);
  client.send("HEAD /listen HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.receive_all(), EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, WhoListensIsNotAmongTheConnectionsOfItsListener) {
  options_.connections = 2;
  start();
  std::vector<std::unique_ptr<HttpClient>> listeners;
  for (int i = 0; i < 10; ++i) {
    listeners.push_back(std::make_unique<HttpClient>(tcp_));
    listeners.back()->send(get("/listen"));
    listeners.back()->receive(false);
  }
  HttpClient other(tcp_);
  other.send(get("/other"));
  EXPECT_THAT(body_of(other.receive()), StartsWith("/other"));
  for (int i = 0; i < 10; ++i) {
    const auto talk = talks_.take();
    listeners[static_cast<std::size_t>(i)].reset();
    tell(talk, "is there anybody?");  // a client that went in peace is only noticed by what is written to it
    for (const auto end = std::chrono::steady_clock::now() + 20s;
         !talk->is_over() && std::chrono::steady_clock::now() < end;) {
      tell(talk, "?");
      std::this_thread::yield();
    }
    EXPECT_TRUE(talk->is_over());
  }
  for (int i = 0; i < 3; ++i) {  // what ended has not made the limit larger
    HttpClient client(tcp_);
    client.send(get("/again", "Connection: close\r\n"));
    EXPECT_THAT(client.receive_all(), HasSubstr("/again"));
  }
}

TEST_F(HttpServerTest, AListenerOfNothingHearsAHeartbeat) {
  options_.heartbeat = 10ms;
  start();
  HttpClient client(unix_);
  client.send(get("/listen"));
  client.receive(false);
  EXPECT_EQ(client.receive_exactly(3), "...");
}

TEST_F(HttpServerTest, AListenerThatGoesIsForgottenAtOnce) {
  start();
  auto client = std::make_unique<HttpClient>(unix_);
  client->send(get("/listen"));
  const auto talk = talks_.take();
  client->receive(false);
  client.reset();
  EXPECT_TRUE(until_over(talk));
}

TEST_F(HttpServerTest, AListenerThatDoesNotReadIsCutOffAndDelaysNobody) {
  options_.answer = 200ms;
  options_.slowest = 1U << 30;
  start();
  HttpClient deaf(tcp_);
  deaf.send(get("/listen"));
  const auto talk = talks_.take();
  tell(talk, *large_);
  HttpClient other(tcp_);
  other.send(get("/other"));
  EXPECT_THAT(body_of(other.receive()), StartsWith("/other"));
  EXPECT_TRUE(until_over(talk));
  EXPECT_LT(deaf.receive_all().size(), large_->size());
}

TEST_F(HttpServerTest, AtTheStopAListenerHearsTheLast) {
  start();
  HttpClient client(tcp_);
  client.send(get("/listen"));
  const auto talk = talks_.take();
  client.receive(false);
  const auto begin = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  EXPECT_EQ(client.receive_all(), "bye: gpukeeper is stopping");
  EXPECT_TRUE(talk->is_over());
}

TEST_F(HttpServerTest, WhoMayNotListenAnyMoreIsSentAway) {
  std::atomic<bool> revoked = false;
  options_.look_again = 20ms;
  options_.may_stay = [&](const Request& request) { return !revoked || request.header("Authorization") != "Bearer a"; };
  start();
  HttpClient one(tcp_);
  one.send(get("/listen", "Authorization: Bearer a\r\n"));
  const auto his = talks_.take();
  HttpClient other(tcp_);
  other.send(get("/listen", "Authorization: Bearer b\r\n"));
  const auto theirs = talks_.take();
  one.receive(false);
  other.receive(false);
  revoked = true;
  EXPECT_EQ(one.receive_all(), "bye: what you may do has changed: connect again");
  EXPECT_TRUE(until_over(his));
  EXPECT_FALSE(theirs->is_over());
}

class ListenerTest : public testing::Test {
 protected:
  std::string refusal(const ListenAddress& address) const {
    const auto listener = Listener::open(address);
    return listener ? "opened" : listener.error().message;
  }
  ListenAddress at(const std::string& name) const { return {.path = (folder_.path() / name).string(), .host = {}}; }

  const TemporaryFolder folder_;
  const ListenAddress address_ = at("s.sock");
};

TEST_F(ListenerTest, TheSocketIsForOwnerAndGroupAndGoesWithItsOwner) {
  {
    const ::mode_t before = ::umask(0);
    const auto listener = Listener::open(address_);
    ::umask(before);
    ASSERT_TRUE(listener.has_value());
    struct stat status {};
    ASSERT_EQ(::stat(address_.path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0660U);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ListenerTest, AListenerThatLivesIsNotReplaced) {
  const auto first = Listener::open(address_);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(refusal(address_),
            "listen on " + address_.to_string() + ": another gpukeeper listens there; stop it, or choose another path");
  std::filesystem::remove(address_.path + ".lock");  // as some other program would look
  EXPECT_EQ(refusal(address_),
            "listen on " + address_.to_string() + ": another program listens there; stop it, or choose another path");
  EXPECT_TRUE(HttpClient(address_).connected());
}

TEST_F(ListenerTest, WhatAKilledServerLeftIsReplaced) {
  {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address_.path.copy(name.sun_path, sizeof name.sun_path - 1);
    const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  std::ofstream(address_.path + ".lock") << "";
  const auto listener = Listener::open(address_);
  ASSERT_TRUE(listener.has_value()) << listener.error().message;
  EXPECT_TRUE(HttpClient(address_).connected());
}

TEST_F(ListenerTest, OfManyThatStartAtOnceOneListens) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> opened = 0;
    {
      std::mutex mutex;
      std::vector<Listener> listeners;
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
          auto listener = Listener::open(address_);
          if (!listener) return;
          ++opened;
          std::scoped_lock lock(mutex);
          listeners.push_back(std::move(*listener));
        });
      }
      threads.clear();
      EXPECT_TRUE(HttpClient(address_).connected());
    }
    EXPECT_EQ(opened, 1);
  }
}

TEST_F(ListenerTest, WhatIsInTheWayIsNamed) {
  std::ofstream(address_.path) << "precious";
  EXPECT_EQ(refusal(address_),
            "listen on " + address_.to_string() + ": there is a file that is no socket; it is left alone");
  EXPECT_TRUE(std::filesystem::exists(address_.path));
  const auto nowhere = at("none/s.sock");
  EXPECT_EQ(refusal(nowhere), "listen on " + nowhere.to_string() + ": there is no folder " +
                                  (folder_.path() / "none").string() + ": make it, or choose another path");
  const ListenAddress endless{.path = "/" + std::string(200, 'a'), .host = {}};
  EXPECT_EQ(refusal(endless),
            "listen on " + endless.to_string() + ": the path has 201 bytes, and that of a unix socket at most 107");
  EXPECT_EQ(refusal({.path = {}, .host = "192.0.2.1", .port = 8737}),
            "listen on 192.0.2.1:8737: this machine has no such address; 'ip address' lists those it has");
}

TEST_F(ListenerTest, APortThatIsTakenIsNamed) {
  const auto first = Listener::open({.path = {}, .host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(first.has_value());
  EXPECT_NE(first->address().port, 0);
  EXPECT_EQ(refusal(first->address()),
            "listen on " + first->address().to_string() +
                ": another program listens there; choose another port with --listen, or 0 for any "
                "that is free");
}

TEST_F(HttpServerTest, AnAnswerThatComesLaterHoldsUpNobodyElse) {
  start();
  HttpClient patient(unix_);
  ASSERT_TRUE(patient.send(get("/later") + get("/next")));
  const auto later = asked_.take();
  HttpClient other(unix_);
  ASSERT_TRUE(other.send(get("/other")));
  EXPECT_THAT(body_of(other.receive()), StartsWith("/other"));
  later->give(json_answer(200, "at last"));
  later->give(json_answer(200, "too late"));
  EXPECT_EQ(body_of(patient.receive()), "at last");
  EXPECT_THAT(body_of(patient.receive()), StartsWith("/next"));
}

TEST_F(HttpServerTest, WhatIsFoundOutLaterMayBeThatItTakesLonger) {
  options_.later = 20s;
  start();
  HttpClient client(unix_);
  ASSERT_TRUE(client.send(get("/later")));
  Response longer;
  longer.later = std::make_shared<Later>("nothing came", 20s);
  asked_.take()->give(longer);
  longer.later->give(json_answer(200, "at last"));
  EXPECT_EQ(body_of(client.receive()), "at last");
}

TEST_F(HttpServerTest, WhoWaitsForAClientThatHasGoneIsTold) {
  start();
  std::promise<void> abandoned;
  std::promise<void> over;
  {
    HttpClient client(unix_);
    ASSERT_TRUE(client.send(get("/wait")));
    asked_.take()->on_abandoned([&] { abandoned.set_value(); });
    ends_.take()->tell([&] { over.set_value(); });
  }
  EXPECT_EQ(abandoned.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_EQ(over.get_future().wait_for(20s), std::future_status::ready);
}

TEST_F(HttpServerTest, AnAnswerForAClientThatHasGoneIsNotTakenForDelivered) {
  start();
  std::shared_ptr<Later> later;
  std::promise<void> abandoned;
  {
    HttpClient client(unix_);
    ASSERT_TRUE(client.send(get("/wait")));
    later = asked_.take();
    later->on_abandoned([&] { abandoned.set_value(); });
  }
  ASSERT_EQ(abandoned.get_future().wait_for(20s), std::future_status::ready);
  bool undelivered = false;
  Response granted = json_answer(201, "yours");
  granted.undelivered = [&] { undelivered = true; };
  later->give(granted);
  EXPECT_TRUE(undelivered);
}

TEST_F(HttpServerTest, AClientThatHasSaidAllItHadToSayIsStillAnswered) {
  start();
  HttpClient client(unix_);
  ASSERT_TRUE(client.send(get("/wait")));
  client.end_sending();
  HttpClient other(unix_);  // what the first one's end would bring is over when this one is answered
  ASSERT_TRUE(other.send(get("/other")));
  EXPECT_THAT(body_of(other.receive()), StartsWith("/other"));
  asked_.take()->give(json_answer(200, "at last"));
  EXPECT_EQ(body_of(client.receive()), "at last");
}

TEST_F(HttpServerTest, WhoWaitsForLongIsToldOfTheStop) {
  start();
  HttpClient client(unix_);
  ASSERT_TRUE(client.send(get("/wait")));
  const auto later = asked_.take();
  std::promise<void> abandoned;
  later->on_abandoned([&] { abandoned.set_value(); });
  bool ended = false;
  ends_.take()->tell([&] { ended = true; });
  server_->stop();
  EXPECT_THAT(client.receive(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("gpukeeper is stopping")));
  EXPECT_EQ(abandoned.get_future().wait_for(20s), std::future_status::ready);
  stop();
  EXPECT_FALSE(ended);  // that it ended was not the client's doing
}

TEST_F(HttpServerTest, ACommandThatAHungEngineDoesNotComeToHoldsUpNobodyElse) {
  options_.later = 20s;
  start();
  HttpClient patient(unix_);
  ASSERT_TRUE(patient.send("POST /ack HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
  auto command = commands_.take();
  HttpClient other(unix_);
  ASSERT_TRUE(other.send(get("/other")));
  EXPECT_THAT(body_of(other.receive()), StartsWith("/other"));
  command = nullptr;  // it ends without having come to it: only now there is an answer
  EXPECT_THAT(patient.receive(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("gpukeeper is stopping")));
}

TEST_F(HttpServerTest, AnAnswerThatNeverComesIsGivenUp) {
  options_.later = 20ms;
  start();
  HttpClient client(unix_);
  ASSERT_TRUE(client.send(get("/later")));
  EXPECT_THAT(client.receive(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n"),
                                      HasSubstr("what was asked for could not be found out in time: try again")));
  asked_.take()->give(json_answer(200, "too late"));  // nobody is there any more
  ASSERT_TRUE(client.send(get("/next")));
  EXPECT_THAT(body_of(client.receive()), StartsWith("/next"));
}

TEST_F(HttpServerTest, AnAnswerThatComesAfterTheServerIsGoneHarmsNobody) {
  options_.drain = 10ms;
  start();
  HttpClient client(unix_);
  ASSERT_TRUE(client.send(get("/later")));
  const auto later = asked_.take();
  stop();
  server_.reset();
  later->give(json_answer(200, "too late"));
}

TEST_F(HttpServerTest, AnAnswerThatCannotBeMadeIsAMistakeOfOurs) {
  start();
  HttpClient client(unix_);
  ASSERT_TRUE(client.send(get("/later")));
  asked_.take()->give([]() -> Response { throw std::runtime_error("broken"); });
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 500 "));
}

// Who is at the other end of a socket.

TEST(PeerProcessTest, AProcessThatRunsIsFoundWithItsUser) {
  const auto ourselves = find_process(::getpid());
  ASSERT_TRUE(ourselves);
  EXPECT_EQ(ourselves->uid, ::getuid());
  EXPECT_EQ(ourselves->process, process_now(::getpid()));
  EXPECT_EQ(this_process()->credentials->start_ticks, ourselves->process.start_ticks);
  EXPECT_FALSE(find_process(4'194'304));  // PID_MAX_LIMIT: there never is one
  EXPECT_FALSE(find_process(0));
}

TEST(PeerProcessTest, APeerIsTheOneThatConnectedAndNobodyOnceItHasEnded) {
  const TemporaryFolder folder;
  auto opened = Listener::open({.path = (folder.path() / "s.sock").string(), .host = {}});
  ASSERT_TRUE(opened) << opened.error().message;
  const ListenAddress address = opened->address();
  const Descriptor listening(opened->take_socket());
  const HttpClient here(address);
  const Descriptor from_here(accept_one(listening.get()));
  const auto peer = peer_process(from_here.get(), ::getpid());
  EXPECT_EQ(peer, process_now(::getpid()));
  EXPECT_FALSE(peer_process(from_here.get(), 0));

  const pid_t child = ::fork();
  if (child == 0) {
    const HttpClient client(address);
    ::_exit(0);
  }
  const Descriptor from_child(accept_one(listening.get()));
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(peer_process(from_child.get(), child));
}

}  // namespace
}  // namespace gpukeeper::service
