#include "postgres/database_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DatabaseSettingsTest, AreOffAndWellByThemselves) {
  EXPECT_FALSE(DatabaseSettings().on());
  EXPECT_THAT(check(DatabaseSettings()), IsEmpty());
  EXPECT_TRUE(DatabaseSettings{.url = "postgresql://db/x"}.on());
  EXPECT_TRUE(DatabaseSettings{.url_file = "/etc/gpukeeper/database"}.on());
}

TEST(DatabaseSettingsTest, SayWhatIsWrong) {
  EXPECT_THAT(check({.url = "sqlite:///a:secret", .metrics = {}}),
              ElementsAre("database.url: it must begin with postgresql:// or postgres://"));
  EXPECT_THAT(check({.url_file = "f"}),
              ElementsAre("database.url_file = 'f': it must be the whole path of a file, from / on"));
  EXPECT_THAT(check({.metrics = {"power_wats", "driver_version", "fan_percent", "fan_percent"}}),
              ElementsAre("database.metrics: there is no metric 'power_wats': did you mean 'power_watts'?",
                          "database.metrics: 'driver_version' is no number, and only numbers are kept there",
                          "database.metrics: 'fan_percent' stands there twice"));
}

}  // namespace
}  // namespace gpukeeper::postgres
