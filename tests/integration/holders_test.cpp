#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actuators/process_freezer.hpp"
#include "booking/pidfd_watch.hpp"
#include "fakes/temporary_folder.hpp"
#include "integration/receivers.hpp"
#include "reclaim/recipes.hpp"
#include "sinks/curl_transport.hpp"

// Holders that are really spoken to: servers that answer as ollama, vLLM and llama-swap do, over real sockets.

namespace gpukeeper::reclaim {
namespace {

using namespace std::chrono_literals;

volatile std::sig_atomic_t signalled = 0;

class HoldersTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto version = http_.version();
    ASSERT_TRUE(version) << version.error().message;
    ports_ = nlohmann::json::parse(servers_.line(), nullptr, false);
    ASSERT_TRUE(ports_.is_object()) << "python3 tests/integration/model_servers.py did not start";
    request_.observed = 8_GiB;
    request_.guaranteed = 2_GiB;
    request_.deadline = 10s;
  }
  Holder holder(HolderKind kind, const std::string& server) const {
    Holder h;
    h.kind = kind;
    h.url = "http://127.0.0.1:" + std::to_string(ports_.at(server).get<int>());
    EXPECT_TRUE(check(h, {}));
    return h;
  }
  HolderReply asked(const Holder& h) {
    const auto reply = ask(h, request_, world());
    EXPECT_TRUE(reply) << reply.error().message;
    return reply.value_or(HolderReply{});
  }
  HolderWorld world() { return {.http = http_, .signals = signals_, .files = *files_, .uid = ::getuid()}; }
  nlohmann::json next() { return nlohmann::json::parse(servers_.line(), nullptr, false); }

  TemporaryFolder folder_;
  const std::string socket_ = (folder_.path() / "sdk.sock").string();
  RunningProgram servers_{{"python3", GPUKEEPER_SOURCE_DIR "/tests/integration/model_servers.py", socket_}};
  nlohmann::json ports_;
  CurlTransport http_;
  const std::shared_ptr<const Files> files_ = std::make_shared<RealFiles>();
  RealSignals signals_{files_};
  HolderRequest request_;
};

TEST_F(HoldersTest, OllamaUnloadsAllOfItsModels) {
  const Holder h = holder(HolderKind::ollama, "ollama");
  const HolderReply reply = asked(h);
  EXPECT_EQ(reply.promised, 9_GiB);
  EXPECT_EQ(reply.note, "2 models were unloaded");
  EXPECT_EQ(next()["request"], "GET /api/ps");
  EXPECT_EQ(next()["request"], "POST /api/generate");
  EXPECT_EQ(asked(h).note, "no model was loaded");
}

TEST_F(HoldersTest, VllmSleepsOnceAndIsWoken) {
  const Holder h = holder(HolderKind::vllm, "vllm");
  EXPECT_EQ(asked(h).note, "it was put to sleep (level 1); wake it before it is used again");
  EXPECT_EQ(asked(h).note, "it sleeps already");
  EXPECT_TRUE(wake(h, world()));
  EXPECT_EQ(asked(h).note, "it was put to sleep (level 1); wake it before it is used again");
}

TEST_F(HoldersTest, LlamaSwapUnloadsAModelWhateverItsName) {
  Holder h = holder(HolderKind::llama_swap, "llama_swap");
  h.models = {"qwen/coder 30b"};
  EXPECT_EQ(asked(h).note, "1 model was unloaded");
  EXPECT_EQ(asked(h).note, "no model was loaded");
}

TEST_F(HoldersTest, TheSdkIsAskedOverItsSocket) {
  Holder h;
  h.kind = HolderKind::pytorch;
  h.socket = socket_;
  request_.scrub = true;
  const HolderReply reply = asked(h);
  EXPECT_EQ(reply.promised, 6_GiB);
  EXPECT_EQ(reply.scrubbed, true);
}

TEST_F(HoldersTest, ATokenTravelsInItsHeader) {
  Holder h = holder(HolderKind::llama_swap, "llama_swap");
  h.token_file = (folder_.path() / "token").string();
  std::ofstream(h.token_file) << "sesame\n";
  asked(h);
  EXPECT_EQ(next()["authorization"], "Bearer sesame");
}

TEST_F(HoldersTest, ASignalReachesAProcessThatHandlesIt) {
  Holder h;
  h.kind = HolderKind::signal;
  h.signal = SIGUSR2;
  request_.process = process_now(::getpid());
  ASSERT_TRUE(request_.process);
  const auto refused = ask(h, request_, world());
  ASSERT_FALSE(refused) << "this process has no handler yet";
  std::signal(SIGUSR2, [](int) { signalled = 1; });
  asked(h);
  EXPECT_EQ(signalled, 1);
  std::signal(SIGUSR2, SIG_DFL);
}

}  // namespace
}  // namespace gpukeeper::reclaim
