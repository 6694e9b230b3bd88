#include "reclaim/holder.hpp"

#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_signals.hpp"
#include "fake_transport.hpp"
#include "fakes/memory_files.hpp"
#include "reclaim/holder_json.hpp"
#include "reclaim/recipes.hpp"

namespace gpukeeper::reclaim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Holder holder(HolderKind kind, std::string url = "http://127.0.0.1:8000") {
  Holder h;
  h.kind = kind;
  if (kind == HolderKind::signal) {
    h.signal = SIGUSR1;
  } else if (kind == HolderKind::pytorch) {
    h.socket = "/run/user/1000/gpukeeper/7.sock";
  } else {
    h.url = std::move(url);
  }
  return h;
}

std::string refusal(const Holder& h, const std::vector<std::string>& hosts = {}) {
  const auto checked = check(h, hosts);
  return checked ? "" : checked.error().message;
}

TEST(HolderTest, OnlyThisMachineIsAskedUnlessAnotherIsNamed) {
  EXPECT_EQ(refusal(holder(HolderKind::ollama, "http://localhost:11434")), "");
  EXPECT_EQ(refusal(holder(HolderKind::ollama, "http://[::1]:11434")), "");
  const std::string elsewhere =
      "the holder's url is of another machine: use localhost, or name its host in reclaim.holder_hosts";
  EXPECT_EQ(refusal(holder(HolderKind::ollama, "http://gpu2.example:11434")), elsewhere);
  EXPECT_EQ(refusal(holder(HolderKind::ollama, "http://127.0.0.1.evil.example/")), elsewhere);
  EXPECT_EQ(refusal(holder(HolderKind::ollama, "http://169.254.169.254/latest")), elsewhere);
  EXPECT_EQ(refusal(holder(HolderKind::ollama, "http://gpu2.example:11434"), {"*.example"}), "");
}

TEST(HolderTest, ItSaysWhatIsWrongAndWhatWouldBeRight) {
  EXPECT_EQ(refusal(holder(HolderKind::webhook, "ftp://localhost")),
            "a holder of kind webhook needs a url: http://HOST:PORT or https://…, without a user in it");
  EXPECT_EQ(refusal(holder(HolderKind::webhook, "http://me:secret@localhost")),
            "a holder of kind webhook needs a url: http://HOST:PORT or https://…, without a user in it");
  Holder h = holder(HolderKind::signal);
  h.signal = SIGKILL;
  EXPECT_EQ(refusal(h), "a holder of kind signal needs a signal: SIGUSR1, SIGUSR2 or SIGHUP");
  h = holder(HolderKind::vllm);
  h.level = 3;
  EXPECT_EQ(refusal(h), "level is 1, or 2 of a holder of kind vllm");
  h = holder(HolderKind::vllm);
  h.models = {"a"};
  EXPECT_EQ(refusal(h), "only holders of kind ollama and llama-swap have models");
  h = holder(HolderKind::pytorch);
  h.socket = "relative.sock";
  EXPECT_EQ(refusal(h), "a holder of kind pytorch needs a socket: an absolute path of at most 107 bytes");
  h = holder(HolderKind::webhook, "http://gpu2.example/");
  h.token_file = "/etc/token";
  EXPECT_EQ(refusal(h, {"gpu2.example"}), "a token must not travel in the open to another machine: use https://");
}

TEST(HolderTest, WhatIsWrittenAsJsonIsReadAgain) {
  for (const Recipe& recipe : recipes()) {
    const Holder h = holder(recipe.kind);
    const auto again = holder_of(to_json(h));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, h);
  }
}

TEST(HolderTest, JsonThatIsNoHolderIsRefusedInWords) {
  const auto said = [](const char* text) {
    const auto read = holder_of(Json::parse(text));
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(said("[]"), R"(a holder is an object: {"kind": "webhook", "url": "http://127.0.0.1:…"})");
  EXPECT_EQ(said("{}"), "a holder needs a kind: signal, webhook, ollama, vllm, llama-swap, pytorch");
  EXPECT_EQ(said(R"({"kind": "vLLM"})"), "kind is one of signal, webhook, ollama, vllm, llama-swap, pytorch");
  EXPECT_EQ(said(R"({"kind": "webhook", "url": 7})"), "url takes a text");
  EXPECT_EQ(said(R"({"kind": "signal", "signal": "SIGKILL"})"), "signal is SIGUSR1, SIGUSR2 or SIGHUP");
  EXPECT_EQ(said(R"({"kind": "ollama", "model": "x"})"),
            "a holder has no 'model': kind, url, socket, signal, token_file, models and level are known");
}

class RecipeTest : public testing::Test {
 protected:
  RecipeTest() {
    request.lease = LeaseId{7};
    request.service = "chat";
    request.device = "GPU-0";
    request.observed = 4096_MiB;
    request.guaranteed = 2048_MiB;
    request.process = ProcessOwner{7, 70};
  }
  Result<HolderReply> asked(const Holder& h) {
    return ask(h, request, {.http = http, .signals = signals, .files = files, .uid = 1000});
  }
  std::string problem(const Holder& h) {
    const auto reply = asked(h);
    return reply ? "none" : reply.error().message;
  }

  FakeTransport http;
  FakeSignals signals;
  MemoryFiles files;
  HolderRequest request;
};

TEST_F(RecipeTest, OllamaUnloadsWhatIsLoadedAndPromisesWhatItSaysOfIt) {
  http.answer = [](const HttpPost& post) {
    if (!post.reads_only) return HttpAnswer{200, R"({"done": true, "done_reason": "unload"})"};
    return HttpAnswer{
        200, R"({"models": [{"name": "a:latest", "size_vram": 1048576}, {"name": "b", "size_vram": 2097152}]})"};
  };
  const auto reply = asked(holder(HolderKind::ollama, "http://127.0.0.1:11434/"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_THAT(
      http.asked,
      ElementsAre("GET http://127.0.0.1:11434/api/ps",
                  R"(POST http://127.0.0.1:11434/api/generate {"model":"a:latest","keep_alive":0,"stream":false})",
                  R"(POST http://127.0.0.1:11434/api/generate {"model":"b","keep_alive":0,"stream":false})"));
  EXPECT_EQ(reply->promised, 3_MiB);
  EXPECT_EQ(reply->note, "2 models were unloaded");
}

TEST_F(RecipeTest, OnlyTheNamedModelsGo) {
  http.answer = [](const HttpPost&) { return HttpAnswer{200, R"({"models": [{"name": "a"}, {"name": "b"}]})"}; };
  Holder h = holder(HolderKind::ollama);
  h.models = {"b"};
  EXPECT_EQ(asked(h)->note, "1 model was unloaded");
  EXPECT_THAT(http.asked, testing::SizeIs(2));
}

TEST_F(RecipeTest, AnAnswerThatIsNoneIsSaid) {
  http.answer = [](const HttpPost&) { return HttpAnswer{200, "<html>\x1b[31m"}; };
  EXPECT_EQ(problem(holder(HolderKind::ollama)), "ollama's /api/ps did not answer with a list of models");
  http.answer = [](const HttpPost&) { return HttpAnswer{500, "out of\x1b memory\n"}; };
  EXPECT_EQ(problem(holder(HolderKind::ollama)), "ollama's /api/ps answered 500: out of? memory");
  http.answer = [](const HttpPost&) -> Result<HttpAnswer> {
    return fail(Errc::unavailable, "POST http://127.0.0.1:8000: refused");
  };
  EXPECT_EQ(problem(holder(HolderKind::webhook)), "POST http://127.0.0.1:8000: refused");
}

TEST_F(RecipeTest, VllmSleepsAndIsWoken) {
  http.answer = [](const HttpPost& post) {
    return HttpAnswer{200, post.reads_only ? R"({"is_sleeping": false})" : ""};
  };
  Holder h = holder(HolderKind::vllm);
  h.level = 2;
  const auto reply = asked(h);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->promised, std::nullopt);
  EXPECT_TRUE(wake(h, {.http = http, .signals = signals, .files = files}));
  EXPECT_THAT(http.asked,
              ElementsAre("GET http://127.0.0.1:8000/is_sleeping", "POST http://127.0.0.1:8000/sleep?level=2",
                          "POST http://127.0.0.1:8000/wake_up"));
}

TEST_F(RecipeTest, VllmWithoutItsDevelopmentModeIsTold) {
  http.answer = [](const HttpPost&) { return HttpAnswer{404, "{}"}; };
  EXPECT_EQ(problem(holder(HolderKind::vllm)),
            "vLLM knows no /sleep: start it with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode");
}

TEST_F(RecipeTest, LlamaSwapUnloadsAlsoWhereItIsOld) {
  http.answer = [](const HttpPost& post) {
    if (post.url.ends_with("/running")) return HttpAnswer{200, R"({"running": [{"model": "a", "state": "ready"}]})"};
    return post.reads_only ? HttpAnswer{200, "OK"} : HttpAnswer{404, "404 page not found"};
  };
  EXPECT_EQ(asked(holder(HolderKind::llama_swap))->note, "1 model was unloaded");
  EXPECT_THAT(http.asked,
              ElementsAre("GET http://127.0.0.1:8000/running", "POST http://127.0.0.1:8000/api/models/unload",
                          "GET http://127.0.0.1:8000/unload"));
}

TEST_F(RecipeTest, AWebhookGetsTheWholeQuestionAndItsAnswerIsRead) {
  http.answer = [](const HttpPost&) {
    return HttpAnswer{202, R"({"promised_bytes": 1024, "scrubbed": true, "note": "caches\u001b dropped"})"};
  };
  request.wanted = 1_MiB;
  request.scrub = true;
  request.move_to = "GPU-1";
  const auto reply = asked(holder(HolderKind::webhook, "http://127.0.0.1:8000/give?back=1"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_THAT(http.asked,
              ElementsAre("POST http://127.0.0.1:8000/give?back=1 "
                          R"({"schema":"gpukeeper.reclaim_request/1","lease":"7","service":"chat","device":"GPU-0",)"
                          R"("observed_bytes":4294967296,"guaranteed_bytes":2147483648,"wanted_bytes":1048576,)"
                          R"("move_to":"GPU-1","scrub":true,"deadline_seconds":10.0})"));
  EXPECT_EQ(reply->promised, Bytes(1024));
  EXPECT_EQ(reply->scrubbed, true);
  EXPECT_EQ(reply->note, "caches? dropped");
}

TEST_F(RecipeTest, WhoCannotScrubOrMoveSaysSo) {
  http.answer = [](const HttpPost&) { return HttpAnswer{200, R"({"models": []})"}; };
  request.scrub = true;
  const auto reply = asked(holder(HolderKind::ollama));
  EXPECT_EQ(reply->scrubbed, false);
  EXPECT_EQ(reply->note,
            "no model was loaded; a holder of kind ollama cannot be asked to overwrite what it gives back");
  http.answer = [](const HttpPost&) { return HttpAnswer{204, ""}; };
  EXPECT_EQ(asked(holder(HolderKind::webhook))->note, "it does not say whether it overwrote what it gave back");
  request.move_to = "GPU-1";
  EXPECT_EQ(problem(holder(HolderKind::ollama)), "a holder of kind ollama cannot be told to go to another GPU");
}

TEST_F(RecipeTest, ASignalGoesOnlyToAProcessThatHandlesIt) {
  files.write("/proc/7/status", "Name:\tpython3\nSigCgt:\t0000000180000000\n");
  EXPECT_EQ(problem(holder(HolderKind::signal)), "process 7 handles no signal 10: it would be ended by it");
  EXPECT_THAT(signals.sent, IsEmpty());
  files.write("/proc/7/status", "Name:\tpython3\nSigCgt:\t0000000000000200\n");
  EXPECT_EQ(problem(holder(HolderKind::signal)), "none");
  EXPECT_THAT(signals.sent, ElementsAre("10 to 7 of 70"));
  request.process.reset();
  EXPECT_EQ(problem(holder(HolderKind::signal)), "the lease belongs to no process that could get a signal");
}

TEST_F(RecipeTest, ASocketOfAnotherUserIsNotSpokenTo) {
  const Holder h = holder(HolderKind::pytorch);
  files.write(h.socket, "");
  files.give_to(h.socket, 1001);
  EXPECT_EQ(problem(h), "/run/user/1000/gpukeeper/7.sock belongs to another user than the lease");
  EXPECT_THAT(http.asked, IsEmpty());
  files.give_to(h.socket, 1000);
  EXPECT_EQ(problem(h), "none");
  EXPECT_EQ(http.posts.at(0).unix_socket, h.socket);
}

TEST_F(RecipeTest, TokensComeOutOfFilesAndStandInNoMessage) {
  Holder h = holder(HolderKind::webhook);
  h.token_file = "/etc/token";
  EXPECT_EQ(problem(h), "the holder's token cannot be read: open /etc/token: No such file or directory");
  files.write("/etc/token", "secret with blanks\n");
  EXPECT_EQ(problem(h), "/etc/token must hold a token in its first line");
  files.write("/etc/token", "secret\nmore\n");
  EXPECT_EQ(problem(h), "none");
  EXPECT_EQ(http.posts.at(0).bearer, "secret");
}

}  // namespace
}  // namespace gpukeeper::reclaim
