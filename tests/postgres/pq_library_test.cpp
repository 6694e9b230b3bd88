#include "postgres/pq_library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../fakes/memory_files.hpp"
#include "postgres/pq_connection.hpp"

namespace gpukeeper::postgres {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PqLibraryTest, SaysWhatToInstallWhereThereIsNone) {
  const auto loaded = pq::load_library("/nowhere/libpq.so.5");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_supported);
  EXPECT_THAT(loaded.error().message, HasSubstr("libpq cannot be loaded"));
  EXPECT_THAT(loaded.error().message, HasSubstr("install the package libpq5 (Debian, Ubuntu) or libpq (Fedora)"));
}

TEST(PqLibraryTest, SaysThatAnotherLibraryIsNone) {
  const auto loaded = pq::load_library("libm.so.6");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_supported);
  EXPECT_THAT(loaded.error().message, HasSubstr("libm.so.6 is not libpq: "));
}

class PqConnectorTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!pq::load_library()) GTEST_SKIP() << "there is no libpq here";
  }
  std::string error(DatabaseAddress address) {
    const auto made = PqConnector(std::move(address), files_).connect({});
    return made ? "connected" : made.error().message;
  }
  MemoryFiles files_;
};

TEST_F(PqConnectorTest, AnAddressThatLibpqDoesNotUnderstandIsNotQuoted) {
  EXPECT_EQ(error({.url = "postgresql://me:secret@db:1/x?nonsense=1"}),
            "the address postgresql://me:…@db:1/x is none that libpq understands: it must be like "
            "postgresql://USER@HOST:5432/NAME?sslmode=verify-full");
}

TEST_F(PqConnectorTest, AServerThatIsNotThereIsNamedWithoutThePassword) {
  const std::string told = error({.url = "postgresql://me:secret@127.0.0.1:1/x"});
  EXPECT_THAT(told, HasSubstr("database postgresql://me:…@127.0.0.1:1/x: "));
  EXPECT_THAT(told, HasSubstr("Connection refused"));
  EXPECT_THAT(told, Not(HasSubstr("secret")));
}

TEST_F(PqConnectorTest, SecretsComeOutOfFiles) {
  EXPECT_THAT(error({.url_file = "/etc/url"}), HasSubstr("database.url_file cannot be read: "));
  files_.write("/etc/url", "\n");
  EXPECT_EQ(error({.url_file = "/etc/url"}), "database.url_file: /etc/url is empty");
  files_.write("/etc/url", "mysql://me:secret@db\n");
  EXPECT_EQ(error({.url_file = "/etc/url"}),
            "database.url_file: /etc/url: it must begin with postgresql:// or postgres://");
  files_.write("/etc/url", "postgresql://me@127.0.0.1:1/x\n");
  EXPECT_THAT(error({.url_file = "/etc/url", .password_file = "/etc/pw"}),
              HasSubstr("database.password_file cannot be read: "));
  files_.write("/etc/pw", "secret\n");
  EXPECT_THAT(error({.url_file = "/etc/url", .password_file = "/etc/pw"}), HasSubstr("Connection refused"));
}

TEST_F(PqConnectorTest, AStopEndsAConversationThatHasNotBegun) {
  std::stop_source stop;
  stop.request_stop();
  const auto made = PqConnector({.url = "postgresql://me@127.0.0.1:1/x"}, files_).connect(stop.get_token());
  EXPECT_FALSE(made);
}

}  // namespace
}  // namespace gpukeeper::postgres
