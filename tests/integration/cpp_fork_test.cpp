#include <cstdint>
#include <optional>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "gpukeeper/keeper.hpp"

namespace gpukeeper {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;

TEST(CppForkTest, AChildReleasesNothingOfItsParents) {
  const TemporaryFolder folder;
  const Keeper keeper({.source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml",
                       .state_dir = folder.path().string()});  // in a file, which a child could reach
  std::optional<Lease> lease = keeper.allocate({.bytes = kGiB, .device = 0, .require = true});
  const std::uint64_t left = keeper.available(0);

  const pid_t child = ::fork();
  if (child == 0) {
    bool refused = false;
    try {
      static_cast<void>(keeper.available(0));
    } catch (const Error& error) {
      refused = error.code() == GK_FORKED;
    }
    lease.reset();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(keeper.available(0), left);
  lease.reset();
  EXPECT_EQ(keeper.available(0), left + kGiB);
}

}  // namespace
}  // namespace gpukeeper
