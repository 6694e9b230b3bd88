#include "gpukeeper/prometheus_exporter.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// In a program that links the library; what is served is asked for in metrics_server_test.cpp and by
// tests/embed/cpp/examples.
namespace gpukeeper {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class FailingBackend final : public GpuBackend {
 public:
  std::uint32_t num_devices() override { return 1; }
  std::vector<GpuMetrics> collect_metrics() override { throw Error(GK_UNAVAILABLE, "the cable is out"); }
};

Error thrown_by(auto call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {GK_OK, ""};
}

TEST(PrometheusExporterTest, TheDocumentedChainServesTheDocumentedMetrics) {
  const GpuMonitor monitor = GpuMonitor::mock(1);
  auto exporter = PrometheusExporter().with_prefix("entrenar").with_port(0);
  exporter.register_gpu_metrics(monitor);
  exporter.start();
  EXPECT_NE(exporter.port(), 0);
  const std::string text = exporter.export_text();
  EXPECT_THAT(text, HasSubstr("\nentrenar_gpu_temperature_celsius{device=\"0\"} 65\n"));
  EXPECT_THAT(text, HasSubstr("\nentrenar_gpu_utilization_percent{device=\"0\"} 75\n"));
  EXPECT_THAT(text, HasSubstr("\nentrenar_gpu_memory_used_bytes{device=\"0\"} 8589934592\n"));
  EXPECT_THAT(text, HasSubstr("\nentrenar_gpu_power_watts{device=\"0\"} 250\n"));
  EXPECT_THAT(exporter.export_json(), StartsWith("{\"entrenar_gpu_utilization_percent\":{\"type\":\"gauge\""));
}

TEST(PrometheusExporterTest, ATrainingIsToldByTheDocumentedNames) {
  PrometheusExporter exporter;
  exporter.with_labels(LabelSet().add("experiment", "7").add("run", "2"));
  exporter.record_epoch(0.5, 0.001, 1200);
  exporter.record_validation(0.6, 0.875);
  exporter.record_batch(1250);
  exporter.record_batch(1300);
  exporter.record_memory(8589934592);
  const std::string text = exporter.export_text();
  for (const char* line : {"entrenar_epoch_loss{experiment=\"7\",run=\"2\"} 0.5\n",
                           "entrenar_learning_rate{experiment=\"7\",run=\"2\"} 0.001\n",
                           "entrenar_batch_throughput{experiment=\"7\",run=\"2\"} 1300\n",
                           "entrenar_validation_loss{experiment=\"7\",run=\"2\"} 0.6\n",
                           "entrenar_validation_accuracy{experiment=\"7\",run=\"2\"} 0.875\n",
                           "entrenar_memory_used_bytes{experiment=\"7\",run=\"2\"} 8589934592\n",
                           "# TYPE entrenar_training_steps_total "
                           "counter\nentrenar_training_steps_total{experiment=\"7\",run=\"2\"} 2\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_EQ(exporter.total_series(), 7U);
}

TEST(PrometheusExporterTest, AProgramsOwnMetricOfThatNameIsUsed) {
  PrometheusExporter exporter;
  exporter.register_metric(MetricDef::gauge("epoch_loss", "Cross entropy, in nats."));
  exporter.record_epoch(0.5, 0.001, 1200);
  EXPECT_THAT(exporter.export_text(), HasSubstr("# HELP entrenar_epoch_loss Cross entropy, in nats.\n"));
  EXPECT_THAT(exporter.export_text(), Not(HasSubstr("Loss of the latest epoch")));
}

TEST(PrometheusExporterTest, TheGpusAreLookedAtWhenSomebodyAsks) {
  GpuMonitor monitor = GpuMonitor::mock(0);
  PrometheusExporter exporter;
  exporter.register_gpu_metrics(monitor);
  EXPECT_EQ(exporter.export_text(), "");
  monitor.set_mock_metrics({{.device_id = 2, .power_watts = 71.5}});
  EXPECT_THAT(exporter.export_text(), HasSubstr("\nentrenar_gpu_power_watts{device=\"2\"} 71.5\n"));
}

TEST(PrometheusExporterTest, SeveralMonitorsStandInOneFamily) {
  PrometheusExporter exporter;
  exporter.register_gpu_metrics(MockGpuBackend().with_device(0, "a").with_temperature(50));
  exporter.register_gpu_metrics(MockGpuBackend().with_device(1, "b").with_temperature(60));
  EXPECT_EQ(exporter.export_text(),
            "# HELP entrenar_gpu_temperature_celsius GPU temperature.\n"
            "# TYPE entrenar_gpu_temperature_celsius gauge\n"
            "entrenar_gpu_temperature_celsius{device=\"0\"} 50\n"
            "entrenar_gpu_temperature_celsius{device=\"1\"} 60\n");
}

TEST(PrometheusExporterTest, HasMetricsOfTheProgramsOwn) {
  auto exporter = PrometheusExporter().with_prefix("lab").with_labels(LabelSet().add("run", "7"));
  exporter.register_metric(MetricDef::counter("steps_total", "Steps.").with_labels({"phase"}));
  exporter.record_with_labels("steps_total", 5, LabelSet().add("phase", "train"));
  EXPECT_EQ(exporter.total_series(), 1U);
  EXPECT_EQ(
      exporter.export_text(),
      "# HELP lab_steps_total Steps.\n# TYPE lab_steps_total counter\nlab_steps_total{run=\"7\",phase=\"train\"} 5\n");
  exporter.clear();
  EXPECT_EQ(exporter.export_text(), "");
}

TEST(PrometheusExporterTest, WhatIsWrongIsThrown) {
  PrometheusExporter exporter;
  exporter.register_metric(MetricDef::counter("steps_total", "Steps."));
  exporter.record("steps_total", 5);
  const Error fallen = thrown_by([&] { exporter.record("steps_total", 4); });
  EXPECT_EQ(fallen.code(), GK_INVALID);
  EXPECT_STREQ(fallen.what(), "the counter 'steps_total' cannot fall from 5 to 4");
  EXPECT_STREQ(thrown_by([&] { exporter.record("loss", 4); }).what(), "there is no metric 'loss': register it first");
  EXPECT_STREQ(thrown_by([&] { exporter.register_metric(MetricDef::gauge("steps_total", "")); }).what(),
               "there is a metric 'steps_total' already");
  EXPECT_EQ(thrown_by([&] { exporter.with_prefix("1"); }).code(), GK_INVALID);
  EXPECT_EQ(thrown_by([&] { exporter.with_labels(LabelSet().add("device", "0")); }).code(), GK_INVALID);
}

TEST(PrometheusExporterTest, WhatAMonitorCannotSayIsThrown) {
  PrometheusExporter exporter;
  exporter.register_gpu_metrics(GpuMonitor(std::make_shared<FailingBackend>()));
  const Error error = thrown_by([&] { static_cast<void>(exporter.export_text()); });
  EXPECT_EQ(error.code(), GK_UNAVAILABLE);
  EXPECT_STREQ(error.what(), "the cable is out");
}

TEST(PrometheusExporterTest, APortThatIsTakenIsThrown) {
  PrometheusExporter first;
  first.with_port(0).start();
  PrometheusExporter second;
  second.with_port(first.port());
  const Error error = thrown_by([&] { second.start(); });
  EXPECT_EQ(error.code(), GK_UNAVAILABLE);
  EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(first.port())));
  EXPECT_EQ(second.port(), 0);
}

TEST(PrometheusExporterTest, StartsOnceAndStopsAndStartsAgain) {
  PrometheusExporter exporter;
  exporter.with_port(0).start();
  const auto port = exporter.port();
  exporter.start();
  EXPECT_EQ(exporter.port(), port);
  const PrometheusExporter same = exporter;
  exporter.stop();
  EXPECT_EQ(same.port(), 0);
  exporter.stop();
  exporter.start();
  EXPECT_NE(same.port(), 0);
}

TEST(PrometheusExporterTest, ListensWhereItIsTold) {
  PrometheusExporter exporter;
  exporter.with_address("127.0.0.2").with_port(0).start();
  EXPECT_NE(exporter.port(), 0);
  PrometheusExporter nowhere;
  nowhere.with_address("nowhere").with_port(0);
  EXPECT_THAT(thrown_by([&] { nowhere.start(); }).what(), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace gpukeeper
