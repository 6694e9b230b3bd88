#include "gpukeeper/metrics_registry.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpukeeper/mock_gpu_backend.hpp"

namespace gpukeeper {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(MetricsRegistryTest, TheGpusHaveTheDocumentedNames) {
  EXPECT_EQ(MetricsRegistry().text({mock_gpu_metrics(0), mock_gpu_metrics(1)}),
            "# HELP entrenar_gpu_utilization_percent GPU utilization, 0 to 100.\n"
            "# TYPE entrenar_gpu_utilization_percent gauge\n"
            "entrenar_gpu_utilization_percent{device=\"0\"} 75\n"
            "entrenar_gpu_utilization_percent{device=\"1\"} 75\n"
            "# HELP entrenar_gpu_utilization GPU utilization, 0 to 100.\n"
            "# TYPE entrenar_gpu_utilization gauge\n"
            "entrenar_gpu_utilization{device=\"0\"} 75\n"
            "entrenar_gpu_utilization{device=\"1\"} 75\n"
            "# HELP entrenar_gpu_memory_used_bytes GPU memory in use.\n"
            "# TYPE entrenar_gpu_memory_used_bytes gauge\n"
            "entrenar_gpu_memory_used_bytes{device=\"0\"} 8589934592\n"
            "entrenar_gpu_memory_used_bytes{device=\"1\"} 8589934592\n"
            "# HELP entrenar_gpu_temperature_celsius GPU temperature.\n"
            "# TYPE entrenar_gpu_temperature_celsius gauge\n"
            "entrenar_gpu_temperature_celsius{device=\"0\"} 65\n"
            "entrenar_gpu_temperature_celsius{device=\"1\"} 65\n"
            "# HELP entrenar_gpu_power_watts GPU power draw.\n"
            "# TYPE entrenar_gpu_power_watts gauge\n"
            "entrenar_gpu_power_watts{device=\"0\"} 250\n"
            "entrenar_gpu_power_watts{device=\"1\"} 250\n");
}

TEST(MetricsRegistryTest, WhatAGpuDoesNotReportHasNoLine) {
  EXPECT_EQ(MetricsRegistry().text({{.device_id = 4, .temperature_celsius = 50}}),
            "# HELP entrenar_gpu_temperature_celsius GPU temperature.\n"
            "# TYPE entrenar_gpu_temperature_celsius gauge\n"
            "entrenar_gpu_temperature_celsius{device=\"4\"} 50\n");
  EXPECT_EQ(MetricsRegistry().text({{.available = false}}), "");
  EXPECT_EQ(MetricsRegistry().text({}), "");
}

TEST(MetricsRegistryTest, PrefixAndLabelsStandOnEveryLine) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.set_prefix("lab"), "");
  EXPECT_EQ(registry.set_labels(LabelSet::from_pairs({{"experiment", "a \"b\"\\"}, {"run", "7"}})), "");
  EXPECT_EQ(registry.add(MetricDef::gauge("loss", "x")), "");
  EXPECT_EQ(registry.record("loss", 0.25), "");
  const std::string text = registry.text({{.temperature_celsius = 50}});
  EXPECT_THAT(text,
              HasSubstr("lab_gpu_temperature_celsius{experiment=\"a \\\"b\\\"\\\\\",run=\"7\",device=\"0\"} 50\n"));
  EXPECT_THAT(text, EndsWith("# HELP lab_loss x\n# TYPE lab_loss gauge\n"
                             "lab_loss{experiment=\"a \\\"b\\\"\\\\\",run=\"7\"} 0.25\n"));
}

TEST(MetricsRegistryTest, OnlyTheLatestValueOfASeriesIsKept) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.add(MetricDef::gauge("loss", "Of the latest step.\nLower is better \\o/")), "");
  for (int i = 0; i < 1'000'000; ++i) ASSERT_EQ(registry.record("loss", i), "");
  EXPECT_EQ(registry.series(), 1U);
  EXPECT_EQ(registry.text({}),
            "# HELP entrenar_loss Of the latest step.\\nLower is better \\\\o/\n"
            "# TYPE entrenar_loss gauge\n"
            "entrenar_loss 999999\n");
}

TEST(MetricsRegistryTest, SeriesAreToldApartByTheirLabelsInAStableOrder) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.add(MetricDef::counter("steps_total", "Steps.").with_labels({"phase", "host"})), "");
  EXPECT_EQ(registry.record("steps_total", 2, LabelSet().add("phase", "train").add("host", "b")), "");
  EXPECT_EQ(registry.record("steps_total", 1, LabelSet().add("host", "a").add("phase", "eval")), "");
  EXPECT_EQ(registry.record("steps_total", 5, LabelSet().add("host", "b").add("phase", "train")), "");  // the first
  EXPECT_EQ(registry.record("steps_total", 9), "");
  EXPECT_EQ(registry.text({}),
            "# HELP entrenar_steps_total Steps.\n"
            "# TYPE entrenar_steps_total counter\n"
            "entrenar_steps_total 9\n"
            "entrenar_steps_total{phase=\"eval\",host=\"a\"} 1\n"
            "entrenar_steps_total{phase=\"train\",host=\"b\"} 5\n");
}

TEST(MetricsRegistryTest, ACounterNeverFalls) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.add(MetricDef::counter("steps_total", "Steps.")), "");
  EXPECT_EQ(registry.record("steps_total", 5), "");
  EXPECT_EQ(registry.record("steps_total", 5), "");
  EXPECT_EQ(registry.record("steps_total", 4), "the counter 'steps_total' cannot fall from 5 to 4");
  EXPECT_EQ(registry.record("steps_total", std::nan("")), "the counter 'steps_total' cannot fall from 5 to nan");
  EXPECT_THAT(registry.text({}), EndsWith("entrenar_steps_total 5\n"));
}

TEST(MetricsRegistryTest, SeriesAreBounded) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.add(MetricDef::gauge("loss", "x").with_labels({"step"})), "");
  const auto record = [&](std::size_t step) {
    return registry.record("loss", 1, LabelSet().add("step", std::to_string(step)));
  };
  for (std::size_t i = 0; i < MetricsRegistry::kMostSeries; ++i) ASSERT_EQ(record(i), "");
  EXPECT_EQ(record(MetricsRegistry::kMostSeries),
            "there are 10000 series, which is the most: is a label's value different every time?");
  EXPECT_EQ(record(0), "");  // those that are there go on
  registry.clear();
  EXPECT_EQ(registry.series(), 0U);
  EXPECT_EQ(registry.text({}), "");
  EXPECT_EQ(record(1), "");
}

TEST(MetricsRegistryTest, NamesAreThoseThatPrometheusTakes) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.set_prefix(""),
            "the prefix '' begins no metric's name: that takes letters, digits and _, no digit first");
  EXPECT_EQ(registry.set_prefix("9a"),
            "the prefix '9a' begins no metric's name: that takes letters, digits and _, no digit first");
  EXPECT_EQ(registry.add(MetricDef::gauge("a b\n", "x")),
            "'a b?' is no metric's name: that takes letters, digits and _, no digit first");
  EXPECT_EQ(registry.add(MetricDef::gauge("a", "x").with_labels({"__b"})),
            "'__b' is no label's name: that takes letters, digits and _, no digit first, not two _ first");
  EXPECT_EQ(registry.add(MetricDef::gauge("a", "x").with_labels({"b", "b"})), "the label 'b' stands twice on a line");
  EXPECT_EQ(registry.set_labels(LabelSet().add("device", "0")), "the label 'device' stands twice on a line");
  EXPECT_EQ(registry.set_labels(LabelSet().add("0", "0")),
            "'0' is no label's name: that takes letters, digits and _, no digit first, not two _ first");
}

TEST(MetricsRegistryTest, ALabelOfAllLinesIsNoneOfAMetric) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.set_labels(LabelSet().add("run", "7")), "");
  EXPECT_EQ(registry.add(MetricDef::gauge("a", "x").with_labels({"run"})), "the label 'run' stands twice on a line");
  EXPECT_EQ(registry.add(MetricDef::gauge("a", "x").with_labels({"host"})), "");
  EXPECT_EQ(registry.set_labels(LabelSet().add("host", "b")), "the label 'host' stands twice on a line");
}

TEST(MetricsRegistryTest, ANameIsRegisteredOnceAndBeforeItIsUsed) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.add(MetricDef::gauge("loss", "x")), "");
  EXPECT_EQ(registry.add(MetricDef::gauge("loss", "y")), "there is a metric 'loss' already");
  EXPECT_EQ(registry.add(MetricDef::gauge("gpu_power_watts", "y")), "there is a metric 'gpu_power_watts' already");
  EXPECT_EQ(registry.record("accuracy", 1), "there is no metric 'accuracy': register it first");
  EXPECT_EQ(registry.record("loss", 1, LabelSet().add("a", "b")), "the metric 'loss' takes no labels, each once");
}

TEST(MetricsRegistryTest, OnlyItsOwnLabelsAreTaken) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.add(MetricDef::gauge("loss", "x").with_labels({"phase", "host"})), "");
  EXPECT_EQ(registry.record("loss", 1, LabelSet().add("phase", "a").add("phase", "b")),
            "the metric 'loss' takes the labels phase, host, each once");
  EXPECT_EQ(registry.record("loss", 1, LabelSet().add("user", "a")),
            "the metric 'loss' takes the labels phase, host, each once");
}

TEST(MetricsRegistryTest, JsonSaysTheSame) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.set_labels(LabelSet().add("run", "7")), "");
  EXPECT_EQ(registry.add(MetricDef::counter("steps_total", "Steps \"so far\".")), "");
  EXPECT_EQ(registry.record("steps_total", 3), "");
  EXPECT_EQ(registry.add(MetricDef::gauge("loss", "")), "");
  EXPECT_EQ(registry.record("loss", std::nan("")), "");
  const std::string json = registry.json({{.temperature_celsius = 50}});
  EXPECT_THAT(json, HasSubstr(R"("entrenar_gpu_temperature_celsius":{"type":"gauge","help":"GPU temperature.",)"
                              R"("samples":[{"labels":{"run":"7","device":"0"},"value":50.0}]})"));
  EXPECT_THAT(json, HasSubstr(R"("entrenar_gpu_power_watts":{"type":"gauge","help":"GPU power draw.","samples":[]})"));
  EXPECT_THAT(json, HasSubstr(R"("entrenar_steps_total":{"type":"counter","help":"Steps \"so far\".",)"
                              R"("samples":[{"labels":{"run":"7"},"value":3.0}]})"));
  EXPECT_THAT(json, HasSubstr(R"("entrenar_loss":{"type":"gauge","help":"",)"
                              R"("samples":[{"labels":{"run":"7"},"value":null}]})"));
  EXPECT_THAT(registry.text({}), Not(HasSubstr("loss")));  // Prometheus has no null
}

}  // namespace
}  // namespace gpukeeper
