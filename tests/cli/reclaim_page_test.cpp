#include "cli/reclaim_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/optimizer.hpp"

namespace gpukeeper::cli {
namespace {

using testing::HasSubstr;

RenderOptions page(std::size_t width = 100) {
  return {.width = width};
}

std::string plan(const std::string& more) {
  return R"({"schema":"gpukeeper.plan/1","min_bytes":8589934592,"devices_wanted":1,)" + more + "}";
}

TEST(ReclaimPageTest, APlanIsAListOfStepsThatSaysThatNothingWasDone) {
  EXPECT_EQ(render_plan(plan(R"("verdict":"possible","exact":true,"devices":["GPU-a"],"indices":[0],"steps":[
              {"kind":"move","lease":"7","service":"chat","priority":0,"pid":null,"name":null,"from":"GPU-a",
               "from_index":0,"to":"GPU-b","to_index":1,"bytes":3221225472},
              {"kind":"stop","lease":null,"service":null,"pid":9,"name":"mi\u001b[31mner","from":"GPU-a","from_index":0,
               "to":null,"to_index":null,"bytes":1048576}],"reasons":[])"),
                        page()),
            "8192 MiB would fit on GPU 0 after this:\n"
            "  1. move lease 7 of chat with 3072 MiB from GPU 0 to GPU 1\n"
            "  2. stop process 9 (mi?[31mner), which has 1 MiB of GPU 0 without a lease\n"
            "Nothing of it was done. Only holders themselves can move what they have.\n");
}

TEST(ReclaimPageTest, APlanThatNeedsNothingAndOneThatHelpsNothing) {
  EXPECT_EQ(
      render_plan(plan(R"("verdict":"fits","exact":true,"devices":["GPU-a"],"indices":[0],"steps":[],"reasons":[])"),
                  page()),
      "8192 MiB fit now, on GPU 0.\n");
  EXPECT_EQ(render_plan(plan(R"("verdict":"never","exact":true,"devices":[],"steps":[],
              "reasons":["GPU 0 can be booked up to 4096 MiB, empty as well"])"),
                        page()),
            "8192 MiB would not fit, whatever moves or ends:\n"
            "  GPU 0 can be booked up to 4096 MiB, empty as well\n");
  EXPECT_THAT(
      render_plan(plan(R"("verdict":"possible","exact":false,"devices":["GPU-a"],"indices":[0],"steps":[])"), page()),
      HasSubstr("There was too much to try all of it: a cheaper way may exist.\n"));
}

constexpr std::string_view kReport = R"json({"schema":"gpukeeper.reclaim/1","number":3,"why":"asked for",
  "started":"2026-05-28T20:26:40.000Z","took_seconds":12.3,"finished":true,"problem":null,"returned_bytes":524288000,
  "devices":[{"id":"GPU-a","index":0,"total_bytes":8388608000,"used_before_bytes":7340032000,
    "used_after_bytes":6815744000,"wanted_bytes":209715200,"still_wanted_bytes":0}],
  "steps":[
    {"step":"reap","type":"stale_reclaim","returned_bytes":0,"holders":[],
     "skipped":"no lease belongs to a process that is gone, and none has expired"},
    {"step":"ask","type":"cache_trim","returned_bytes":524288000,"skipped":null,"holders":[
      {"lease":"7","service":"chat","pid":null,"name":null,"device":"GPU-a","what":"asked (ollama)",
       "promised_bytes":4194304000,"before_bytes":7340032000,"after_bytes":6815744000,"returned_bytes":524288000,
       "unbooked_bytes":0,"scrubbed":null,"note":"2 models were unloaded","problem":null,"took_seconds":0.5},
      {"lease":"8","service":"other","pid":9,"name":null,"device":"GPU-a","what":"asked (webhook)",
       "promised_bytes":null,"before_bytes":null,"after_bytes":null,"returned_bytes":null,"unbooked_bytes":0,
       "scrubbed":null,"note":null,"problem":"POST http://127.0.0.1:1: refused","took_seconds":0}]},
    {"step":"name","type":null,"returned_bytes":0,"skipped":null,"holders":[]}],
  "advice":[{"lease":null,"service":null,"pid":11,"name":"python3","user":"mara","device":"GPU-a",
    "memory_bytes":1073741824,"idle_seconds":1200,"recommendation":"Ask its user to end it."}]})json";

TEST(ReclaimPageTest, AReportTellsWhatWasPromisedAndWhatCameBack) {
  EXPECT_EQ(render_reclaim(kReport, page()),
            "500 MiB came back in 12.3 s\n"
            "GPU 0  7000 MiB of 8000 MiB used, now 6500 MiB (81 %); 200 MiB were wanted back\n"
            "\n"
            "Reaped\n"
            "    no lease belongs to a process that is gone, and none has expired\n"
            "\n"
            "Asked  500 MiB\n"
            "    lease 7 of chat on GPU 0: asked (ollama); 500 MiB came back of 4000 MiB that were promised\n"
            "      2 models were unloaded\n"
            "    lease 8 of other on GPU 0: asked (webhook)\n"
            "      POST http://127.0.0.1:1: refused\n"
            "\n"
            "Worth a look\n"
            "  1024 MiB on GPU 0: process 11 (python3) of mara, idle for 20 min\n"
            "    Ask its user to end it.\n");
}

TEST(ReclaimPageTest, ALoopWritesALineATime) {
  EXPECT_EQ(render_reclaim_line(kReport, page()), "20:26:40Z  500 MiB came back; GPU 0 is at 81 %\n");
}

TEST(ReclaimPageTest, TheDocumentedTextSaysNoMoreThanTheDriver) {
  EXPECT_EQ(optimizer_results("embedding-service", kReport),
            "Optimization Results:\n"
            "  Service: embedding-service\n"
            "  Memory Freed: 500MB\n"
            "  Optimizations Applied: 1\n"
            "    GPU 0: Freed 500MB (cache_trim)\n");
}

TEST(ReclaimPageTest, WhatIsNoDocumentIsRenderedWithoutHarm) {
  for (const char* text : {"", "[]", "{", R"({"steps":[1,null],"devices":[7],"advice":["x"],"verdict":3})"}) {
    EXPECT_FALSE(render_reclaim(text, page(20)).empty());
    EXPECT_FALSE(render_plan(text, page(20)).empty());
    EXPECT_FALSE(render_reclaim_line(text, page(20)).empty());
  }
}

}  // namespace
}  // namespace gpukeeper::cli
