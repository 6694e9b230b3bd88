#include "push/remote_write/remote_write.hpp"

#include <bit>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <snappy.h>

#include "remote_write.pb.h"

namespace gpukeeper::push {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const WallTime kAt{std::chrono::milliseconds(1'780'000'000'123)};

wire::WriteRequest decoded(const Request& request) {
  std::string plain;
  EXPECT_TRUE(snappy::Uncompress(request.body.data(), request.body.size(), &plain));
  wire::WriteRequest result;
  EXPECT_TRUE(result.ParseFromString(plain));
  return result;
}

// "a{b=c}" and its value.
std::map<std::string, double> series(const std::vector<Request>& requests) {
  std::map<std::string, double> result;
  for (const Request& request : requests) {
    const wire::WriteRequest message = decoded(request);
    for (const wire::TimeSeries& each : message.timeseries()) {
      std::string text;
      for (const wire::Label& label : each.labels()) text += fmt::format("{}={};", label.name(), label.value());
      result[text] = each.samples(0).value();
      EXPECT_EQ(each.samples(0).timestamp(), 1'780'000'000'123);
    }
  }
  return result;
}

TEST(RemoteWriteTest, LabelsAreSortedWithTheNameAmongThem) {
  const auto requests =
      remote_write_protocol().encode(parse_metrics("# TYPE a gauge\na{zone=\"z\",Area=\"b\",empty=\"\"} 7.5\n"), kAt);
  EXPECT_THAT(series(requests), ElementsAre(Pair("Area=b;__name__=a;zone=z;", 7.5)));
  EXPECT_EQ(requests[0].samples, 1U);
}

TEST(RemoteWriteTest, ASeriesThatHasGoneGetsOneStaleMarker) {
  const Protocol protocol = remote_write_protocol();
  static_cast<void>(protocol.encode(parse_metrics("# TYPE a gauge\na{gpu=\"0\"} 1\na{gpu=\"1\"} 2\n"), kAt));
  const auto later = parse_metrics("# TYPE a gauge\na{gpu=\"0\"} 1\n");
  const auto sent = series(protocol.encode(later, kAt));
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(sent.at("__name__=a;gpu=1;")), 0x7ff0000000000002U);
  EXPECT_EQ(series(protocol.encode(later, kAt)).size(), 1U);
}

TEST(RemoteWriteTest, ManySeriesAreSeveralRequests) {
  std::string text = "# TYPE a gauge\n";
  for (std::size_t i = 0; i < kMostSeries + 1; ++i) text += fmt::format("a{{n=\"{}\"}} 1\n", i);
  const auto requests = remote_write_protocol().encode(parse_metrics(text), kAt);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].samples, kMostSeries);
  EXPECT_EQ(requests[1].samples, 1U);
  EXPECT_EQ(series(requests).size(), kMostSeries + 1);
}

TEST(RemoteWriteTest, HeadersAreThoseOfTheSpecification) {
  EXPECT_THAT(remote_write_protocol().headers,
              UnorderedElementsAre("Content-Type: application/x-protobuf", "Content-Encoding: snappy",
                                   "X-Prometheus-Remote-Write-Version: 0.1.0"));
  EXPECT_THAT(remote_write_protocol().encode({}, kAt), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper::push
