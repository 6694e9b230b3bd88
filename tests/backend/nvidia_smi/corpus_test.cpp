// Every recorded nvidia-smi document gives exactly the facts of the table in the corpus's README.
#include <filesystem>
#include <regex>

#include <gtest/gtest.h>

#include "backend/nvidia_smi/nvidia_smi_backend.hpp"
#include "backend/nvidia_smi/parse.hpp"
#include "contract/backend_contract.hpp"
#include "core/text.hpp"
#include "fakes/corpus.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_programs.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {
namespace {

// A cell of the table: a number without its unit, or nothing for "-" and for words.
std::optional<double> cell(const CorpusRow& row, std::string_view column) {
  return leading_number(row.find(column)->second);
}

template <class T>
std::optional<double> value_of(const Metric<T>& metric) {
  return metric ? std::optional(static_cast<double>(metric->value())) : std::nullopt;
}

std::optional<double> mib_of(const Metric<Bytes>& metric) {
  return metric ? std::optional(static_cast<double>(metric->value()) / (1 << 20)) : std::nullopt;
}

class CorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folder = corpus();
    if (!folder) GTEST_SKIP() << "no corpus: set GPUKEEPER_CORPUS";
    folder_ = *folder;
    for (auto& row : corpus_table(folder_, "file,vendor,name")) {
      if (!row["file"].starts_with("nvidia-smi/")) continue;
      rows_[row["file"]].push_back(row);
    }
    ASSERT_FALSE(rows_.empty());
  }

  std::filesystem::path folder_;
  std::map<std::string, std::vector<CorpusRow>> rows_;  // by file, in document order
};

TEST_F(CorpusTest, EveryFileOfTheFolderIsInTheTable) {
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "nvidia-smi")) {
    EXPECT_TRUE(rows_.contains("nvidia-smi/" + entry.path().filename().string())) << entry.path();
  }
}

TEST_F(CorpusTest, EveryGpuHasExactlyTheFactsOfItsRow) {
  for (const auto& [file, rows] : rows_) {
    const auto document = parse_nvidia_smi(file_content(folder_ / file));
    ASSERT_TRUE(document) << file << ": " << document.error().message;
    ASSERT_EQ(document->gpus.size(), rows.size()) << file;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      SCOPED_TRACE(file + " gpu " + std::to_string(i));
      const CorpusRow& row = rows[i];
      const ToolGpu& gpu = document->gpus[i];
      const Reading& reading = gpu.reading;
      EXPECT_EQ(gpu.device.name, row.find("name")->second);
      EXPECT_FALSE(gpu.device.id.text.empty());
      EXPECT_EQ(value_of(reading.temperature), cell(row, "temp_c"));
      EXPECT_EQ(mib_of(reading.memory_used), cell(row, "mem_used"));
      EXPECT_EQ(mib_of(reading.memory_total), cell(row, "mem_total"));
      EXPECT_EQ(value_of(reading.utilization), cell(row, "util"));
      EXPECT_EQ(value_of(reading.power), cell(row, "power_w"));
      EXPECT_EQ(value_of(reading.power_limit), cell(row, "power_limit_w"));
      EXPECT_EQ(value_of(reading.fan), cell(row, "fan"));
      EXPECT_EQ(static_cast<double>(gpu.process_entries), cell(row, "processes"));
      if (gpu.processes) {
        EXPECT_LE(gpu.processes->size(), gpu.process_entries);
      }

      const std::string& quirk = row.find("quirk")->second;
      std::smatch found;
      if (std::regex_search(quirk, found, std::regex("bus ([0-9A-Fa-f:.]+)"))) {
        EXPECT_EQ(gpu.device.pci, PciAddress::parse(found[1].str()));
      }
      if (std::regex_search(quirk, found, std::regex("inst=([0-9.]+) W"))) {
        EXPECT_EQ(value_of(reading.power_instant), parse_double(found[1].str()));
      }
      const auto partitions =
          std::regex_search(quirk, found, std::regex("MIG ([0-9]+) devices")) ? std::stoul(found[1]) : 0;
      EXPECT_EQ(gpu.partitions.size(), partitions);
      EXPECT_EQ(gpu.trouble.has_value(), row.find("temp_c")->second == "GPU is lost");
    }
  }
}

TEST_F(CorpusTest, MigInstancesHaveTheirOwnMemory) {
  const std::string file = "nvidia-smi/a100-sxm4-80gb-mig__535.54.03.xml";
  if (!rows_.contains(file)) GTEST_SKIP() << file << " is not in this corpus";
  const auto document = parse_nvidia_smi(file_content(folder_ / file));
  ASSERT_TRUE(document);
  ASSERT_EQ(document->gpus.size(), 1u);
  const auto& partitions = document->gpus[0].partitions;
  ASSERT_EQ(partitions.size(), 4u);
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const auto& [device, reading] = partitions[i];
    const std::string number = std::to_string(3 + i);
    EXPECT_EQ(device.partition, "MIG " + number + "/0 (GPU instance " + number + ", compute instance 0)");
    EXPECT_EQ(device.parent, document->gpus[0].device.id);
    EXPECT_EQ(reading.memory_used, 12_MiB);
    EXPECT_EQ(reading.memory_total, 19968_MiB);
    EXPECT_EQ(reading.power, Metric<Watts>(missing(Missing::not_supported)));
  }
}

TEST_F(CorpusTest, EveryRecordingKeepsTheContract) {
  FakePrograms programs;
  MemoryFiles files;
  FakeClock clock;
  for (const auto& [file, rows] : rows_) {
    SCOPED_TRACE(file);
    NvidiaSmiOptions options;
    options.tool.file = folder_ / file;
    const auto backend = open_nvidia_smi(options, {programs, files, clock});
    ASSERT_TRUE(backend) << backend.error().message;
    check_backend_contract(**backend);
  }
  EXPECT_TRUE(programs.take_runs().empty()) << "a recording runs nothing";
}

// A recording may be cut anywhere: the answer is the document up to there, or a message that says where; never a crash.
TEST_F(CorpusTest, EveryCutRecordingIsRefusedWithItsPlace) {
  const auto text = file_content(folder_ / rows_.begin()->first);
  for (std::size_t length = 1; length < text.size() - 20; length += 97) {
    const auto document = parse_nvidia_smi(std::string_view(text).substr(0, length));
    ASSERT_FALSE(document) << length;
    EXPECT_EQ(document.error().code, Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace gpukeeper
