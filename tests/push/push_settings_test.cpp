#include "push/push_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::push {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PushSettingsTest, AreOffAndWellByThemselves) {
  EXPECT_FALSE(PushSettings().on());
  EXPECT_THAT(check("otlp", PushSettings()), IsEmpty());
  EXPECT_THAT(check_remote_write(PushSettings()), IsEmpty());
}

TEST(PushSettingsTest, SayWhatIsWrong) {
  EXPECT_THAT(
      check("otlp", {.url = "ftp://a"}),
      ElementsAre("otlp.url: it must be https://HOST/… or http://HOST/…, without a user: that is for the key user"));
  EXPECT_THAT(
      check("otlp", {.url = "http://a.example/", .token_file = "/t"}),
      ElementsAre("otlp.url: a token or a password must not travel in the open to another machine: use https://"));
  EXPECT_THAT(check("otlp", {.url = "http://127.0.0.1/", .token_file = "/t"}), IsEmpty());
  EXPECT_THAT(check("otlp", {.user = "u"}), ElementsAre("otlp.user: user and password_file belong together"));
  EXPECT_THAT(check("otlp", {.ca_file = "ca.pem"}),
              ElementsAre("otlp.ca_file: it must be the whole path of a file, from / on"));
  EXPECT_THAT(check("otlp", {.headers = {"X-Scope-OrgID: a", "wrong", "a b: c", "x: \r\ny"}}), testing::SizeIs(3));
  EXPECT_THAT(check("otlp", {.labels = {"cluster=a", "cluster", "1a=b", "__name__=x", "=b"}}), testing::SizeIs(4));
}

TEST(PushSettingsTest, AHeaderThatIsAKeyDoesNotTravelInTheOpen) {
  for (const std::string header : {"Authorization: Bearer 1", "X-Api-Key: 1", "x-auth-TOKEN: 1", "Cookie: a=1"}) {
    EXPECT_THAT(check("otlp", {.url = "http://a.example/", .headers = {"X-Scope-OrgID: a", header}}),
                ElementsAre("otlp.url: the header " + header.substr(0, header.find(':')) +
                            " must not travel in the open to another machine: use https://"));
    EXPECT_THAT(check("otlp", {.url = "https://a.example/", .headers = {header}}), IsEmpty());
    EXPECT_THAT(check("otlp", {.url = "http://localhost:4318/", .headers = {header}}), IsEmpty());
    EXPECT_THAT(check("otlp", {.headers = {header}}), IsEmpty());  // nowhere
  }
  EXPECT_THAT(check("otlp", {.url = "http://a.example/", .headers = {"X-Scope-OrgID: key"}}), IsEmpty());
}

TEST(PushSettingsTest, ShowNoPathAndNoHeadersValue) {
  EXPECT_EQ(published_url({}), "");
  EXPECT_EQ(published_url({.url = "https://push.example/key/1234"}), "https://push.example/…");
  EXPECT_THAT(published_headers({.headers = {"Api-Key: 1234"}}), ElementsAre("Api-Key: …"));
}

TEST(PushSettingsTest, RemoteWriteIsRefusedWhereItWasLeftOut) {
  const auto found = check_remote_write({.url = "https://a.example/"});
#ifdef GPUKEEPER_REMOTE_WRITE
  EXPECT_THAT(found, IsEmpty());
#else
  EXPECT_THAT(found, ElementsAre(testing::HasSubstr("this gpukeeper was built without remote-write")));
#endif
}

}  // namespace
}  // namespace gpukeeper::push
