#include "cli/leases_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rfc3339.hpp"

namespace gpukeeper::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

RenderOptions page(std::size_t width = 100) {
  return {.width = width, .now = *parse_rfc3339("2026-05-28T20:30:00Z")};
}

std::string device(const std::string& more = "") {
  return R"({"id":"GPU-a","index":0,"name":"NVIDIA H200","simulated":false,"recorded":false,"total_bytes":25769803776,
    "used_bytes":2147483648,"capacity_bytes":23622320128,"headroom_bytes":536870912,"booked_bytes":4294967296,
    "charged_bytes":4294967296,"draining_bytes":0,"unmanaged_bytes":1073741824,"available_bytes":18253611008,
    "leases":1,"exclusive":false,"foreign":[])" +
         more + "}";
}

std::string lease(const std::string& more = "") {
  return R"({"id":"7","index":0,"device":"GPU-a","service":"embedding-service","name":null,"state":"active",
    "min_bytes":4294967296,"max_bytes":4294967296,"observed_bytes":2147483648,"peak_bytes":3221225472,
    "owner":{"kind":"standing"},"uid":1000,"user":"mara","overused":false,"created":"2026-05-28T20:25:00Z",
    "ends_in_seconds":null)" +
         more + "}";
}

std::string book(const std::string& devices, const std::string& leases, const std::string& more = "") {
  return R"({"schema":"gpukeeper.leases/1","taken_at":"2026-05-28T20:30:00Z","closed":null,"devices":[)" + devices +
         R"(],"leases":[)" + leases + R"(],"waiting":[])" + more + "}";
}

TEST(LeasesPageTest, TheGpusStandAboveTheLeases) {
  EXPECT_EQ(render_leases(book(device(), lease()), page()),
            "GPU  NAME          BOOKED  AVAILABLE  UNMANAGED        OF  LEASES\n"
            "  0  NVIDIA H200  4.0 GiB   17.0 GiB    1.0 GiB  22.0 GiB       1\n"
            "\n"
            "LEASE  SERVICE            GPU   BOOKED     USED  STATE   OWNER     USER  SINCE\n"
            "    7  embedding-service    0  4.0 GiB  2.0 GiB  active  standing  mara  5 min\n");
}

TEST(LeasesPageTest, WhereNothingIsBookedItSaysHowToBook) {
  EXPECT_THAT(
      render_leases(book(device(), ""), page()),
      HasSubstr("\nNothing is booked. gpukeeper allocate SERVICE MEMORY books memory, gpukeeper run --memory 6GiB --\n"
                "COMMAND books it for a command.\n"));
  EXPECT_THAT(render_leases(book("", ""), page()), HasSubstr("There is no GPU: gpukeeper doctor says why.\n"));
}

TEST(LeasesPageTest, ALedgerThatGrantsNothingSaysSoFirst) {
  const std::string closed = R"({"closed":"the disk is full","devices":[],"leases":[],"waiting":[]})";
  EXPECT_THAT(render_leases(closed, page()), testing::StartsWith("Nothing is granted now: the disk is full\n"));
}

TEST(LeasesPageTest, WhoWaitsHasAPlaceInLineAndWhoUsesTooMuchIsNamed) {
  const std::string waiting =
      R"({"id":"9","index":null,"service":"b","state":"waiting","min_bytes":1073741824,"max_bytes":2147483648,
          "observed_bytes":null,"owner":{"kind":"process","pid":4711},"uid":0,"user":null,"overused":false,
          "created":"2026-05-28T20:29:50Z","ends_in_seconds":20})";
  const std::string text =
      render_leases(book(device(), waiting + "," + lease(R"(,"overused":true)"), R"(,"waiting":["8","9"])"), page(120));
  EXPECT_THAT(text, HasSubstr("    9  b                    -  1.0 GiB  2.0 GiB        -  waiting, 2 in line"));
  EXPECT_THAT(text, HasSubstr("process 4711"));
  EXPECT_THAT(text, HasSubstr("overused"));
}

TEST(LeasesPageTest, WhoUsesMemoryWithoutALeaseIsNamedHarmlessly) {
  const std::string foreign =
      R"({"id":"GPU-a","index":0,"name":"X","foreign":[{"pid":12,"name":"\u001b[31mred","memory_bytes":1073741824},
          {"pid":13,"name":null,"memory_bytes":null}]})";
  const std::string text = render_leases(book(foreign, ""), page());
  EXPECT_THAT(text, HasSubstr("\nGPU 0: in use without a lease: ?[31mred (12) 1.0 GiB, process (13) -\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(LeasesPageTest, WhatIsNoSuchDocumentIsAnEmptyPage) {
  for (const auto* text : {"", "[]", "{\"devices\":7,\"leases\":{}}", "nonsense", "{\"devices\":[1,null,\"a\"]}"}) {
    EXPECT_THAT(render_leases(text, page()), HasSubstr("Nothing is booked.")) << text;
  }
}

TEST(LeasesPageTest, EndedLeasesSayWhy) {
  const std::string text = render_leases(
      book(device(), "", R"(,"ended":[{"id":"3","index":0,"service":"a","state":"ended","reason":"owner_died",
          "min_bytes":1073741824,"max_bytes":1073741824,"peak_bytes":536870912,"owner":{"kind":"process","pid":5},
          "uid":0,"created":"2026-05-28T19:30:00Z"}])"),
      page());
  EXPECT_THAT(text, HasSubstr("\nOver:\nLEASE  SERVICE  GPU   BOOKED     PEAK  STATE       OWNER"));
  EXPECT_THAT(text, HasSubstr("    3  a          0  1.0 GiB  512 MiB  owner died  process 5"));
}

TEST(LeasesPageTest, AGrantIsASentenceALease) {
  EXPECT_EQ(render_grant(R"({"repeated":false,"note":null,"leases":[)" + lease() + "]}", page()),
            "Booked 4096 MiB on GPU 0 for embedding-service: lease 7\n");
  EXPECT_EQ(render_grant(R"({"repeated":true,"note":"GPU 1 has no room","leases":[)" +
                             lease(R"(,"max_bytes":8589934592,"simulated":true)") + "]}",
                         page()),
            "Had booked 4096 MiB, 8192 MiB at most, on GPU 0 for embedding-service: lease 7 (simulated)\n"
            "GPU 1 has no room\n");
}

TEST(LeasesPageTest, ARefusalSetsOutWhatStandsInTheWay) {
  const std::string problem =
      R"({"status":409,"code":"insufficient_memory","detail":"no GPU has 20000 MiB available for a\nGPU 0 (GPU-a) has )"
      R"(18000 MiB available, 2000 MiB short: lease 7 of b has 4096 MiB; process 12 (python3) uses 1024 MiB without a )"
      R"(lease\nGPU 1 (GPU-b) is not available: it fell off the bus",
          "refusal":{"cause":"no_room","may_come":true,"devices":[{"in_the_way":[{"id":"7"}],"foreign":[]},
                                                  {"in_the_way":[],"foreign":[]}]}})";
  EXPECT_EQ(render_refusal(problem, 80, true),
            "no GPU has 20000 MiB available for a\n"
            "  GPU 0 (GPU-a) has 18000 MiB available, 2000 MiB short:\n"
            "    lease 7 of b has 4096 MiB\n"
            "    process 12 (python3) uses 1024 MiB without a lease\n"
            "  GPU 1 (GPU-b) is not available: it fell off the bus");
  EXPECT_EQ(render_refusal("{}", 80, true), "it was refused without a reason");
  EXPECT_EQ(render_refusal(R"({"detail":"an \u001b[31m escape"})", 80, true), "an ?[31m escape");
}

TEST(LeasesPageTest, QuotasAreFoundByEitherSpelling) {
  const std::string document =
      R"({"services":[{"service":"embedding-service","booked_bytes":4294967296,"leases":1,"quota":{
          "min_request_bytes":2147483648,"max_request_bytes":8589934592,"total_bytes":17179869184,"leases":4,
          "devices":[],"preferred_device":null,"near":[],"apart":[],"priority":0}},
          {"service":"other","booked_bytes":0,"leases":0,"quota":null}]})";
  EXPECT_EQ(render_quotas(document, "", page()),
            "SERVICE             BOOKED        OF  LEASES  AT LEAST  AT MOST\n"
            "embedding-service  4.0 GiB  16.0 GiB  1 of 4   2.0 GiB  8.0 GiB\n"
            "other                0 MiB  no quota       0         -        -\n");
  EXPECT_THAT(render_quotas(document, "embedding_service", page()).value(), Not(HasSubstr("other")));
  EXPECT_EQ(render_quotas(document, "nobody", page()), std::nullopt);
  EXPECT_THAT(quotas_of(document, "embedding_service"), Not(HasSubstr("other")));
}

}  // namespace
}  // namespace gpukeeper::cli
