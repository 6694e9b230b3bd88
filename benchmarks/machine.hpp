#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "backend/detect.hpp"
#include "fakes/nvml/fake_nvml.hpp"

namespace gpukeeper::bench {

/// Eight fake NVIDIA GPUs that 32 real processes share, all of them on each: as a busy training machine looks to NVML.
class BusyMachine {
 public:
  static constexpr int kGpus = 8;
  static constexpr int kProcesses = 32;

  enum class Spread { on_all, one_each };  ///< each process on every GPU, or on one of them
  explicit BusyMachine(int processes = kProcesses, Spread spread = Spread::on_all);
  ~BusyMachine();
  BusyMachine(const BusyMachine&) = delete;
  BusyMachine& operator=(const BusyMachine&) = delete;

  FakeNvml& nvml() { return nvml_; }

  /// What `--source` takes to read it.
  static std::string source() { return "nvml:" + FakeNvml::library_path().string(); }

  /// Its backends, opened as the program does.
  static std::vector<std::shared_ptr<Backend>> open(std::shared_ptr<Clock> clock);

 private:
  FakeNvml nvml_;
  std::vector<pid_t> sleepers_;
};

}  // namespace gpukeeper::bench
