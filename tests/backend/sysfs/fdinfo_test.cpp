#include "backend/sysfs/fdinfo.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "fakes/corpus.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

TEST(FdinfoTest, ReadsDriverDeviceClientMemoryAndEngines) {
  const auto client = parse_fdinfo(
      "pos:\t0\nflags:\t02100002\n"
      "drm-driver:\tamdgpu\ndrm-client-id:\t7\ndrm-pdev:\t0000:03:00.0\npasid:\t32771\n"
      "drm-total-vram:\t100 KiB\ndrm-shared-vram:\t1 KiB\ndrm-resident-vram:\t3 MiB\n"
      "drm-engine-gfx:\t12345 ns\ndrm-engine-capacity-gfx:\t2\n");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->driver, "amdgpu");
  EXPECT_EQ(client->pdev, "0000:03:00.0");
  EXPECT_EQ(client->client_id, 7u);
  ASSERT_TRUE(client->find_memory("vram"));
  EXPECT_EQ(client->find_memory("vram")->used(), 3_MiB);
  EXPECT_EQ(client->find_memory("vram")->total, Bytes(102400));
  EXPECT_EQ(client->find_memory("vram")->shared, Bytes(1024));
  ASSERT_TRUE(client->find_engine("gfx"));
  EXPECT_EQ(client->find_engine("gfx")->busy, 12345ns);
  EXPECT_EQ(client->find_engine("gfx")->capacity, 2u);
}

TEST(FdinfoTest, ASizeWithoutAUnitIsInBytes) {
  const auto client =
      parse_fdinfo("drm-driver: x\ndrm-memory-vram: 512\ndrm-memory-gtt: 2 GiB\ndrm-memory-cpu: 3 kB\n");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->find_memory("vram")->used(), Bytes(512));
  EXPECT_EQ(client->find_memory("gtt")->used(), 2_GiB);
  EXPECT_EQ(client->find_memory("cpu")->used(), Bytes(3072));
}

TEST(FdinfoTest, OnlyOneFamilyOfMemoryKeysIsCounted) {
  const auto client =
      parse_fdinfo("drm-driver: amdgpu\ndrm-memory-vram: 10 KiB\ndrm-resident-vram: 12 KiB\ndrm-total-vram: 30 KiB\n");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->find_memory("vram")->used(), Bytes(12288));
}

TEST(FdinfoTest, TotalCyclesAreNotMemory) {
  const auto client = parse_fdinfo("drm-driver: xe\ndrm-cycles-rcs: 5\ndrm-total-cycles-rcs: 50\n");
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->memory.empty());
  EXPECT_EQ(client->find_engine("rcs")->cycles, 5u);
  EXPECT_EQ(client->find_engine("rcs")->total_cycles, 50u);
  EXPECT_FALSE(client->find_engine("rcs")->busy);
}

TEST(FdinfoTest, WhatIsNoNumberIsAbsent) {
  const auto client = parse_fdinfo(
      "drm-driver: xe\ndrm-client-id: none\ndrm-total-vram0: many KiB\ndrm-resident-gtt: 5 apples\n"
      "drm-engine-rcs: 7\ndrm-engine-bcs: 99999999999999999999 ns\ndrm-resident-system: 99999999999999999 GiB\n"
      "drm-engine-capacity-vcs: 0\ndrm-cycles-vcs: 1\n");
  ASSERT_TRUE(client);
  EXPECT_FALSE(client->client_id);
  EXPECT_TRUE(client->memory.empty());
  EXPECT_FALSE(client->find_engine("rcs"));
  EXPECT_FALSE(client->find_engine("bcs"));
  EXPECT_EQ(client->find_engine("vcs")->capacity, 1u);
}

TEST(FdinfoTest, ReadsTheFormOfAmdgpuBeforeLinux519) {
  const auto client = parse_fdinfo(
      "pos:\t0\nflags:\t02100002\npdev:\t0000:08:00.0\npasid:\t32784\nvram mem:\t2068 kB\ngtt mem:\t8192 kB\ncpu "
      "mem:\t0 kB\ngfx0:\t 1.20%\n");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->driver, "amdgpu");
  EXPECT_EQ(client->pdev, "0000:08:00.0");
  EXPECT_EQ(client->client_id, 32784u);
  EXPECT_EQ(client->find_memory("vram")->used(), Bytes(2068 * 1024));
  EXPECT_TRUE(client->engines.empty());
}

TEST(FdinfoTest, OtherTextsGiveNothing) {
  EXPECT_FALSE(parse_fdinfo(""));
  EXPECT_FALSE(parse_fdinfo("pos:\t0\nflags:\t02\n"));
  EXPECT_FALSE(parse_fdinfo("exp_name:\tdrm\nsize:\t16384\n"));
  EXPECT_FALSE(parse_fdinfo("pdev: 0000:08:00.0\npasid: 1\n"));
}

TEST(FdinfoTest, AnAcceleratorIsNotAGpu) {
  EXPECT_FALSE(parse_fdinfo("drm-driver: amdxdna_accel_driver\n")->is_gpu());
  EXPECT_FALSE(parse_fdinfo("drm-driver: intel_vpu\n")->is_gpu());
  EXPECT_TRUE(parse_fdinfo("drm-driver: nouveau\n")->is_gpu());
}

TEST(FdinfoTest, EnginesOfAllDriversHaveTheirClass) {
  EXPECT_EQ(engine_class("gfx"), EngineClass::render);
  EXPECT_EQ(engine_class("rcs"), EngineClass::render);
  EXPECT_EQ(engine_class("ccs"), EngineClass::compute);
  EXPECT_EQ(engine_class("video-enhance"), EngineClass::video_enhance);
  EXPECT_EQ(engine_class("dma"), EngineClass::copy);
  EXPECT_EQ(engine_class("tomorrow"), EngineClass::other);
}

// The table "fdinfo" in the README of the recorded machines, row by row.
struct Region {
  std::string name;
  std::uint64_t used;
};
struct RecordedRow {
  std::string file;
  bool drm;
  bool gpu;
  std::string driver;
  std::uint64_t client;
  std::string pdev;
  std::vector<Region> regions;
  std::string engine;
  std::uint64_t ns_or_cycles;
  std::uint64_t total_cycles;
};

TEST(FdinfoTest, EveryRecordedTextGivesItsFacts) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "the recorded machines are not here";
  const std::vector<RecordedRow> rows = {
      {"amdgpu-legacy-memory-keys",
       true,
       true,
       "amdgpu",
       217,
       "0000:08:00.0",
       {{"vram", 2117632}, {"gtt", 8388608}, {"cpu", 0}},
       "gfx",
       107322799,
       0},
      {"amdgpu-drm-memory-stats-compute",
       true,
       true,
       "amdgpu",
       4,
       "0000:04:00.0",
       {{"cpu", 0}, {"gtt", 2449408}, {"vram", 45633536}},
       "compute",
       46464671,
       0},
      {"i915-igpu-system-regions-early",
       true,
       true,
       "i915",
       18,
       "0000:00:02.0",
       {{"system", 131072000}, {"stolen-system", 0}},
       "render",
       25662044495,
       0},
      {"i915-igpu-system0-regions",
       true,
       true,
       "i915",
       39,
       "0000:00:02.0",
       {{"system0", 6189056}, {"stolen-system0", 0}},
       "render",
       346249,
       0},
      {"xe-dgpu-one-tile-cycles",
       true,
       true,
       "xe",
       3,
       "0000:03:00.0",
       {{"system", 0}, {"gtt", 196608}, {"vram0", 24567808}, {"stolen", 0}},
       "rcs",
       28257900,
       7655183225},
      {"amdxdna-npu", true, false, "amdxdna_accel_driver", 76, "0000:c5:00.1", {{"memory", 0}}, "npu-amdxdna", 0, 0},
      {"not-drm-epoll", false, false, "", 0, "", {}, "", 0, 0},
      {"not-drm-v3d-dmabuf", false, false, "", 0, "", {}, "", 0, 0},
  };
  for (const RecordedRow& row : rows) {
    SCOPED_TRACE(row.file);
    std::ifstream in(*folder / "fdinfo" / row.file, std::ios::binary);
    ASSERT_TRUE(in);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto client = parse_fdinfo(text);
    ASSERT_EQ(client.has_value(), row.drm);
    if (!client) continue;
    EXPECT_EQ(client->is_gpu(), row.gpu);
    EXPECT_EQ(client->driver, row.driver);
    EXPECT_EQ(client->client_id, row.client);
    EXPECT_EQ(client->pdev, row.pdev);
    ASSERT_EQ(client->memory.size(), row.regions.size());
    for (std::size_t i = 0; i < row.regions.size(); ++i) {
      EXPECT_EQ(client->memory[i].region, row.regions[i].name);
      EXPECT_EQ(client->memory[i].used(), Bytes(row.regions[i].used));
    }
    const auto* engine = client->find_engine(row.engine);
    ASSERT_TRUE(engine);
    if (row.total_cycles != 0) {
      EXPECT_EQ(engine->cycles, row.ns_or_cycles);
      EXPECT_EQ(engine->total_cycles, row.total_cycles);
    } else {
      EXPECT_EQ(engine->busy, std::chrono::nanoseconds(row.ns_or_cycles));
    }
    if (row.file == "amdgpu-drm-memory-stats-compute") {
      EXPECT_EQ(client->find_memory("vram")->shared, Bytes(32718848));
    }
    if (row.file == "i915-igpu-system0-regions") {
      EXPECT_EQ(client->find_engine("video")->capacity, 2u);
    }
    if (row.file == "xe-dgpu-one-tile-cycles") {
      EXPECT_EQ(client->find_engine("vcs")->capacity, 2u);
      EXPECT_EQ(client->find_engine("vecs")->capacity, 2u);
      EXPECT_EQ(client->find_engine("ccs")->capacity, 4u);
    }
  }
}

}  // namespace
}  // namespace gpukeeper
