#include "prometheus/labels.hpp"

#include <string>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::prometheus {
namespace {

TEST(LabelsTest, ValuesAreEscaped) {
  EXPECT_EQ(label("name", R"(C:\gpu "one")"), R"(name="C:\\gpu \"one\"")");
}

TEST(LabelsTest, WhatNoFormatTakesBecomesAQuestionMark) {
  EXPECT_EQ(label("name", "a\nb\tc\x1b[31m\x7f"), R"(name="a?b?c?[31m?")");
  EXPECT_EQ(label("name", std::string("a\0b", 3)), R"(name="a?b")");
  EXPECT_EQ(label("name", "a\xff\xc3"), R"(name="a??")");
  EXPECT_EQ(label("name", "Größe 大"), R"(name="Größe 大")");
}

TEST(LabelsTest, ValuesAreBoundedAndNotCutWithinACharacter) {
  EXPECT_EQ(label_value(std::string(1'000'000, 'x')), std::string(127, 'x') + "…");
  std::string wide;
  for (int i = 0; i < 1000; ++i) wide += "大";
  const std::string cut = label_value(wide);
  EXPECT_LE(cut.size(), 4 * kLongestValue);
  EXPECT_TRUE(cut.ends_with("大…")) << cut;
}

TEST(LabelsTest, DevicesBearTheirIndexAndUuid) {
  const auto devices = labelled(split_gpu());
  ASSERT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[0].labels, R"(gpu="0",uuid="GPU-aaaa")");
  EXPECT_EQ(devices[1].labels, R"(gpu="0:0",uuid="MIG-0")");
  EXPECT_EQ(devices[2].labels, R"(gpu="0:1",uuid="MIG-1")");
}

}  // namespace
}  // namespace gpukeeper::prometheus
