#include "attribution/users.hpp"

#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kStart{};

TEST(UsersTest, NamesComeFromThePasswordFile) {
  MemoryFiles files;
  files.write("/etc/passwd",
              "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\n\n# comment\n+\nbroken:x\nbad:x:-1:0\n"
              "huge:x:99999999999:0\nalice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh\n");
  Users users(files);
  EXPECT_EQ(users.name(0, kStart), "root");
  EXPECT_EQ(users.name(1000, kStart), "alice");
  EXPECT_EQ(users.name(1001, kStart), "1001");
  EXPECT_EQ(files.take_accesses().size(), 1u);
}

TEST(UsersTest, WithoutTheFileUsersAreNumbers) {
  MemoryFiles files;
  Users users(files);
  EXPECT_EQ(users.name(1000, kStart), "1000");
}

TEST(UsersTest, NewNamesAreSeenInTime) {
  MemoryFiles files;
  files.write("/etc/passwd", "alice:x:1000:1000::/:/bin/sh\n");
  Users users(files);
  EXPECT_EQ(users.name(1001, kStart), "1001");
  files.write("/etc/passwd", "alice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n");
  EXPECT_EQ(users.name(1001, kStart + 4min), "1001");
  EXPECT_EQ(users.name(1001, kStart + 5min), "bob");
  files.fail("/etc/passwd", Errc::internal);
  EXPECT_EQ(users.name(1001, kStart + 15min), "bob");
}

}  // namespace
}  // namespace gpukeeper
