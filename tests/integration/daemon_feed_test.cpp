// Snapshots of a daemon over a real socket, of one that goes away, and of ones that misbehave.
#include "cli/daemon_feed.hpp"

#include <atomic>
#include <thread>

#include <sys/socket.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fakes/fake_log.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
#include "format/snapshot_json.hpp"
#include "service/http_server.hpp"
#include "service/snapshot_answer.hpp"

namespace gpukeeper::cli {
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

// A daemon with one route, for as long as it lives.
class Serving {
 public:
  Serving(const ListenAddress& address, std::function<Response(const Request&)> answer)
      : server_(std::move(answer), clock_, log_, {}) {
    server_.add(listener_at(address));
    thread_ = std::jthread([this] { server_.run(); });
  }
  ~Serving() { server_.stop(); }

 private:
  SystemClock clock_;
  Log log_{clock_, std::make_shared<FakeLogTarget>()};
  service::HttpServer server_;
  std::jthread thread_;
};

class DaemonFeedTest : public testing::Test {
 protected:
  DaemonFeedOptions named() { return {.host = place_, .environment = nobody_, .remark = remark_}; }
  // Where it is looked for when nobody says where.
  DaemonFeedOptions unnamed() {
    const auto environment = [this](std::string_view name) -> std::optional<std::string> {
      return name == "RUNTIME_DIRECTORY" ? std::optional(folder_.path().string()) : std::nullopt;
    };
    return {.host = {}, .environment = environment, .remark = remark_};
  }
  static Response problem(unsigned status, std::string detail) {
    return service::problem(status, "code", std::move(detail));
  }

  const TemporaryFolder folder_;
  const ListenAddress address_{.path = (folder_.path() / "gpukeeper.sock").string(), .host = {}};
  const std::string place_ = address_.to_string();
  const client::Daemon::Variable nobody_ = [](std::string_view) { return std::nullopt; };
  std::vector<std::string> remarks_;
  const std::function<void(std::string_view)> remark_ = [this](std::string_view s) { remarks_.emplace_back(s); };
};

TEST_F(DaemonFeedTest, GivesWhatTheDaemonHasAndAsksAgainOnlyForWhatIsNew) {
  std::atomic<int> written = 0;
  std::atomic<std::uint64_t> sequence = 7;
  service::SnapshotAnswer answer("i");
  const Serving daemon(address_, [&](const Request& request) {
    auto snapshot = std::make_shared<Snapshot>(four_gpus());
    snapshot->sequence = sequence;
    auto response = answer.answer(request, snapshot);
    written += response.status == 200 ? 1 : 0;
    return response;
  });
  const auto feed = open_daemon_feed(named());
  ASSERT_TRUE(feed) << feed.error().message;
  const auto first = (*feed)->next();
  EXPECT_EQ(snapshot_json(*first, true), snapshot_json(four_gpus(), true));
  EXPECT_EQ((*feed)->next(), first) << "nothing is new";
  EXPECT_EQ(written, 1);
  sequence = 8;
  EXPECT_EQ((*feed)->next()->sequence, 8u);
  EXPECT_EQ((*feed)->origin(), "") << "it is this machine's";
  EXPECT_EQ((*feed)->trouble(), "");
}

TEST_F(DaemonFeedTest, OneThatGoesIsSaidAndFoundAgain) {
  service::SnapshotAnswer answer("i");
  const auto four = std::make_shared<const Snapshot>(four_gpus());
  const auto serve = [&](const Request& request) { return answer.answer(request, four); };
  auto daemon = std::make_unique<Serving>(address_, serve);
  const auto feed = open_daemon_feed(named());
  ASSERT_TRUE(feed);
  const auto first = (*feed)->next();
  daemon.reset();
  EXPECT_EQ((*feed)->next(), first);
  EXPECT_EQ((*feed)->trouble(), "the gpukeeper daemon at " + place_ + ": connect: No such file or directory");
  daemon = std::make_unique<Serving>(address_, serve);
  EXPECT_EQ((*feed)->next()->devices.size(), 4u);
  EXPECT_EQ((*feed)->trouble(), "");
}

TEST_F(DaemonFeedTest, OneThatHasJustBegunIsWaitedFor) {
  std::atomic<int> asked = 0;
  const Serving daemon(address_, [&](const Request&) {
    if (++asked < 3) return problem(503, "gpukeeper has just begun");
    return service::json_answer(200, snapshot_json(four_gpus(), false));
  });
  const auto feed = open_daemon_feed(named());
  ASSERT_TRUE(feed) << feed.error().message;
  EXPECT_EQ((*feed)->next()->devices.size(), 4u);
}

TEST_F(DaemonFeedTest, OneOfAnotherReleaseIsSaid) {
  const Serving daemon(address_,
                       [](const Request&) { return service::json_answer(200, R"({"schema": "gpukeeper.status/2"})"); });
  const auto feed = open_daemon_feed(named());
  ASSERT_FALSE(feed);
  EXPECT_EQ(feed.error(),
            (Error{Errc::internal,
                   "the gpukeeper daemon at " + place_ +
                       ": its answer is of schema gpukeeper.status/2, and this gpukeeper reads gpukeeper.status/1: one "
                       "of the two is older, use the same release"}));
}

TEST_F(DaemonFeedTest, WhereOneIsNamedItsRefusalIsTheAnswer) {
  const Serving daemon(address_, [](const Request&) { return problem(401, "that takes a token"); });
  EXPECT_EQ(open_daemon_feed(named()).error(), (Error{Errc::unauthenticated, "that takes a token"}));
}

TEST_F(DaemonFeedTest, WhereNobodyIsNamedAndNobodyAnswersTheCallerLooksItself) {
  const auto feed = open_daemon_feed(unnamed());
  ASSERT_TRUE(feed) << feed.error().message;
  EXPECT_EQ(*feed, nullptr);
  EXPECT_TRUE(remarks_.empty());
}

TEST_F(DaemonFeedTest, WhereNobodyIsNamedOneThatCannotAnswerIsRemarked) {
  const Serving daemon(address_, [](const Request&) { return problem(500, "a mistake in gpukeeper"); });
  const auto feed = open_daemon_feed(unnamed());
  ASSERT_TRUE(feed) << feed.error().message;
  EXPECT_EQ(*feed, nullptr);
  EXPECT_EQ(remarks_, std::vector<std::string>{"a mistake in gpukeeper; the GPUs are looked at without it"});
}

// Somebody who answers each connection with that text and keeps it open.
class Streaming {
 public:
  Streaming(const ListenAddress& address, std::vector<std::string> answers)
      : listener_(listener_at(address)), socket_(listener_.take_socket()) {
    thread_ = std::jthread([this, answers = std::move(answers)](std::stop_token stop) {
      std::vector<service::Descriptor> kept;
      while (!stop.stop_requested()) {
        service::Descriptor client(::accept(socket_.get(), nullptr, nullptr));
        if (client.get() < 0) {
          std::this_thread::sleep_for(1ms);
          continue;
        }
        const std::string& text = answers.at(std::min(asked_++, answers.size() - 1));
        static_cast<void>(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL));
        kept.push_back(std::move(client));
      }
    });
  }

 private:
  Listener listener_;
  service::Descriptor socket_;
  std::size_t asked_ = 0;
  std::jthread thread_;
};

std::string document(const Snapshot& snapshot) {
  const std::string body = snapshot_json(snapshot, false);
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", body.size(),
                     body);
}

std::string event_of(const Snapshot& snapshot) {
  return fmt::format("id: 3\nevent: snapshot\ndata: {{\"id\":3,\"type\":\"snapshot\",\"payload\":{}}}\n\n",
                     snapshot_json(snapshot, false));
}

constexpr std::string_view kStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n:\n\n";

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST_F(DaemonFeedTest, OneThatFollowsTakesWhatTheStreamTellsAndEndsAtOnce) {
  Snapshot later = four_gpus();
  later.sequence = 99;
  const std::string skipped = "event: skipped\ndata: {\"type\":\"skipped\"}\n\n";
  // The first connection is a knock, the second a question, the third the stream.
  const Streaming daemon(address_, {"", document(four_gpus()), std::string(kStream) + skipped + event_of(later)});
  auto options = named();
  options.follows = true;
  {
    const auto feed = open_daemon_feed(options);
    ASSERT_TRUE(feed) << feed.error().message;
    EXPECT_EQ((*feed)->next()->devices.size(), 4u);
    EXPECT_TRUE(comes_true([&] { return (*feed)->next()->sequence == 99; }));
    EXPECT_EQ((*feed)->trouble(), "");
  }  // the stream is open still
}

TEST_F(DaemonFeedTest, WhatIsNoSnapshotOnTheStreamIsATrouble) {
  const Streaming daemon(address_, {"", document(four_gpus()), std::string(kStream) + "event: snapshot\ndata: {}\n\n"});
  auto options = named();
  options.follows = true;
  const auto feed = open_daemon_feed(options);
  ASSERT_TRUE(feed) << feed.error().message;
  EXPECT_TRUE(comes_true([&] { return !(*feed)->trouble().empty(); }));
  EXPECT_EQ((*feed)->trouble(),
            "the gpukeeper daemon at " + place_ + ": its answer is no JSON object, or has one that is too large");
}

TEST_F(DaemonFeedTest, OneThatHasNoStreamIsAskedAgainAndAgain) {
  std::atomic<std::uint64_t> sequence = 7;
  service::SnapshotAnswer answer("i");
  const Serving daemon(address_, [&](const Request& request) {
    if (request.path != "/api/v1/snapshot") return problem(404, "there is no such path");
    auto snapshot = std::make_shared<Snapshot>(four_gpus());
    snapshot->sequence = sequence;
    return answer.answer(request, snapshot);
  });
  auto options = named();
  options.follows = true;
  const auto feed = open_daemon_feed(options);
  ASSERT_TRUE(feed) << feed.error().message;
  sequence = 8;
  EXPECT_TRUE(comes_true([&] { return (*feed)->next()->sequence == 8; }));
  EXPECT_EQ((*feed)->trouble(), "");
}

TEST_F(DaemonFeedTest, OneThatFollowsSaysThatTheDaemonIsGoneAndFindsItAgain) {
  service::SnapshotAnswer answer("i");
  const auto four = std::make_shared<const Snapshot>(four_gpus());
  const auto serve = [&](const Request& request) {
    return request.path == "/api/v1/snapshot" ? answer.answer(request, four) : problem(404, "there is no such path");
  };
  auto daemon = std::make_unique<Serving>(address_, serve);
  auto options = named();
  options.follows = true;
  const auto feed = open_daemon_feed(options);
  ASSERT_TRUE(feed) << feed.error().message;
  daemon.reset();
  EXPECT_TRUE(comes_true([&] { return !(*feed)->trouble().empty(); }));
  EXPECT_EQ((*feed)->next()->devices.size(), 4u) << "the last that there was";
  daemon = std::make_unique<Serving>(address_, serve);
  EXPECT_TRUE(comes_true([&] { return (*feed)->trouble().empty(); }));
}

}  // namespace
}  // namespace gpukeeper::cli
