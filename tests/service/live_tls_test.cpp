#include "service/live_tls.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/certificates.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LiveTlsTest : public testing::Test {
 protected:
  LiveTlsTest() {
    settings_.certificate = "/c.pem";
    settings_.key = "/k.pem";
    write(make_certificate("first"));
  }
  void write(const MadeCertificate& made) {
    files_->write("/c.pem", made.certificate);
    files_->write("/k.pem", made.key);
  }
  // A second later.
  void look() {
    clock_.advance(1s);
    tls_.look();
  }
  std::string used() const { return tls_.now() ? tls_.now()->certificate().common_name : "none"; }

  const std::shared_ptr<MemoryFiles> files_ = std::make_shared<MemoryFiles>();
  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  config::TlsSettings settings_;
  LiveTls tls_{files_, clock_, log_};
};

TEST_F(LiveTlsTest, ItBeginsWithWhatTheFilesSay) {
  EXPECT_EQ(used(), "none");
  tls_.look();
  tls_.configure(settings_);
  EXPECT_EQ(used(), "none");  // nothing listens with it
  ASSERT_TRUE(tls_.start(settings_));
  EXPECT_EQ(used(), "first");
  EXPECT_THAT(tls_.trouble(), IsEmpty());
}

TEST_F(LiveTlsTest, WithoutItsFilesItDoesNotBegin) {
  files_->remove("/k.pem");
  const auto started = tls_.start(settings_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::not_found);
  EXPECT_THAT(started.error().message, HasSubstr("tls.key: "));
  EXPECT_THAT(started.error().message, HasSubstr("/k.pem"));
}

TEST_F(LiveTlsTest, ANewCertificateIsUsedOnceItsFilesAreQuiet) {
  ASSERT_TRUE(tls_.start(settings_));
  tls_.look();
  const auto before = tls_.now();
  write(make_certificate("second"));
  look();
  tls_.look();
  EXPECT_EQ(used(), "first");  // they may be half written
  look();
  EXPECT_EQ(used(), "second");
  EXPECT_EQ(before->certificate().common_name, "first");  // who connected before goes on
  EXPECT_THAT(tls_.trouble(), IsEmpty());
}

TEST_F(LiveTlsTest, OnASignalItIsUsedAtOnce) {
  ASSERT_TRUE(tls_.start(settings_));
  write(make_certificate("second"));
  tls_.configure(settings_);
  EXPECT_EQ(used(), "second");
}

TEST_F(LiveTlsTest, ABrokenOneKeepsTheOldAndIsSaidOnce) {
  ASSERT_TRUE(tls_.start(settings_));
  const std::string good = files_->read("/c.pem").value();
  files_->write("/c.pem", "half a cert");
  for (int i = 0; i < 5; ++i) look();
  EXPECT_EQ(used(), "first");
  const std::string complaint =
      "TLS stays as it was: tls.certificate: /c.pem: there is no certificate in it: it must be PEM, which begins with "
      "-----BEGIN CERTIFICATE-----";
  EXPECT_THAT(tls_.trouble(), ElementsAre(complaint));
  EXPECT_EQ(std::ranges::count(lines_->take(), "error: " + complaint), 1);

  files_->write("/c.pem", good);
  look();
  look();
  EXPECT_THAT(tls_.trouble(), IsEmpty());
  EXPECT_THAT(lines_->take(), Contains("info: TLS: the files are again as they are used"));
}

TEST_F(LiveTlsTest, AFileThatHasGoneKeepsTheOld) {
  ASSERT_TRUE(tls_.start(settings_));
  files_->remove("/k.pem");
  look();
  look();
  EXPECT_EQ(used(), "first");
  EXPECT_THAT(tls_.trouble(), ElementsAre(HasSubstr("TLS stays as it was: tls.key: ")));
}

TEST_F(LiveTlsTest, ACertificateThatExpiresIsSaid) {
  write(make_certificate("short", "", nullptr, false, std::chrono::floor<std::chrono::seconds>(clock_.wall()) + 1h));
  ASSERT_TRUE(tls_.start(settings_));
  EXPECT_THAT(tls_.trouble(), IsEmpty());
  clock_.advance(61min);
  EXPECT_THAT(tls_.trouble(), ElementsAre(testing::AllOf(testing::StartsWith("TLS: the certificate short ("),
                                                         HasSubstr(" has expired at "))));
}

}  // namespace
}  // namespace gpukeeper::service
