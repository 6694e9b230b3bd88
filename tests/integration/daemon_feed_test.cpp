// Snapshots of a daemon over a real socket, of one that goes away, and of ones that misbehave.
#include "cli/daemon_feed.hpp"

#include <atomic>
#include <thread>

#include <unistd.h>

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

// A daemon with one route, for as long as it lives.
class Serving {
 public:
  Serving(const ListenAddress& address, std::function<Response(const Request&)> answer)
      : server_(std::move(answer), clock_, log_, {}) {
    auto listener = Listener::open(address);
    if (!listener) throw std::runtime_error(listener.error().message);
    server_.add(std::move(*listener));
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
  DaemonFeedOptions named() { return {place_, nobody_, remark_}; }
  // Where it is looked for when nobody says where.
  DaemonFeedOptions unnamed() {
    const auto environment = [this](std::string_view name) -> std::optional<std::string> {
      return name == "RUNTIME_DIRECTORY" ? std::optional(folder_.path().string()) : std::nullopt;
    };
    return {"", environment, remark_};
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

}  // namespace
}  // namespace gpukeeper::cli
