#include "prometheus/metrics_text.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::prometheus {
namespace {

TEST(MetricsTextTest, FamiliesAreNamed) {
  EXPECT_EQ(parse_families("gpukeeper"), FamilySet{MetricFamily::gpukeeper});
}

TEST(MetricsTextTest, AFamilyThatThereIsNotIsAnError) {
  EXPECT_EQ(parse_families("gpukeeper,nvidia\x1b").error().message,
            "there is no family of metrics 'nvidia?': known are gpukeeper");
  EXPECT_EQ(parse_families("").error().message, "there is no family of metrics '': known are gpukeeper");
}

TEST(MetricsTextTest, WithoutFamiliesNothingIsWritten) {
  EXPECT_EQ(metrics_text({}, {}, Syntax::text), "");
  EXPECT_EQ(metrics_text({}, {}, Syntax::openmetrics), "# EOF\n");
}

}  // namespace
}  // namespace gpukeeper::prometheus
