#include "config/door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Settings with_tls() {
  Settings settings;
  settings.listen = {*parse_listen_address("https://0.0.0.0:7910")};
  settings.tls.certificate = "/c.pem";
  settings.tls.key = "/k.pem";
  return settings;
}

TEST(DoorTest, TlsTakesACertificateAndItsKey) {
  EXPECT_THAT(check_door(Settings()), IsEmpty());
  EXPECT_THAT(check_door(with_tls()), IsEmpty());
  Settings settings = with_tls();
  settings.tls = {};
  EXPECT_THAT(check_door(settings), ElementsAre("listen: https://0.0.0.0:7910 takes a certificate: name its file with "
                                                "tls.certificate, and that of its key with tls.key"));
  settings.tls.certificate = "/c.pem";
  EXPECT_THAT(check_door(settings), ElementsAre("tls.certificate: its key is needed, too: name its file with tls.key"));
  settings.tls = {};
  settings.tls.key = "/k.pem";
  EXPECT_THAT(check_door(settings),
              ElementsAre("tls.key: its certificate is needed, too: name its file with tls.certificate"));
  settings = Settings();
  settings.tls.client_required = true;
  EXPECT_THAT(check_door(settings), ElementsAre("tls.client_required: say with tls.client_ca who vouches for clients"));
}

TEST(DoorTest, AnythingMayListenWithTls) {
  EXPECT_FALSE(listens_with_tls(Settings()));
  EXPECT_TRUE(listens_with_tls(with_tls()));
  Settings settings;
  settings.metrics.listen = {*parse_listen_address("tls:127.0.0.1:8000")};
  EXPECT_TRUE(listens_with_tls(settings));
}

TEST(DoorTest, ARuleOfCertificatesSaysWhichAndSomebodyVouchesForThem) {
  Settings settings = with_tls();
  settings.auth.certificates = {{.common_name = "ci"}};
  EXPECT_THAT(check_door(settings), ElementsAre("auth.certificates: no client is asked for one: say with tls.client_ca "
                                                "who vouches for them"));
  settings.tls.client_ca = "/ca.pem";
  EXPECT_THAT(check_door(settings), IsEmpty());
  settings.auth.certificates = {{.role = auth::Role::admin}, {.fingerprint = "12:34"}, {.san = "a", .service = "\n"}};
  EXPECT_THAT(
      check_door(settings),
      ElementsAre("auth.certificates[0]: say which, by common_name, san or fingerprint",
                  "auth.certificates[1].fingerprint: it must be a SHA-256, 64 hex digits with or without colons "
                  "between them, as 'openssl x509 -noout -fingerprint -sha256' says it",
                  "auth.certificates[2].service: the service takes at most 128 bytes without control characters, "
                  "not '?'"));
}

TEST(DoorTest, OriginsAreExact) {
  Settings settings;
  settings.cors.origins = {"https://dashboard.example", "http://localhost:3000", "https://[::1]:8443"};
  EXPECT_THAT(check_door(settings), IsEmpty());
  for (const std::string wrong : {"*", "null", "dashboard.example", "https://", "https://a.example/",
                                  "https://A.example", "https://*.example", "ftp://a.example", "https://u@a.example"}) {
    settings.cors.origins = {wrong};
    EXPECT_THAT(check_door(settings),
                ElementsAre("cors.origins: '" + wrong +
                            "' is no origin: write it as a browser sends it, https://HOST or https://HOST:PORT, in "
                            "small letters and without a path; there is no word for all"));
  }
}

}  // namespace
}  // namespace gpukeeper::config
