// gpukeeper in a program's own process: over fork(), to its exit, opened and closed thousands of times, beside a
// daemon.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embed/opened.hpp"
#include "integration/served.hpp"

namespace {

using gpukeeper::eventually;
using gpukeeper::Served;
using testing::HasSubstr;

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;
const std::string kScenario = GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml";

/// A folder of the test's own, with a configuration whose GPUs are simulated though nobody names a source.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "gpukeeper-embedded-XXXXXX";
    path_ = ::mkdtemp(name.data());
    std::ofstream(config()) << "source: [\"simulated:" << kScenario << "\"]\nstate_dir: " << path_ << "/state\n";
    ::setenv("RUNTIME_DIRECTORY", path_.c_str(), 1);  // where a daemon of this machine would listen
  }
  ~Folder() {
    ::unsetenv("RUNTIME_DIRECTORY");
    std::filesystem::remove_all(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string config() const { return path_ + "/gpukeeper.yaml"; }
  std::string socket() const { return "unix:" + path_ + "/gpukeeper.sock"; }
  std::string log() const { return path_ + "/log"; }
  std::string state() const { return path_ + "/state"; }

 private:
  std::string path_;
};

gk_lease allocate(gk_keeper* keeper, std::uint64_t bytes, const char* name = nullptr, int standing = 0) {
  gk_lease lease{.size = sizeof lease};
  const gk_request wanted{
      .size = sizeof wanted, .service = "embedding", .name = name, .bytes = bytes, .device = 0, .standing = standing};
  EXPECT_EQ(gk_allocate(keeper, &wanted, &lease, nullptr), GK_OK) << gk_last_error();
  return lease;
}

std::string ask(gk_keeper* keeper, const std::string& target) {
  char* text = nullptr;
  const gk_result result = gk_ask(keeper, "GET", target.c_str(), nullptr, &text);
  std::string answer = result == GK_OK ? std::string(text) : "failed: " + std::string(gk_last_error());
  gk_free(text);
  return answer;
}

// Runs it in a child; its exit status, or -1 when it does not end in time.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) std::exit(work());
  int status = 0;
  const bool ended = eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::size_t entries(const char* folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t resident_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

TEST(EmbeddedTest, AChildHasNoneOfItsParentsKeepersAndMayOpenItsOwn) {
  const Folder folder;
  Opened keeper({.state_dir = folder.state(), .ledger = GK_LEDGER_MACHINE});
  const gk_lease lease = allocate(keeper, kGib, "parent", 1);
  const int status = in_child([&] {
    gk_reading reading{.size = sizeof reading};
    if (gk_read(keeper, 0, &reading) != GK_FORKED) return 1;
    if (std::string(gk_last_error()) !=
        "this keeper was opened before fork(), and its threads are the parent's: open another in the child") {
      return 2;
    }
    gk_close(keeper);  // frees nothing
    Opened own({.state_dir = folder.state(), .ledger = GK_LEDGER_MACHINE});
    if (own.result() != GK_OK || gk_read(own, 0, &reading) != GK_OK) return 3;
    if (ask(own, "/api/v1/leases").find(R"("name":"parent")") == std::string::npos) return 4;
    allocate(own, kGib, "child", 1);
    return testing::Test::HasFailure() ? 5 : 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_THAT(ask(keeper, "/api/v1/leases"), HasSubstr(R"("name":"child")")) << "what another process wrote is seen";
  EXPECT_EQ(gk_release(keeper, lease.id), GK_OK) << gk_last_error();
}

TEST(EmbeddedTest, AProcessEndsWithItsKeepersOpen) {
  EXPECT_EQ(in_child([] {
              static Opened first({.monitoring = 1});
              gk_keeper* leaked = nullptr;
              const std::string source = "simulated:" + kScenario;
              const gk_options options{
                  .size = sizeof options, .source = source.c_str(), .ledger = GK_LEDGER_MEMORY, .monitoring = 1};
              if (gk_open(&options, &leaked) != GK_OK) return 1;
              const auto listener = [](const gk_event*, void*) {};
              if (gk_subscribe(leaked, nullptr, listener, nullptr, nullptr) != GK_OK) return 2;
              if (gk_serve_metrics(leaked, "127.0.0.1:0", nullptr) != GK_OK) return 3;
              std::atexit([] { gk_device_count(nullptr); });
              std::thread([leaked] {
                gk_reading reading{.size = sizeof reading};
                while (gk_read(leaked, 0, &reading) == GK_OK) std::this_thread::yield();
              }).detach();
              return 0;
            }),
            0);
}

TEST(EmbeddedTest, ClosingWaitsForCallsThatAreUnderWay) {
  Opened keeper;
  std::atomic<int> began = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 100; ++i) {
    threads.emplace_back([&, handle = static_cast<gk_keeper*>(keeper)] {
      gk_reading reading{.size = sizeof reading};
      gk_result result = GK_OK;
      for (++began; result == GK_OK;) result = gk_latest(handle, 0, &reading);
      if (result != GK_INVALID || std::string(gk_last_error()) != "this keeper is closed") ++wrong;
    });
  }
  ASSERT_TRUE(eventually([&] { return began == 100; }));
  keeper.close();
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(EmbeddedTest, NothingIsLeftOfThousandsOfKeepers) {
  const char* const said = std::getenv("GPUKEEPER_OPENINGS");
  const int times = said ? std::atoi(said) : 300;
  const auto open_and_close = [] {
    const Opened keeper;
    ASSERT_EQ(keeper.result(), GK_OK) << keeper.error();
    EXPECT_EQ(gk_release(keeper, allocate(keeper, kGib).id), GK_OK);
  };
  for (int i = 0; i < 100; ++i) open_and_close();
  const auto threads = entries("/proc/self/task");
  const auto files = entries("/proc/self/fd");
  const auto resident = resident_kib();
  for (int i = 0; i < times; ++i) open_and_close();
  EXPECT_TRUE(eventually([&] { return entries("/proc/self/task") <= threads; }));
  EXPECT_EQ(entries("/proc/self/fd"), files);
  // Each may leave nothing: 4 MiB over all is what the heap of many threads breathes.
  EXPECT_LT(resident_kib(), resident + (4U << 10)) << "after " << times << " keepers";
  RecordProperty("resident_before_kib", static_cast<int>(resident));
  RecordProperty("resident_after_kib", static_cast<int>(resident_kib()));
}

class DaemonTest : public testing::Test {
 protected:
  void serve() {
    daemon_.emplace(std::vector<std::string>{"--config", folder_.config(), "--listen", folder_.socket()},
                    folder_.log());
    ASSERT_TRUE(daemon_->says("listening on")) << daemon_->log();
  }

  Folder folder_;
  std::optional<Served> daemon_;
};

TEST_F(DaemonTest, AKeeperShowsWhatADaemonSees) {
  serve();
  Opened keeper({.source = "", .host = folder_.socket(), .ledger = GK_LEDGER_MACHINE});
  ASSERT_EQ(keeper.result(), GK_OK) << keeper.error();
  EXPECT_EQ(gk_host(keeper), folder_.socket());
  EXPECT_EQ(gk_device_count(keeper), 2U);
  gk_reading reading{.size = sizeof reading};
  ASSERT_EQ(gk_read(keeper, 1, &reading), GK_OK) << gk_last_error();
  EXPECT_EQ(reading.index, 1U);
  EXPECT_EQ(reading.simulated, 1);
  EXPECT_EQ(gk_is_monitoring(keeper), 1);
  EXPECT_EQ(gk_monitor(keeper, 0), GK_OK) << gk_last_error();
  EXPECT_EQ(gk_is_monitoring(keeper), 0);
  std::int32_t state = -1;
  EXPECT_EQ(gk_judge(keeper, 80, 10, &state), GK_OK) << gk_last_error();
  EXPECT_EQ(state, GK_THROTTLED);
  const gk_lease lease = allocate(keeper, kGib);
  EXPECT_EQ(lease.device, 0);
  EXPECT_EQ(gk_resize(keeper, lease.id, 2 * kGib), GK_OK) << gk_last_error();
  EXPECT_THAT(ask(keeper, "/api/v1/leases/" + std::to_string(lease.id)), HasSubstr(R"("min_bytes":2147483648)"));
  std::uint64_t available = 0;
  EXPECT_EQ(gk_available(keeper, 0, &available), GK_OK) << gk_last_error();
  EXPECT_GT(available, 0U);
  EXPECT_EQ(gk_release(keeper, lease.id), GK_OK) << gk_last_error();
  EXPECT_EQ(gk_release(keeper, 4711), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no lease 4711");
}

TEST_F(DaemonTest, WhereNoneRunsThatIsSaid) {
  const Opened keeper({.source = "", .host = folder_.socket()});
  EXPECT_EQ(keeper.result(), GK_NOT_FOUND);
  EXPECT_THAT(keeper.error(), HasSubstr("start one with 'gpukeeper serve --listen " + folder_.socket() + "'"));
}

TEST_F(DaemonTest, ItsEventsAreTold) {
  serve();
  struct Heard {
    std::mutex mutex;
    std::vector<std::string> types;
  } heard;
  Opened keeper({.source = "", .host = folder_.socket()});
  ASSERT_EQ(keeper.result(), GK_OK) << keeper.error();
  const auto listener = [](const gk_event* event, void* user) {
    auto& into = *static_cast<Heard*>(user);
    std::scoped_lock lock(into.mutex);
    into.types.emplace_back(event->type);
  };
  ASSERT_EQ(gk_subscribe(keeper, "snapshot,lease", listener, &heard, nullptr), GK_OK) << gk_last_error();
  const auto has = [&](const char* type) {
    return eventually([&] {
      std::scoped_lock lock(heard.mutex);
      return std::ranges::find(heard.types, type) != heard.types.end();
    });
  };
  EXPECT_TRUE(has("snapshot"));
  EXPECT_EQ(gk_release(keeper, allocate(keeper, kGib).id), GK_OK);
  EXPECT_TRUE(has("lease.granted"));
  EXPECT_TRUE(has("lease.ended"));
}

TEST_F(DaemonTest, TheMachinesLedgerIsTheDaemonsAsLongAsOneRuns) {
  Opened keeper({.source = "", .config = folder_.config(), .ledger = GK_LEDGER_MACHINE});
  ASSERT_EQ(keeper.result(), GK_OK) << keeper.error();
  const gk_lease before = allocate(keeper, kGib, "before", 1);
  serve();
  Opened daemon({.source = "", .host = folder_.socket()});
  ASSERT_EQ(daemon.result(), GK_OK) << daemon.error();
  EXPECT_THAT(ask(daemon, "/api/v1/leases"), HasSubstr(R"("name":"before")")) << "one ledger";
  const gk_lease during = allocate(keeper, kGib, "during", 1);
  EXPECT_THAT(ask(daemon, "/api/v1/leases"), HasSubstr(R"("name":"during")")) << "booked by the daemon";
  daemon_.reset();  // killed
  EXPECT_EQ(gk_release(keeper, during.id), GK_OK) << gk_last_error();
  EXPECT_EQ(gk_release(keeper, before.id), GK_OK) << gk_last_error();
  EXPECT_EQ(ask(keeper, "/api/v1/leases").find(R"("name":"before")"), std::string::npos);
}

}  // namespace
