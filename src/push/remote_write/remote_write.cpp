#include "push/remote_write/remote_write.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include <snappy.h>

#include "core/text.hpp"
#include "remote_write.pb.h"

namespace gpukeeper::push {
namespace {

// The number that says "there is no more of this series": Prometheus' own, one NaN of many.
const double kStale = std::bit_cast<double>(std::uint64_t{0x7ff0000000000002});

// Turns what /metrics says into requests, and knows which series it has begun.
class Writer {
 public:
  std::vector<Request> write(const std::vector<Family>& families, WallTime at) {
    time_ = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
    std::set<Labels> there;
    for (const Family& family : families) {
      for (const Sample& sample : family.samples) {
        Labels labels = sample.labels;
        labels.emplace_back("__name__", sample.name);
        std::ranges::sort(labels);  // the specification wants them so
        add(labels, sample.value);
        there.insert(std::move(labels));
      }
    }
    for (const Labels& labels : before_) {
      if (!there.contains(labels)) add(labels, kStale);
    }
    before_ = std::move(there);
    flush();
    return std::move(requests_);
  }

 private:
  void add(const Labels& labels, double value) {
    wire::TimeSeries& series = *request_.add_timeseries();
    for (const auto& [name, text] : labels) {
      if (text.empty()) continue;  // an empty label is none
      wire::Label& label = *series.add_labels();
      label.set_name(name);
      label.set_value(printable(text));  // the encoding wants UTF-8
    }
    wire::Sample& sample = *series.add_samples();
    sample.set_value(value);
    sample.set_timestamp(time_);
    if (static_cast<std::size_t>(request_.timeseries_size()) >= kMostSeries) flush();
  }

  void flush() {
    if (request_.timeseries_size() == 0) return;
    const std::string plain = request_.SerializeAsString();
    Request request{.body = {}, .samples = static_cast<std::uint64_t>(request_.timeseries_size())};
    snappy::Compress(plain.data(), plain.size(), &request.body);
    requests_.push_back(std::move(request));
    request_.Clear();
  }

  std::int64_t time_ = 0;
  std::set<Labels> before_;
  wire::WriteRequest request_;
  std::vector<Request> requests_;
};

}  // namespace

Protocol remote_write_protocol() {
  return {.name = "remote_write",
          .headers = {"Content-Type: application/x-protobuf", "Content-Encoding: snappy",
                      "X-Prometheus-Remote-Write-Version: 0.1.0"},
          .again = {429},
          .all_5xx = true,
          .encode = [writer = std::make_shared<Writer>()](const std::vector<Family>& families, WallTime at) {
            return writer->write(families, at);
          }};
}

}  // namespace gpukeeper::push
