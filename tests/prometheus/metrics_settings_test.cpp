#include "prometheus/metrics_settings.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::prometheus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MetricsSettingsTest, FamiliesAreNamed) {
  EXPECT_EQ(parse_families("gpukeeper"), FamilySet{MetricFamily::gpukeeper});
  EXPECT_EQ(parse_families("dcgm, documented,dcgm"), (FamilySet{MetricFamily::documented, MetricFamily::dcgm}));
}

TEST(MetricsSettingsTest, AFamilyThatThereIsNotIsAnError) {
  EXPECT_EQ(parse_families("gpukeeper,nvidia\x1b").error().message,
            "there is no family of metrics 'nvidia?': known are gpukeeper, documented, prefix, dcgm");
  EXPECT_EQ(parse_families("").error().message,
            "there is no family of metrics '': known are gpukeeper, documented, prefix, dcgm");
}

TEST(MetricsSettingsTest, AreWellByThemselvesAndHaveEveryFamily) {
  EXPECT_THAT(check(MetricsSettings()), IsEmpty());
  EXPECT_EQ(all_families().size(), std::size(kFamilies));
}

TEST(MetricsSettingsTest, APrefixBeginsANameAndAServiceHasOne) {
  MetricsSettings settings;
  settings.prefix = "_my_9";
  EXPECT_THAT(check(settings), IsEmpty());
  settings.prefix = "9lives";
  settings.service_name = "";
  EXPECT_THAT(
      check(settings),
      ElementsAre("metrics.prefix: '9lives' begins no metric's name: that takes letters, digits and _, no digit "
                  "first, 64 at the most, such as entrenar",
                  "metrics.service_name: it is empty; it takes a name such as gpu-optimizer"));
  for (const std::string prefix : {"", "a-b", "a:b", "a b", "ä", "a\n"}) {
    settings.prefix = prefix;
    EXPECT_EQ(check(settings).size(), 2u) << prefix;
  }
  settings.prefix = std::string(65, 'a');
  EXPECT_EQ(check(settings).size(), 2u);
}

}  // namespace
}  // namespace gpukeeper::prometheus
