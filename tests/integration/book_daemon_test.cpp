#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booking/pidfd_watch.hpp"
#include "core/files.hpp"
#include "engine/open_book.hpp"
#include "fakes/temporary_folder.hpp"
#include "integration/http_client.hpp"
#include "integration/served.hpp"

// The book of `gpukeeper serve`, as it is found before and after it ran.

namespace gpukeeper {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSource = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml";

std::string first_gpu() {
  const std::string source = kSource;
  auto sources = open_sources({&source, 1}, std::make_shared<SystemClock>());
  return sources.value().backends.front()->list().value().front().id.text;
}

/// A process that does nothing until it is killed.
class Child {
 public:
  Child() : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;) ::pause();
    }
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ProcessOwner owner() const { return process_now(pid_).value(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_;
};

class BookDaemonTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  /// As a command without a daemon would.
  template <class Do>
  void with_book(Do what) {
    const auto state = StateDirectory::claim(path("state"));
    ASSERT_TRUE(state) << state.error().message;
    const auto book = open_book({}, &*state, Sources(), clock_);
    Reality reality;
    DeviceReality& gpu = reality.devices.emplace_back();
    gpu.id = gpu_;
    gpu.total = 24'576_MiB;
    gpu.used = Bytes(0);
    gpu.processes.emplace();
    book->observe(reality);
    what(*book);
  }
  std::unique_ptr<Served> serve() {
    return std::make_unique<Served>(std::vector<std::string>{"--source", kSource, "--listen", "unix:" + path("gk.sock"),
                                                             "--state-dir", path("state")},
                                    path("log"));
  }
  std::string health() const {
    service::HttpClient client({.path = path("gk.sock"), .host = {}, .port = 0});
    client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.receive();
  }

  const TemporaryFolder folder_;
  const std::string gpu_ = first_gpu();
  SystemClock clock_;
};

TEST_F(BookDaemonTest, LeasesOutliveItsKillAndEndWithTheirProcesses) {
  Child lives;
  Child dies;
  LeaseId standing{}, living{}, dying{};
  with_book([&](Bookkeeper& book) {
    standing = book.reserve({.service = "embedding-service", .min = 1000_MiB})->id;
    living = book.reserve({.service = "lives", .min = 1000_MiB, .owner = lives.owner()})->id;
    dying = book.reserve({.service = "dies", .min = 1000_MiB, .owner = dies.owner()})->id;
  });
  const auto served = serve();
  ASSERT_TRUE(eventually([&] { return health().find(R"("status":"healthy")") != std::string::npos; })) << served->log();
  dies.kill();
  EXPECT_TRUE(served->says("of dies on " + gpu_)) << served->log();
  EXPECT_THAT(served->log(), HasSubstr(": its process ended"));
  EXPECT_EQ(served->stop(SIGKILL), 128 + SIGKILL);
  with_book([&](Bookkeeper& book) {
    book.look([&](const Ledger& ledger) {
      EXPECT_TRUE(ledger.find(standing));
      EXPECT_TRUE(ledger.find(living));
      EXPECT_FALSE(ledger.find(dying));
      ASSERT_TRUE(ledger.find_ended(dying));
      EXPECT_EQ(ledger.find_ended(dying)->reason, EndReason::owner_died);
    });
  });
}

TEST_F(BookDaemonTest, AStopLosesNothing) {
  LeaseId standing{};
  with_book([&](Bookkeeper& book) { standing = book.reserve({.service = "embedding-service", .min = 1000_MiB})->id; });
  const auto served = serve();
  ASSERT_TRUE(eventually([&] { return health().find(R"("status":"healthy")") != std::string::npos; })) << served->log();
  EXPECT_EQ(served->stop(SIGTERM), 0) << served->log();
  with_book([&](Bookkeeper& book) { book.look([&](const Ledger& ledger) { EXPECT_TRUE(ledger.find(standing)); }); });
}

TEST_F(BookDaemonTest, ADamagedBookIsLeftAsItIsAndEverythingElseGoesOn) {
  with_book([&](Bookkeeper& book) { ASSERT_TRUE(book.reserve({.service = "embedding-service", .min = 1000_MiB})); });
  const std::string file = path("state/simulated/leases.db");
  const std::string damaged = "this was a book of leases";
  std::ofstream(file, std::ios::trunc) << damaged;
  const auto served = serve();
  EXPECT_TRUE(served->says("no leases are granted: ")) << served->log();
  EXPECT_TRUE(eventually([&] { return health().find("no leases are granted: ") != std::string::npos; })) << health();
  EXPECT_THAT(health(), HasSubstr(R"("status":"degraded")"));
  EXPECT_EQ(served->stop(SIGTERM), 0) << served->log();
  EXPECT_EQ(read_file(file, 1 << 20).value_or("gone"), damaged);
}

}  // namespace
}  // namespace gpukeeper
