#include "service/history_answer.hpp"

#include <chrono>
#include <string>

#include <fmt/format.h>

#include "core/text.hpp"
#include "format/fault_query.hpp"
#include "format/history_view.hpp"
#include "format/past_view.hpp"
#include "format/trend_view.hpp"
#include "service/query.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::service {
namespace {

using std::chrono::nanoseconds;

constexpr auto kUsualLength = std::chrono::hours(1);
constexpr std::size_t kMostBuckets = 20'000;  // some megabytes of text
constexpr std::uint64_t kMostMinutes = 1440;

Result<HistoryQuery> history_query(const Request& request, const Snapshot& snapshot) {
  const auto known = check_parameters(request, {"device", "metric", "since", "step"});
  if (!known) return tl::make_unexpected(known.error());
  HistoryQuery query;
  query.usual_length = kUsualLength;
  query.most_buckets = kMostBuckets;
  auto metrics = list_parameter(request, "metric");
  if (!metrics) return tl::make_unexpected(metrics.error());
  query.metrics = std::move(*metrics);
  auto devices = list_parameter(request, "device");
  if (!devices) return tl::make_unexpected(devices.error());
  query.devices = std::move(*devices);
  if (const auto since = parameter(request, "since")) {
    const auto moment = parse_since(*since, snapshot.taken_at);
    if (!moment) return tl::make_unexpected(moment.error());
    query.since = *moment;
  }
  if (const auto step = parameter(request, "step")) {
    auto seconds = parse_double(*step);
    if (!seconds) seconds = yaml::parse_duration(*step);
    if (!seconds || !(*seconds >= 0.001 && *seconds <= 1e9)) {
      return fail(Errc::invalid_argument,
                  fmt::format("step takes seconds or a duration such as 10s or 5m, not '{}'", *step));
    }
    query.step = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(*seconds));
  }
  return query;
}

}  // namespace

Response history_answer(const Request& request, const Past& past, const Snapshot& snapshot) {
  const auto query = history_query(request, snapshot);
  if (!query) return refused_query(query.error());
  const auto history = past.history();
  if (!history || snapshot.sequence == 0) return starting();
  const auto view = gather_history(*history, past.older().get(), snapshot, *query);
  if (!view) return refused_query(view.error());
  return json_answer(200, history_json(*view, false) + "\n");
}

Response trend_answer(const Request& request, const Past& past, const Snapshot& snapshot) {
  if (const auto known = check_parameters(request, {"device", "minutes"}); !known) return refused_query(known.error());
  const auto devices = list_parameter(request, "device");
  if (!devices) return refused_query(devices.error());
  std::uint64_t minutes = 5;
  if (const auto text = parameter(request, "minutes")) {
    minutes = parse_u64(*text).value_or(0);
    if (minutes < 1 || minutes > kMostMinutes) {
      return refused_query(
          {Errc::invalid_argument, fmt::format("minutes takes a number from 1 to {}, not '{}'", kMostMinutes, *text)});
    }
  }
  const auto history = past.history();
  const auto leaks = past.leaks();
  if (!history || !leaks || snapshot.sequence == 0) return starting();
  const auto view = gather_trends(*history, snapshot, *leaks, *devices, std::chrono::minutes(minutes));
  if (!view) return refused_query(view.error());
  return json_answer(200, trend_json(*view, false) + "\n");
}

}  // namespace gpukeeper::service
