#include "cli/sink_trial.hpp"

#include <gtest/gtest.h>

#include "captured.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"
#include "sinks/fake_transport.hpp"

namespace gpukeeper::cli {
namespace {

class SinkTrialTest : public testing::Test {
 protected:
  SinkTrialTest() {
    captured_.context.settings.sinks = {
        {.name = "ops", .kind = SinkKind::webhook, .url = "https://hooks.example.org/T0/secret"},
        {.name = "night", .kind = SinkKind::webhook, .enabled = false, .url = "https://example.org"},
        {.name = "mail", .kind = SinkKind::email, .url = "smtp://localhost", .from = "a@b.org", .to = {"c@d.org"}},
        {.name = "log", .kind = SinkKind::log}};
  }
  Exit try_it(const std::string& name) { return try_sink_of(name, world_, captured_.context); }
  std::string error(const std::string& name) {
    const auto exit = try_it(name);
    return exit ? "no error" : exit.error().message;
  }

  Captured captured_;
  FakeTransport transport_;
  FakePrograms programs_;
  FakeClock clock_;
  MemoryFiles files_;
  std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  const SinkWorld world_{transport_, programs_, clock_, log_,
                         Secrets(files_, [](std::string_view) { return std::nullopt; })};
};

TEST_F(SinkTrialTest, SaysWhatTheReceiverAnsweredAndKeepsItsAddressSecret) {
  EXPECT_EQ(try_it("ops"), 0);
  EXPECT_EQ(captured_.out.text,
            "the test has arrived at the sink ops: https://hooks.example.org/… answered with status 200\n");
  EXPECT_EQ(transport_.take_posts().size(), 1U);
  captured_.out.text.clear();
  EXPECT_EQ(try_it("mail"), 0);
  EXPECT_EQ(captured_.out.text, "the test has arrived at the sink mail: smtp://localhost took the mail\n");
  captured_.out.text.clear();
  EXPECT_EQ(try_it("log"), 0);
  EXPECT_EQ(lines_->take().size(), 1U);
}

TEST_F(SinkTrialTest, ATestThatDoesNotArriveIsAFailure) {
  for (const int status : {400, 404, 503}) {
    transport_.answer(status, "no");
    const auto exit = try_it("ops");
    ASSERT_FALSE(exit);
    EXPECT_NE(exit.error().code, Errc::invalid_argument) << "a wrong command line ends with another status";
    EXPECT_EQ(exit.error().message,
              "the test did not arrive at the sink ops: POST https://hooks.example.org/… was "
              "answered with status " +
                  std::to_string(status) + ": no");
  }
  EXPECT_EQ(captured_.out.text, "");
}

TEST_F(SinkTrialTest, OneThatIsNotEnabledIsTriedAndSaysSo) {
  EXPECT_EQ(try_it("night"), 0);
  EXPECT_EQ(
      captured_.out.text,
      "the test has arrived at the sink night: https://example.org answered with status 200; it is not enabled, so "
      "that 'serve' sends it nothing\n");
}

TEST_F(SinkTrialTest, WhatIsNotThereIsNamed) {
  EXPECT_EQ(error("opps"), "there is no sink 'opps': did you mean ops?");
  EXPECT_EQ(error("\x1b[2J"), "there is no sink '?[2J': the configuration has ops, night, mail, log");
  captured_.context.settings.sinks.clear();
  EXPECT_EQ(error("ops"), "no sinks are configured: docs/sinks.md shows how, and --config names another file");
}

}  // namespace
}  // namespace gpukeeper::cli
