#include "prometheus/histogram.hpp"

#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace gpukeeper::prometheus {
namespace {

using namespace std::chrono_literals;

std::string written(const Histogram& histogram, std::string_view labels) {
  static const Family kFamily("h_seconds", FamilyType::histogram, "seconds", "H.");
  Exposition out(Syntax::text);
  out.begin(kFamily);
  histogram.write(out, labels);
  return std::move(out).finish();
}

TEST(HistogramTest, CountsWhatIsNotAboveEachBorder) {
  Histogram histogram;
  histogram.observe(5ms);  // on a border: below it
  histogram.observe(30ms, 3);
  histogram.observe(10s);
  histogram.observe(11s);  // above them all
  histogram.observe(-1s);  // a clock that went back
  EXPECT_EQ(written(histogram, "a=\"1\""),
            "# HELP h_seconds H.\n"
            "# TYPE h_seconds histogram\n"
            "h_seconds_bucket{a=\"1\",le=\"0.005\"} 2\n"
            "h_seconds_bucket{a=\"1\",le=\"0.01\"} 2\n"
            "h_seconds_bucket{a=\"1\",le=\"0.025\"} 2\n"
            "h_seconds_bucket{a=\"1\",le=\"0.05\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"0.075\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"0.1\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"0.25\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"0.5\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"0.75\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"1.0\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"2.5\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"5.0\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"7.5\"} 5\n"
            "h_seconds_bucket{a=\"1\",le=\"10.0\"} 6\n"
            "h_seconds_bucket{a=\"1\",le=\"+Inf\"} 7\n"
            "h_seconds_sum{a=\"1\"} 21.095\n"
            "h_seconds_count{a=\"1\"} 7\n");
}

TEST(HistogramTest, LabelsSayTheirBorders) {
  for (const auto& buckets : {kDocumentedBuckets, kFineBuckets}) {
    double before = 0;
    for (const Bucket& bucket : buckets) {
      EXPECT_GT(bucket.most, before);
      before = bucket.most;
      const std::string text(bucket.label.substr(4, bucket.label.size() - 5));
      EXPECT_EQ(std::stod(text), bucket.most) << bucket.label;
    }
  }
}

}  // namespace
}  // namespace gpukeeper::prometheus
