#include "device/metric_fields.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backend/simulated/simulated_backend.hpp"
#include "fakes/fake_clock.hpp"

namespace gpukeeper {
namespace {

// A value that differs from what the model gives by itself, as a scenario writes it, and as the metric table prints it.
std::pair<std::string, std::string> sample(const MetricField& field) {
  switch (field.kind) {
    case FieldKind::number:
      if (field.max < 12.5) return {"0.5", "0.5"};  // a share of 1
      return {"12.5", "12.5"};
    case FieldKind::whole: return {"4711", "4711"};
    case FieldKind::flag: return {"true", "true"};
    case FieldKind::text: return {"P3", "P3"};
    case FieldKind::throttle_reasons: return {"'thermal limit, sync boost'", "sync boost, thermal limit"};
  }
  return {};
}

TEST(FieldsTest, EveryMetricOfAReadingCanBeGivenAndIsReadBackEqual) {
  std::size_t settable = 0;
  for (const MetricRow& row : metric_table()) {
    const MetricField* field = find_metric_field(row.name);
    // What comes from Device is a fact: absent with its own reason, whatever the reading says.
    const bool of_reading =
        row.value(Device(), Reading{Missing::asleep}) == Metric<MetricValue>(missing(Missing::asleep));
    ASSERT_EQ(field != nullptr, of_reading) << row.name;
    if (!field) continue;
    ++settable;
    const auto [written, read] = sample(*field);
    FakeClock clock;
    const auto text =
        fmt::format("name: t\ndevices:\n- name: d\n  vendor: other\n  metrics: {{{}: {}}}\n", row.name, written);
    const auto backend = simulated::open_text(text, "t.yaml", clock);
    ASSERT_TRUE(backend) << backend.error().message;
    const auto devices = *(*backend)->list();
    const auto reading = *(*backend)->read(devices[0].id);
    const auto value = row.value(devices[0], reading);
    ASSERT_TRUE(value) << row.name;
    EXPECT_EQ(to_string(*value), read) << row.name;
  }
  EXPECT_EQ(settable, metric_fields().size()) << "a field that is no row of the metric table";
}

TEST(FieldsTest, EveryMetricCanBeAbsentWithAReason) {
  for (const MetricField& field : metric_fields()) {
    Reading reading{Missing::not_supported};
    field.set(reading, missing(Missing::not_permitted));
    EXPECT_EQ(find_metric(field.name)->value(Device(), reading).error(), Missing::not_permitted) << field.name;
  }
}

TEST(FieldsTest, NumbersAreBroughtIntoTheRangeOfTheirUnit) {
  Reading reading;
  find_metric_field("utilization_percent")->set(reading, MetricValue(103.5));
  find_metric_field("power_watts")->set(reading, MetricValue(-2.0));
  find_metric_field("memory_used_bytes")->set(reading, MetricValue(1.6));
  EXPECT_EQ(reading.utilization, Percent(100));
  EXPECT_EQ(reading.power, Watts(0));
  EXPECT_EQ(reading.memory_used, Bytes(2));
}

TEST(FieldsTest, FactsOfTheDeviceCanBeGivenUnderTheirNames) {
  for (const FactField& field : fact_fields()) {
    Device device;
    field.set(device, field.kind == FieldKind::text ? MetricValue("x1") : MetricValue(std::uint64_t{7}));
    if (const MetricRow* row = find_metric(field.name)) {
      EXPECT_EQ(to_string(*row->value(device, Reading())), field.kind == FieldKind::text ? "x1" : "7") << field.name;
    }
  }
}

TEST(FieldsTest, ThrottleReasonsAreReadInTheWordsTheyAreWritten) {
  for (const auto word : throttle_words()) EXPECT_EQ(parse_throttle_reasons(word)->to_string(), word);
  EXPECT_EQ(parse_throttle_reasons("none"), ThrottleReasons());
  EXPECT_EQ(parse_throttle_reasons("hot"), std::nullopt);
  EXPECT_EQ(parse_throttle_reasons(""), std::nullopt);
}

}  // namespace
}  // namespace gpukeeper
