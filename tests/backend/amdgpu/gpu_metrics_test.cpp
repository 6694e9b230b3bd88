#include "backend/amdgpu/gpu_metrics.hpp"

#include <map>

#include <gtest/gtest.h>

#include "backend/amdgpu/gpu_metrics_bytes.hpp"
#include "core/text.hpp"
#include "fakes/corpus.hpp"

namespace gpukeeper {
namespace {

// Byte offsets worked out by hand from the order of fields and their widths, apart from the parser's own walk.
TEST(GpuMetricsTest, Version10) {
  const auto m = parse_gpu_metrics(GpuMetricsBytes(1, 0, 80)
                                       .set16(16, 50)
                                       .set16(18, 60)
                                       .set16(20, 70)
                                       .set16(28, 99)
                                       .set16(30, 12)
                                       .set16(32, 3)
                                       .set16(34, 120)
                                       .set16(54, 1500)
                                       .set16(58, 875)
                                       .set16(60, 300)
                                       .set32(68, 0)
                                       .set16(72, 900)
                                       .set8(74, 16)
                                       .set8(75, 80)
                                       .bytes());
  ASSERT_TRUE(m) << m.error().message;
  EXPECT_EQ(m->temperature_edge, Celsius(50));
  EXPECT_EQ(m->temperature_hotspot, Celsius(60));
  EXPECT_EQ(m->temperature_memory, Celsius(70));
  EXPECT_EQ(m->activity_graphics, Percent(99));
  EXPECT_EQ(m->activity_memory, Percent(12));
  EXPECT_EQ(m->activity_media, Percent(3));
  EXPECT_EQ(m->power_socket, Watts(120));
  EXPECT_EQ(m->clock_graphics, Megahertz(1500));
  EXPECT_EQ(m->clock_memory, Megahertz(875));
  EXPECT_EQ(m->clock_video, Megahertz(300));
  EXPECT_EQ(m->fan_speed, Rpm(900));
  EXPECT_EQ(m->pcie_width, 16);
  EXPECT_EQ(m->pcie_speed, 80);
  EXPECT_EQ(m->throttle_reasons(), ThrottleReasons());
}

TEST(GpuMetricsTest, Versions11To13) {
  const std::map<int, int> sizes = {{1, 96}, {2, 104}, {3, 120}};
  for (const auto& [content, size] : sizes) {
    GpuMetricsBytes bytes(1, static_cast<std::uint8_t>(content), static_cast<std::uint16_t>(size));
    bytes.set16(4, 50).set16(6, 60).set16(8, 70).set16(16, 99).set16(18, 12).set16(20, 3).set16(22, 120);
    bytes.set16(54, 1500).set16(56, 700).set16(58, 875).set16(60, 300).set32(68, 2).set16(72, 900).set16(74, 8);
    bytes.set16(76, 160).set16(90, 61);
    if (content == 3) bytes.set64(112, std::uint64_t{1} << 36 | 1);
    const auto m = parse_gpu_metrics(bytes.bytes());
    ASSERT_TRUE(m) << m.error().message;
    EXPECT_EQ(m->temperature_edge, Celsius(50));
    EXPECT_EQ(m->temperature_memory, Celsius(70));
    EXPECT_EQ(m->activity_graphics, Percent(99));
    EXPECT_EQ(m->power_socket, Watts(120));
    EXPECT_EQ(m->clock_graphics, Megahertz(1500));
    EXPECT_EQ(m->clock_soc, Megahertz(700));
    EXPECT_EQ(m->clock_memory, Megahertz(875));
    EXPECT_EQ(m->fan_speed, Rpm(900));
    EXPECT_EQ(m->pcie_width, 8);
    EXPECT_EQ(m->pcie_speed, 160);
    EXPECT_EQ(m->temperature_hbm[1], Celsius(61));
    EXPECT_FALSE(m->temperature_hbm[0]);
    ASSERT_EQ(m->throttle_reasons().has_value(), content == 3) << "bits of one chip mean nothing to us";
    if (content == 3) {
      EXPECT_EQ(m->throttle_reasons()->to_string(), "power limit, thermal limit");
    }
  }
}

struct Accelerator {
  int content, size, vcn, energy, throttle, residencies, link, replays, xgmi_read, status, gfx, uclk, xcp, stride,
      xcp_vcn;
};

TEST(GpuMetricsTest, Versions14To18) {
  const Accelerator rows[] = {
      {4, 288, 16, 24, 40, 0, 48, 88, 104, 0, 240, 280, 0, 0, 0},
      {5, 360, 16, 88, 104, 0, 112, 152, 176, 0, 312, 352, 0, 0, 0},
      {6, 1664, 0, 16, 0, 36, 60, 104, 128, 0, 264, 304, 312, 168, 96},
      {7, 2208, 0, 24, 0, 44, 68, 112, 136, 264, 296, 336, 344, 232, 96},
      {8, 3872, 0, 24, 0, 44, 68, 112, 136, 264, 296, 336, 344, 440, 112},
  };
  const auto at = [](int offset) { return static_cast<std::size_t>(offset); };
  for (const Accelerator& row : rows) {
    SCOPED_TRACE(row.content);
    GpuMetricsBytes bytes(1, static_cast<std::uint8_t>(row.content), static_cast<std::uint16_t>(row.size));
    bytes.set16(4, 65).set16(6, 55).set16(10, 500).set16(12, 88).set16(14, 40);
    bytes.set64(at(row.energy), 65536 * 10).set16(at(row.link), 16).set16(at(row.link) + 2, 320);
    bytes.set64(at(row.replays), 4).set64(at(row.xgmi_read) + 8, 2048);
    bytes.set16(at(row.gfx) + 4, 2100).set16(at(row.gfx), 132).set16(at(row.uclk), 1300);
    if (row.vcn != 0) bytes.set16(at(row.vcn) + 2, 33);
    if (row.throttle != 0) bytes.set32(at(row.throttle), 0);
    if (row.residencies != 0) bytes.set32(at(row.residencies), 7).set32(at(row.residencies) + 16, 9);
    if (row.status != 0) bytes.set16(at(row.status), 0).set16(at(row.status) + 2, 1).set16(at(row.status) + 4, 2);
    if (row.xcp != 0) {
      bytes.set16(at(row.uclk) + 2, 2);
      bytes.set32(at(row.xcp), 10).set32(at(row.xcp) + 4, 30).set32(at(row.xcp + row.stride), 77);
      bytes.set16(at(row.xcp + row.stride + row.xcp_vcn) + 2, 5);
    }
    const auto m = parse_gpu_metrics(bytes.bytes());
    ASSERT_TRUE(m) << m.error().message;
    EXPECT_FALSE(m->temperature_edge);
    EXPECT_EQ(m->temperature_hotspot, Celsius(65));
    EXPECT_EQ(m->temperature_memory, Celsius(55));
    EXPECT_EQ(m->power_socket, Watts(500));
    EXPECT_EQ(m->activity_graphics, Percent(88));
    EXPECT_EQ(m->activity_memory, Percent(40));
    EXPECT_EQ(m->energy, Joules(10));
    EXPECT_EQ(m->pcie_width, 16);
    EXPECT_EQ(m->pcie_speed, 320);
    EXPECT_EQ(m->pcie_replays, 4u);
    EXPECT_EQ(m->clock_graphics, Megahertz(2100)) << "the fastest die";
    EXPECT_EQ(m->clock_memory, Megahertz(1300));
    ASSERT_EQ(m->xgmi.size(), 8u);
    EXPECT_EQ(m->xgmi[1].read_kib, 2048u);
    EXPECT_FALSE(m->xgmi[1].written_kib);
    if (row.vcn != 0) {
      EXPECT_EQ(m->activity_media, Percent(33));
      EXPECT_EQ(m->throttle_reasons(), ThrottleReasons());
    }
    if (row.residencies != 0) {
      EXPECT_EQ(m->throttle_counters.prochot, 7u);
      EXPECT_EQ(m->throttle_counters.memory, 9u);
      EXPECT_FALSE(m->throttle_reasons());
    }
    if (row.status != 0) {
      EXPECT_EQ(m->xgmi[0].active, false);
      EXPECT_EQ(m->xgmi[1].active, true);
      EXPECT_FALSE(m->xgmi[2].active);
    }
    if (row.xcp != 0) {
      ASSERT_EQ(m->partitions.size(), 2u);
      EXPECT_EQ(m->partitions[0].activity, Percent(20)) << "the mean of its dies";
      EXPECT_EQ(m->partitions[1].activity, Percent(77));
      EXPECT_EQ(m->partitions[1].activity_media, Percent(5));
    }
  }
}

TEST(GpuMetricsTest, Versions20To24CountInHundredthsAndMilliwatts) {
  const std::map<int, int> sizes = {{0, 120}, {1, 120}, {2, 128}, {3, 152}, {4, 168}};
  for (const auto& [content, size] : sizes) {
    SCOPED_TRACE(content);
    const std::size_t temperature = content == 0 ? 16 : 4;
    const std::size_t activity = content == 0 ? 40 : 28;
    const std::size_t power = content == 0 ? 44 : 40;
    const std::size_t clocks = content == 0 ? 80 : 76;
    GpuMetricsBytes bytes(2, static_cast<std::uint8_t>(content), static_cast<std::uint16_t>(size));
    bytes.set16(temperature, 4525).set16(temperature + 2, 4000).set16(activity, 1250).set16(activity + 2, 50);
    bytes.set16(power, 15300).set16(power + 2, 4000).set16(power + 6, 9000);
    bytes.set16(clocks, 1600).set16(clocks + 4, 800).set16(clocks + 8, 1000).set32(content == 0 ? 112 : 108, 8);
    if (content >= 2) bytes.set64(120, std::uint64_t{1} << 46);
    const auto m = parse_gpu_metrics(bytes.bytes());
    ASSERT_TRUE(m) << m.error().message;
    EXPECT_EQ(m->temperature_graphics, Celsius(45.25));
    EXPECT_EQ(m->temperature_soc, Celsius(40));
    EXPECT_EQ(m->activity_graphics, Percent(12.5));
    EXPECT_EQ(m->activity_media_raw, 50);
    EXPECT_EQ(m->activity_media, content == 4 ? std::optional(Percent(0.5)) : std::nullopt) << "percent or hundredths?";
    EXPECT_NEAR(m->power_socket->value(), 15.3, 1e-9);
    EXPECT_EQ(m->power_cpu, Watts(4));
    EXPECT_EQ(m->power_graphics, Watts(9));
    EXPECT_EQ(m->clock_graphics, Megahertz(1600));
    EXPECT_EQ(m->clock_memory, Megahertz(800));
    EXPECT_EQ(m->clock_video, Megahertz(1000));
    EXPECT_EQ(m->throttle_reasons().has_value(), content >= 2);
    if (content >= 2) {
      EXPECT_TRUE(m->throttle_reasons()->has(Throttle::prochot));
    }
  }
}

TEST(GpuMetricsTest, Version30) {
  const auto m = parse_gpu_metrics(GpuMetricsBytes(3, 0, 264)
                                       .set16(4, 4100)
                                       .set16(6, 4200)
                                       .set16(40, 3000)
                                       .set16(42, 2000)
                                       .set16(44, 50)
                                       .set32(112, 25000)
                                       .set32(124, 9000)
                                       .set32(132, 7000)
                                       .set16(174, 1200)
                                       .set16(176, 900)
                                       .set16(184, 400)
                                       .set16(186, 2000)
                                       .set32(228, 1)
                                       .set32(232, 2)
                                       .set32(236, 3)
                                       .set32(252, 5)
                                       .bytes());
  ASSERT_TRUE(m) << m.error().message;
  EXPECT_EQ(m->temperature_graphics, Celsius(41));
  EXPECT_EQ(m->temperature_soc, Celsius(42));
  EXPECT_EQ(m->temperature_skin, Celsius(30));
  EXPECT_EQ(m->activity_graphics, Percent(20));
  EXPECT_EQ(m->activity_media, Percent(0.5));
  EXPECT_EQ(m->power_socket, Watts(25));
  EXPECT_EQ(m->power_graphics, Watts(9));
  EXPECT_EQ(m->power_cpu, Watts(7));
  EXPECT_EQ(m->clock_graphics_average, Megahertz(1200));
  EXPECT_EQ(m->clock_soc, Megahertz(900));
  EXPECT_EQ(m->clock_video_average, Megahertz(400));
  EXPECT_EQ(m->clock_memory_average, Megahertz(2000));
  EXPECT_EQ(m->throttle_counters.prochot, 1u);
  EXPECT_EQ(m->throttle_counters.power, 5u);
  EXPECT_EQ(m->throttle_counters.thermal, 5u);
  EXPECT_FALSE(m->throttle_counters.memory);
}

TEST(GpuMetricsTest, OnesMeanAbsent) {
  const auto m = parse_gpu_metrics(GpuMetricsBytes(1, 3, 120).bytes());
  ASSERT_TRUE(m);
  EXPECT_FALSE(m->temperature_edge);
  EXPECT_FALSE(m->power_socket);
  EXPECT_FALSE(m->activity_graphics);
  EXPECT_FALSE(m->fan_speed);
  EXPECT_FALSE(m->throttle_reasons());
}

TEST(GpuMetricsTest, ZerosAfterTheTableAreAllowedAndNothingElse) {
  const std::string table = GpuMetricsBytes(1, 3, 120).set16(4, 41).bytes();
  const auto padded = parse_gpu_metrics(table + std::string(3976, '\0'));
  ASSERT_TRUE(padded);
  EXPECT_EQ(padded->temperature_edge, Celsius(41));
  const auto followed = parse_gpu_metrics(table + std::string(1, 'x'));
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().message, "gpu_metrics: something follows the 120 bytes of the table");
}

TEST(GpuMetricsTest, AVersionThatIsNotKnownIsRefused) {
  for (const auto& [format, content] : {std::pair{0, 0}, {1, 9}, {2, 5}, {3, 1}, {4, 0}, {255, 255}}) {
    const auto m = parse_gpu_metrics(
        GpuMetricsBytes(static_cast<std::uint8_t>(format), static_cast<std::uint8_t>(content), 4000).bytes());
    ASSERT_FALSE(m);
    EXPECT_EQ(m.error().code, Errc::not_supported);
    EXPECT_EQ(m.error().message,
              "gpu_metrics: version " + std::to_string(format) + "." + std::to_string(content) + " is not known");
  }
}

TEST(GpuMetricsTest, ADamagedTableIsRefused) {
  EXPECT_FALSE(parse_gpu_metrics(""));
  EXPECT_FALSE(parse_gpu_metrics("abc"));
  const std::string table = GpuMetricsBytes(1, 3, 120).bytes();
  const auto cut = parse_gpu_metrics(table.substr(0, 100));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::invalid_argument);
  EXPECT_EQ(cut.error().message, "gpu_metrics: version 1.3 has 120 bytes; this table says 120 and has 100");
  EXPECT_FALSE(parse_gpu_metrics(GpuMetricsBytes(1, 3, 104).bytes())) << "too small for its version";
}

TEST(GpuMetricsTest, EveryIndependentBitHasWords) {
  EXPECT_EQ(reasons_from_independent_bits(0).to_string(), "none");
  EXPECT_EQ(reasons_from_independent_bits(1u << 7).to_string(), "power limit");
  EXPECT_EQ(reasons_from_independent_bits(1u << 16).to_string(), "current limit");
  EXPECT_EQ(reasons_from_independent_bits(std::uint64_t{1} << 34).to_string(), "memory thermal limit");
  EXPECT_EQ(reasons_from_independent_bits(std::uint64_t{1} << 36).to_string(), "thermal limit");
  EXPECT_EQ(reasons_from_independent_bits(std::uint64_t{1} << 38).to_string(), "voltage regulator thermal limit");
  EXPECT_EQ(reasons_from_independent_bits(std::uint64_t{1} << 47).to_string(), "external processor-hot signal");
  EXPECT_EQ(reasons_from_independent_bits(std::uint64_t{1} << 57).to_string(), "reliability voltage limit");
  EXPECT_EQ(reasons_from_independent_bits(std::uint64_t{1} << 63).to_string(), "other");
}

TEST(GpuMetricsTest, ACounterThatGrewWasInForce) {
  const ThrottleCounters before{.prochot = 1, .power = 5, .thermal = 5, .regulator = std::nullopt, .memory = 3};
  const ThrottleCounters now{.prochot = 1, .power = 6, .thermal = 4, .regulator = 9, .memory = 4};
  EXPECT_EQ(now.since(before).to_string(), "power limit, memory thermal limit");
  EXPECT_TRUE(now.since(now).empty());
}

TEST(GpuMetricsTest, EveryRecordedTableGivesItsFacts) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
  const auto rows = corpus_table(*folder, "file,version,size");
  ASSERT_GE(rows.size(), 6u);
  for (const CorpusRow& row : rows) {
    SCOPED_TRACE(row.at("file"));
    const std::string bytes = file_content(*folder / row.at("file"));
    ASSERT_EQ(std::to_string(bytes.size()), row.at("file_bytes"));
    const auto m = parse_gpu_metrics(bytes);
    if (row.at("facts") == "must be refused") {
      EXPECT_FALSE(m);
      continue;
    }
    ASSERT_TRUE(m) << m.error().message;
    EXPECT_EQ(std::to_string(m->format) + "." + std::to_string(m->content), row.at("version"));
    const auto number = [](const auto& value, double scale, double absent) {
      return value ? value->value() * scale : absent;
    };
    const auto raw = [](const auto& value) { return value ? static_cast<double>(*value) : 65535.0; };
    for (const auto fact : split(row.at("facts"), ' ')) {
      const auto parts = split(fact, '=');
      ASSERT_EQ(parts.size(), 2u);
      const double told = *parse_double(parts[1]);
      const std::map<std::string_view, double> ours = {
          {"edge", number(m->temperature_edge, 1, 65535)},
          {"hotspot", number(m->temperature_hotspot, 1, 65535)},
          {"mem", number(m->temperature_memory, 1, 65535)},
          {"gfx_act", raw(m->activity_graphics_raw)},
          {"umc_act", number(m->activity_memory, 1, 65535)},
          {"mm_act", raw(m->activity_media_raw)},
          {"socket_power", number(m->power_socket, 1, 65535)},
          {"gfxclk", number(m->clock_graphics, 1, 65535)},
          {"socclk", number(m->clock_soc, 1, 65535)},
          {"uclk", number(m->clock_memory, 1, 65535)},
          {"fan", m->fan_speed ? m->fan_speed->value() : 65535},
          {"throttle", raw(m->throttle_status)},
          {"avg_gfxclk", number(m->clock_graphics_average, 1, 65535)},
          {"lw", raw(m->pcie_width)},
          {"ls", raw(m->pcie_speed)},
          {"t_gfx", number(m->temperature_graphics, 100, 65535)},
          {"t_soc", number(m->temperature_soc, 100, 65535)},
          {"socket_p", number(m->power_socket, 1000, 65535)},
          {"cpu_p", number(m->power_cpu, 1000, 65535)},
          {"gfx_p", number(m->power_graphics, 1000, 65535)},
      };
      ASSERT_TRUE(ours.contains(parts[0])) << parts[0];
      EXPECT_NEAR(ours.at(parts[0]), told, 1e-6) << parts[0];
    }
  }
}

}  // namespace
}  // namespace gpukeeper
