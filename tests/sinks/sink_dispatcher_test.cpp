#include "sinks/sink_dispatcher.hpp"

#include <condition_variable>
#include <thread>

#include <gmock/gmock.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/temporary_folder.hpp"
#include "sinks/fake_transport.hpp"
#include "sinks/notices.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Programs that a test holds up until it lets them go on, and that tell when they were run.
class HeldPrograms final : public Programs {
 public:
  Result<std::string> find(std::string_view name, const std::vector<std::string>&) const override {
    return std::string(name);
  }
  Result<ProgramOutput> run(const ProgramCall& call, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    runs_.push_back(call.path);
    changed_.notify_all();
    if (deaf_) changed_.wait(lock, [&] { return released_; });
    if (call.path == "held" && !changed_.wait(lock, stop, [&] { return released_; })) {
      return fail(Errc::unavailable, "held was stopped");
    }
    return ProgramOutput{};
  }
  void release() {
    {
      const std::scoped_lock lock(mutex_);
      released_ = true;
    }
    changed_.notify_all();
  }
  /// From now on a request to stop is not heard.
  void be_deaf() {
    const std::scoped_lock lock(mutex_);
    deaf_ = true;
  }
  void wait_for(const std::string& path, std::ptrdiff_t times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ranges::count(runs_, path) >= times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::string> runs_;
  bool released_ = false;
  bool deaf_ = false;
};

class SinkDispatcherTest : public testing::Test {
 protected:
  static SinkSettings program(std::string name) { return {.name = name, .kind = SinkKind::command, .command = {name}}; }
  static AlertChange change(std::string id, AlertChange::Kind kind = AlertChange::Kind::fired) {
    AlertChange result{kind, hot_gpu().alert};
    result.alert.id = std::move(id);
    return result;
  }

  const TemporaryFolder folder_;
  FakeClock clock_;
  std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  FakeTransport transport_;
  HeldPrograms programs_;
  MemoryFiles files_;
  const SinkWorld world_{transport_, programs_, clock_, log_,
                         Secrets(files_, [](std::string_view) { return std::nullopt; })};
  const SinkDispatcherOptions options_{.folder = folder_.path().string(), .host = "gpu-box"};
};

TEST_F(SinkDispatcherTest, ASinkThatHangsHarmsNoOther) {
  SinkDispatcher dispatcher({program("held"), program("quick")}, world_, options_);
  dispatcher.start();
  dispatcher.alerts_changed({change("a"), change("b")});
  programs_.wait_for("quick", 2);
  programs_.wait_for("held", 1);
  programs_.release();
  programs_.wait_for("held", 2);
}

TEST_F(SinkDispatcherTest, WhatWaitsAtTheEndIsSentByTheNextProcess) {
  {
    SinkDispatcher dispatcher({program("held")}, world_, options_);
    dispatcher.start();
    dispatcher.alerts_changed({change("a")});
    programs_.wait_for("held", 1);
    dispatcher.alerts_changed({change("b"), change("a", AlertChange::Kind::resolved)});
  }
  const SpoolContents kept = parse_spool(*FileSpoolStore((folder_.path() / "held.jsonl").string()).load());
  ASSERT_EQ(kept.waiting.size(), 3u);
  EXPECT_EQ(kept.waiting[0].notice->alert.id, "a");
  EXPECT_EQ(kept.waiting[0].notice->host, "gpu-box");
  EXPECT_EQ(kept.waiting[2].notice->kind, AlertNotice::Kind::resolved);
  programs_.release();
  SinkDispatcher dispatcher({program("held")}, world_, options_);
  dispatcher.start();
  programs_.wait_for("held", 4);
}

TEST_F(SinkDispatcherTest, WhoeverStopsItNeedNotWaitForASinkThatHangs) {
  const std::string path = (folder_.path() / "held.jsonl").string();
  programs_.be_deaf();
  SinkDispatcher dispatcher({program("held")}, world_, options_);
  dispatcher.start();
  dispatcher.alerts_changed({change("a")});
  programs_.wait_for("held", 1);
  dispatcher.begin_stop();
  EXPECT_FALSE(dispatcher.ended());
  dispatcher.alerts_changed({change("b")});  // the last one is kept as well
  programs_.release();
  while (!dispatcher.ended()) std::this_thread::yield();
  const SpoolContents kept = parse_spool(*FileSpoolStore(path).load());
  ASSERT_EQ(kept.waiting.size(), 1u);
  EXPECT_EQ(kept.waiting[0].notice->alert.id, "b");
}

TEST_F(SinkDispatcherTest, WhatIsToldBeforeTheStartIsSentThen) {
  SinkDispatcher dispatcher({program("quick")}, world_, options_);
  dispatcher.alerts_changed({change("a")});
  EXPECT_EQ(dispatcher.status()[0].waiting, 1u);
  dispatcher.start();
  programs_.wait_for("quick", 1);
}

TEST_F(SinkDispatcherTest, WhatWasNeverSentIsKept) {
  {
    SinkDispatcher dispatcher({program("quick")}, world_, options_);
    dispatcher.alerts_changed({change("a")});
  }
  SinkDispatcher dispatcher({program("quick")}, world_, options_);
  dispatcher.start();
  programs_.wait_for("quick", 1);
}

TEST_F(SinkDispatcherTest, WithoutAFolderItWorksInMemory) {
  SinkDispatcher dispatcher({program("quick")}, world_, {.host = "gpu-box"});
  dispatcher.start();
  dispatcher.alerts_changed({change("a")});
  programs_.wait_for("quick", 1);
}

TEST_F(SinkDispatcherTest, StatusSaysHowEachSinkDoes) {
  SinkSettings off = program("off");
  off.enabled = false;
  SinkDispatcher dispatcher({program("held"), off}, world_,
                            {.folder = (folder_.path() / "gone").string(), .host = "gpu-box"});
  dispatcher.start();
  dispatcher.alerts_changed({change("a"), change("b")});
  programs_.wait_for("held", 1);
  const auto status = dispatcher.status();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].name, "held");
  EXPECT_EQ(status[0].kind, SinkKind::command);
  EXPECT_EQ(status[0].waiting, 2u);
}

TEST_F(SinkDispatcherTest, TextsOfAnySizeAreBounded) {
  AlertChange huge = change("a");
  huge.alert.message = huge.alert.remedy = std::string(1 << 20, 'x');
  huge.origin = "simulated";
  {
    SinkDispatcher dispatcher({program("held")}, world_, options_);
    dispatcher.start();
    dispatcher.alerts_changed({huge});
  }
  const auto text = *FileSpoolStore((folder_.path() / "held.jsonl").string()).load();
  EXPECT_LT(text.size(), 10'000u);
  EXPECT_THAT(text, HasSubstr(R"("origin":"simulated")"));
}

TEST_F(SinkDispatcherTest, DamagedLinesAreSaidAtTheStart) {
  FileSpoolStore store((folder_.path() / "quick.jsonl").string());
  ASSERT_TRUE(store.append("no json\n"));
  const SinkDispatcher dispatcher({program("quick")}, world_, options_);
  EXPECT_THAT(lines_->take(), ElementsAre("warning: the sink quick: 1 damaged line of what waited was left out"));
  EXPECT_EQ(dispatcher.status()[0].spool, "1 damaged line of what waited was left out");
}

TEST_F(SinkDispatcherTest, ATestSaysThatItIsOne) {
  const AlertNotice notice = test_notice("gpu-box", kTold);
  EXPECT_EQ(headline(notice), "[test] A test of gpukeeper's alerts; nothing is wrong");
  EXPECT_EQ(parse_notice(notice_json(notice)), notice);
}

}  // namespace
}  // namespace gpukeeper
