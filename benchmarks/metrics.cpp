#include "metrics.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/text.hpp"
#include "device/metric_fields.hpp"
#include "figures.hpp"
#include "fleet.hpp"
#include "prometheus/metrics_text.hpp"

#ifdef GPUKEEPER_BENCH_PROMETHEUS_CPP
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#endif

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using prometheus::MetricFacts;
using prometheus::Syntax;

constexpr int kTimes = 2000;

// Every metric that there is, with digits behind the point as drivers have them.
Reading complete_reading(std::size_t device) {
  Reading reading;
  double value = 11.37 + static_cast<double>(device);
  for (const MetricField& field : metric_fields()) {
    value += 1.113;
    switch (field.kind) {
      case FieldKind::number: field.set(reading, MetricValue(value)); break;
      case FieldKind::whole: field.set(reading, MetricValue(static_cast<std::uint64_t>(value * 1e8))); break;
      case FieldKind::flag: field.set(reading, MetricValue(true)); break;
      case FieldKind::text: field.set(reading, MetricValue(std::string("P0"))); break;
      case FieldKind::throttle_reasons: reading.throttle_reasons = ThrottleReasons(Throttle::power); break;
    }
  }
  return reading;
}

std::shared_ptr<const std::vector<GpuProcess>> processes() {
  std::vector<GpuProcess> list(4);
  for (std::size_t i = 0; i < list.size(); ++i) {
    ProcessFacts facts;
    facts.user = fmt::format("user-{}", i);
    facts.place = ProcessPlace{.container = Container{"containerd", std::string(64, 'a')},
                               .pod_uid = fmt::format("5c6a0d3e-8f41-4b7e-9a52-1d0c7be3f96{}", i)};
    list[i].pid = static_cast<std::int64_t>(i);
    list[i].memory = from_mib(1000);
    list[i].facts = std::make_shared<const ProcessFacts>(std::move(facts));
  }
  return std::make_shared<const std::vector<GpuProcess>>(std::move(list));
}

MetricFacts full_machine(std::size_t size) {
  Fleet fleet(size);
  Snapshot snapshot = fleet.next();
  snapshot.host = "gpu-box-17.example.org";
  snapshot.sources = {{"nvml", true, "", size}};
  snapshot.event_sources = {{"nvml", true, ""}, {"kernel log", true, ""}};
  auto booked = std::make_shared<Booked>();
  prometheus::OperationBook operations;
  for (DeviceSnapshot& device : snapshot.devices) {
    device.reading = complete_reading(device.index);
    device.processes = processes();
    booked->devices.push_back({.id = device.device->id, .capacity = from_mib(80'000), .available = from_mib(10'000)});
    const std::string index = fmt::format("{}", device.index);
    for (const char* what : {"sample", "allocate", "deallocate"}) {
      const std::vector<prometheus::Operation> one = {
          {.device = index, .service = "gpu-optimizer", .operation = what, .count = 1, .took = 1ms}};
      static_cast<void>(operations.note(one));
    }
  }
  snapshot.booked = std::move(booked);
  MetricFacts facts{.snapshot = std::make_shared<const Snapshot>(std::move(snapshot)), .version = "1.0.0"};
  facts.operations = operations.read();
  facts.self.tick.observe(1ms);
  facts.self.answers = {{200, 1000}, {404, 2}};
  return facts;
}

double median_us(const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < kTimes; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    times.push_back(microseconds(std::chrono::steady_clock::now() - begin));
  }
  std::ranges::nth_element(times, times.begin() + kTimes / 2);
  return times[kTimes / 2];
}

std::size_t series(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines(text), [](std::string_view line) { return !line.starts_with('#'); }));
}

#ifdef GPUKEEPER_BENCH_PROMETHEUS_CPP

// Out of a line's labels, as its client wants them.
::prometheus::Labels labels_of(std::string_view line) {
  ::prometheus::Labels labels;
  const auto open = line.find('{');
  if (open == std::string_view::npos) return labels;
  std::string_view rest = line.substr(open + 1);
  while (true) {
    const auto equals = rest.find("=\"");
    const auto quote = rest.find('"', equals + 2);
    if (equals == std::string_view::npos || quote == std::string_view::npos) return labels;
    labels.emplace(std::string(rest.substr(0, equals)), std::string(rest.substr(equals + 2, quote - equals - 2)));
    rest.remove_prefix(std::min(quote + 2, rest.size()));
  }
}

// The same series as gauges, which it writes the fastest: collected and written, as its exposer does for a scrape.
void beside_prometheus_cpp(std::string_view text) {
  ::prometheus::Registry registry;
  std::map<std::string, ::prometheus::Family<::prometheus::Gauge>*> families;
  for (const std::string_view line : lines(text)) {
    if (line.starts_with('#')) continue;
    const std::string name(line.substr(0, line.find_first_of("{ ")));
    auto& family = families[name];
    if (!family)
      family = &::prometheus::BuildGauge().Name(name).Help("A help text of usual length for it.").Register(registry);
    ::prometheus::Labels labels = labels_of(line);
    if (const auto le = labels.extract("le")) labels.emplace("border", le.mapped());
    family->Add(labels).Set(parse_double(line.substr(line.rfind(' ') + 1)).value_or(0));
  }
  const ::prometheus::TextSerializer serializer;
  figure("prometheus-cpp: the same series collected and written, median",
         median_us([&] { static_cast<void>(serializer.Serialize(registry.Collect())); }), "us");
}

#else

void beside_prometheus_cpp(std::string_view /*text*/) {
  fmt::print("  prometheus-cpp: not on this machine (prometheus-cpp-dev)\n");
}

#endif

}  // namespace

void metrics() {
  heading("metrics: GET /metrics of eight GPUs that tell everything");
  const MetricFacts facts = full_machine(8);
  const auto all = prometheus::all_families();
  const std::string text = metrics_text(facts, all, Syntax::text);
  figure("series of all families", static_cast<double>(series(text)), "series");
  figure("their text", static_cast<double>(text.size()) / 1024, "KiB");
  figure(fmt::format("all families as text, median of {}", kTimes),
         median_us([&] { static_cast<void>(metrics_text(facts, all, Syntax::text)); }), "us", 300);
  figure("all families as OpenMetrics, median",
         median_us([&] { static_cast<void>(metrics_text(facts, all, Syntax::openmetrics)); }), "us", 300);
  for (const auto& [name, family] : prometheus::kFamilies) {
    figure(fmt::format("  the family {} as text, median", name), median_us([&, only = prometheus::FamilySet{family}] {
             static_cast<void>(metrics_text(facts, only, Syntax::text));
           }),
           "us");
  }
  beside_prometheus_cpp(text);
}

}  // namespace gpukeeper::bench
