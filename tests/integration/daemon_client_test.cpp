// The client over real sockets: a real server at the other end, and servers that misbehave.
#include "client/daemon.hpp"

#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"
#include "service/http_server.hpp"

namespace gpukeeper::client {
namespace {

using namespace std::chrono_literals;
using service::Listener;
using service::Request;
using service::Response;

Listener listener_at(const ListenAddress& address) {
  auto listener = Listener::open(address);
  if (!listener) throw std::runtime_error(listener.error().message);
  return std::move(*listener);
}

class DaemonClientTest : public testing::Test {
 protected:
  const TemporaryFolder folder_;
  const ListenAddress unix_{.path = (folder_.path() / "s.sock").string(), .host = {}};
  const std::string place_ = unix_.to_string();
};

class WithServer : public DaemonClientTest {
 protected:
  WithServer() {
    server_.add(listener_at(unix_));
    auto tcp = listener_at({.path = {}, .host = "127.0.0.1", .port = 0});
    tcp_ = tcp.address();
    server_.add(std::move(tcp));
    thread_ = std::jthread([this] { server_.run(); });
  }
  ~WithServer() override { server_.stop(); }

  static Response answer(const Request& request) {
    if (request.path == "/echo") {
      return service::json_answer(
          200, request.method + " " + request.target + " " + std::string(request.header("Host").value_or("")) + " " +
                   std::string(request.header("Content-Type").value_or("none")) + " " + request.body);
    }
    if (request.path == "/plain") return {.status = 500, .content_type = "text/plain", .headers = {}};
    if (request.path == "/escape") return service::problem(400, "wrong", "a \x1b[31m name\n  and more");
    const auto status = static_cast<unsigned>(std::stoul(request.path.substr(1)));
    return service::problem(status, "code", "the detail of " + request.path.substr(1));
  }

  SystemClock clock_;
  Log log_{clock_, std::make_shared<FakeLogTarget>()};
  service::HttpServer server_{answer, clock_, log_, {}};
  ListenAddress tcp_;
  std::jthread thread_;
};

TEST_F(WithServer, AQuestionIsAnsweredOverEitherKindOfSocket) {
  const auto local = Daemon::find({unix_});
  ASSERT_TRUE(local) << local.error().message;
  EXPECT_EQ(local->ask("GET", "/echo?a=b").value(), "GET /echo?a=b localhost none ");
  EXPECT_EQ(local->ask("PATCH", "/echo", "{}").value(), "PATCH /echo localhost application/json {}");
  const auto tcp = Daemon::find({tcp_});
  ASSERT_TRUE(tcp) << tcp.error().message;
  EXPECT_EQ(tcp->ask("POST", "/echo", "[]").value(), "POST /echo " + tcp_.to_string() + " application/json []");
}

TEST_F(WithServer, TheFirstThatTakesAConnectionIsAsked) {
  const auto daemon = Daemon::find({{.path = (folder_.path() / "nobody").string(), .host = {}}, unix_, tcp_});
  ASSERT_TRUE(daemon) << daemon.error().message;
  EXPECT_EQ(daemon->address(), unix_);
}

TEST_F(WithServer, TheEnvironmentNamesOneAndTheCommandLineStandsAboveIt) {
  const auto environment = [&](std::string_view) { return std::optional(place_); };
  EXPECT_EQ(Daemon::find("", environment).value().address(), unix_);
  EXPECT_EQ(Daemon::find(tcp_.to_string(), environment).value().address(), tcp_);
}

TEST_F(WithServer, ARefusalIsItsDetailAndItsStatusIsTheCode) {
  const auto daemon = Daemon::find({unix_});
  ASSERT_TRUE(daemon);
  for (const auto& [status, code] : std::initializer_list<std::pair<std::string, Errc>>{
           {"400", Errc::invalid_argument},
           {"403", Errc::not_permitted},
           {"404", Errc::not_found},
           {"405", Errc::not_supported},
           {"409", Errc::already_exists},
           {"500", Errc::internal},
           {"503", Errc::unavailable},
       }) {
    EXPECT_EQ(daemon->ask("GET", "/" + status).error(), (Error{code, "the detail of " + status}));
  }
  EXPECT_EQ(daemon->ask("GET", "/escape").error(), (Error{Errc::invalid_argument, "a ?[31m name\n  and more"}));
  EXPECT_EQ(daemon->ask("GET", "/plain").error(),
            (Error{Errc::internal, place_ + " answered 500 without a reason: is that a gpukeeper daemon?"}));
}

TEST_F(DaemonClientTest, WhereNobodyListensItSaysHowToStartOne) {
  EXPECT_EQ(Daemon::find({unix_}).error(),
            (Error{Errc::not_found, "no gpukeeper daemon answers at " + place_ +
                                        " (connect: No such file or directory): start one with "
                                        "'gpukeeper serve --listen " +
                                        place_ + "'"}));
  const std::string tcp = "127.0.0.1:1";  // tcpmux: nobody's
  EXPECT_EQ(Daemon::find(tcp, [](auto) { return std::nullopt; }).error(),
            (Error{Errc::not_found,
                   "no gpukeeper daemon answers at 127.0.0.1:1 (connect: Connection refused): start "
                   "one with 'gpukeeper serve --listen 127.0.0.1:1'"}));
}

TEST_F(DaemonClientTest, ASocketThatLetsUsNotInIsSaid) {
  const auto listener = listener_at(unix_);
  ASSERT_EQ(::chmod(unix_.path.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  const pid_t child = ::fork();  // root may always: as nobody
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const auto daemon = Daemon::find({unix_});
    const Error wanted{Errc::not_permitted, place_ +
                                                ": connect: Permission denied: only its owner, its group and root "
                                                "may use that socket: run this as one of them, such as with sudo"};
    ::_exit(!daemon && daemon.error() == wanted ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// A server that says one thing to whoever comes and keeps the connection or ends it.
class Misbehaving {
 public:
  Misbehaving(const ListenAddress& address, std::string text, bool ends)
      : listener_(listener_at(address)), socket_(listener_.take_socket()) {
    thread_ = std::jthread([this, text = std::move(text), ends](std::stop_token stop) {
      std::vector<service::Descriptor> kept;
      while (!stop.stop_requested()) {
        service::Descriptor client(::accept(socket_.get(), nullptr, nullptr));
        if (client.get() < 0) {
          std::this_thread::sleep_for(1ms);
          continue;
        }
        static_cast<void>(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL));
        if (ends) ::shutdown(client.get(), SHUT_WR);
        kept.push_back(std::move(client));
      }
    });
  }

 private:
  Listener listener_;
  service::Descriptor socket_;
  std::jthread thread_;
};

TEST_F(DaemonClientTest, ASilentOneIsGivenUp) {
  const Misbehaving server(unix_, "", false);
  const auto daemon = Daemon::find({unix_}, {.answer = 50ms});
  ASSERT_TRUE(daemon);
  EXPECT_EQ(daemon->ask("GET", "/").error(), (Error{Errc::deadline_exceeded, "the gpukeeper daemon at " + place_ +
                                                                                 ": it gave no answer within 0.05 s"}));
}

TEST_F(DaemonClientTest, OneThatStopsInTheMidstOfItsAnswerIsGivenUp) {
  const Misbehaving server(unix_, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", false);
  const auto daemon = Daemon::find({unix_}, {.answer = 50ms});
  ASSERT_TRUE(daemon);
  EXPECT_EQ(daemon->ask("GET", "/").error().code, Errc::deadline_exceeded);
}

TEST_F(DaemonClientTest, AnAnswerThatBreaksOffIsNone) {
  const Misbehaving server(unix_, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", true);
  EXPECT_EQ(Daemon::find({unix_})->ask("GET", "/").error(),
            (Error{Errc::unavailable, "the gpukeeper daemon at " + place_ + ": it gave no answer: partial message"}));
}

TEST_F(DaemonClientTest, WhatIsNoHttpIsNoAnswer) {
  const Misbehaving server(unix_, "SSH-2.0-OpenSSH_9.2\r\n\r\n", true);
  EXPECT_EQ(Daemon::find({unix_})->ask("GET", "/").error(),
            (Error{Errc::unavailable, "the gpukeeper daemon at " + place_ + ": it gave no answer: bad version"}));
}

TEST_F(DaemonClientTest, AnAnswerWithoutEndIsCut) {
  const std::string endless = "HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x');
  const Misbehaving server(unix_, endless, false);
  EXPECT_EQ(Daemon::find({unix_}, {.body = 1000})->ask("GET", "/").error(),
            (Error{Errc::resource_exhausted,
                   "the gpukeeper daemon at " + place_ + ": its answer is longer than 1000 bytes"}));
}

}  // namespace
}  // namespace gpukeeper::client
