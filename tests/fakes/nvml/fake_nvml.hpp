#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/nvml/state.hpp"

namespace gpukeeper {

/// A machine's NVIDIA driver under a test's control: makes the shared file, names it in the environment, and changes it
/// while clients run. Whatever opens `library_path()` (or runs with `library_folder()` first in LD_LIBRARY_PATH) sees
/// it.
///
///     FakeNvml nvml;
///     const int gpu = nvml.add_gpu();
///     nvml.gpu(gpu).temperature = 71;
///     nvml.hang(Symbol::nvmlDeviceGetPowerUsage, gpu);
///
/// GPUs are named by their slot, the number that add_gpu gave; it is the NVML index too as long as none is unplugged.
/// A GPU that is added or unplugged is seen by the next initialisation, as with the real library.
/// Threads: clients may be in other threads and processes; the members of this class are called from one.
class FakeNvml {
 public:
  using Symbol = fake_nvml::Symbol;
  using Process = fake_nvml::Process;
  using MigInstance = fake_nvml::MigInstance;

  /// A driver without GPUs. The last one made is the one that the environment names.
  FakeNvml();
  /// Releases every hanging call first, so that client threads can end.
  ~FakeNvml();
  FakeNvml(const FakeNvml&) = delete;
  FakeNvml& operator=(const FakeNvml&) = delete;

  /// The fake library of an age: 590 exports all, 470 and 340 what the drivers of 2021 and 2014 had.
  static std::filesystem::path library_path(int branch = 590);
  static std::filesystem::path library_folder(int branch = 590);
  /// A copy of the library that lacks these functions; it lives as long as this object.
  std::filesystem::path library_without(const std::vector<std::string_view>& functions);
  /// The shared file, for the environment of a program to start.
  const std::filesystem::path& state_path() const { return path_; }

  fake_nvml::State& state() { return *state_; }
  fake_nvml::Gpu& gpu(int slot) { return state_->gpus[slot]; }

  // GPUs.
  /// A data-centre card at 0000:1X:00.0 with a UUID of its own; returns its slot.
  int add_gpu(std::string_view name = "NVIDIA H100 80GB HBM3");
  void unplug(int slot) { state_->gpus[slot].plugged = 0; }
  void plug(int slot) { state_->gpus[slot].plugged = 1; }
  /// Every call about it answers `code`: 15 fell off the bus, 16 reset required.
  void lose_gpu(int slot, int code = 15) { state_->gpus[slot].lost = code; }
  void find_gpu(int slot) { state_->gpus[slot].lost = 0; }
  /// Average and instant power; energy used so far is kept.
  void set_power(int slot, std::uint32_t milliwatts);
  /// Stops or starts what grows with time: energy, PCIe and NVLink counters. They run from the start.
  void run_counters(int slot, bool running);

  // Processes.
  void set_processes(int slot, const std::vector<Process>& processes);
  void add_process(int slot, const Process& process);
  void remove_process(int slot, std::uint32_t pid);

  // MIG.
  /// Turns MIG on and adds an instance with a UUID of its own where the given one has none; returns its index.
  int add_mig(int slot, MigInstance instance);
  void remove_mig(int slot, int index);

  // The driver.
  /// nvmlInit fails so: 9 not loaded, 18 library and kernel module differ, 4 no permission, 17 blocked by a cgroup.
  void refuse_init(int code) { state_->init_code = code; }
  void accept_init() { state_->init_code = 0; }
  /// Open sessions are stale from now on: their calls answer `code` until they shut down and initialise again.
  void reload_driver(int code = 999);

  // Faults; `gpu` may be fake_nvml::kEveryGpu or kNoGpu, `symbol` may be Symbol::kAny. They add up until cleared.
  void fail(Symbol symbol, int code, int gpu = fake_nvml::kEveryGpu, std::uint32_t times = fake_nvml::kAbsent);
  void hang(Symbol symbol, int gpu = fake_nvml::kEveryGpu);
  void delay(Symbol symbol, std::chrono::microseconds latency, int gpu = fake_nvml::kEveryGpu);
  /// Answers longer than this are cut: the rest of the client's buffer stays as it was.
  void cut_answers(Symbol symbol, std::uint32_t bytes, int gpu = fake_nvml::kEveryGpu);
  /// Every version word is refused with 25, as by an older library.
  void refuse_versions(Symbol symbol, int gpu = fake_nvml::kEveryGpu);
  /// The n-th call from now on, of any function (1 is the next), fails with `code`; 0 for none.
  void fail_nth(std::uint64_t n, int code = 999);
  /// Latencies as measured on real machines: 20 ms for PCIe throughput, 4.5 ms for a graphics list, microseconds
  /// elsewhere.
  void realistic_latency(std::chrono::microseconds pcie_throughput = std::chrono::milliseconds(20));
  /// Lets the hanging calls about a GPU go on, or all of them.
  void release(int gpu);
  void release();
  /// Ends all faults, and releases.
  void clear_faults();
  /// Callers inside an injected hang now.
  std::uint32_t hanging() const;
  /// A field of nvmlDeviceGetFieldValues answers with this code; 0 lets it answer.
  void fail_field(int slot, int field, int code) {
    state_->gpus[slot].field_code[field] = static_cast<std::uint16_t>(code);
  }

  /// Delivers an event to whoever registered for its type on that GPU: 8 is a critical XID error, `data` its number.
  void post_event(int slot, std::uint64_t type, std::uint64_t data, std::uint32_t gpu_instance = fake_nvml::kAbsent,
                  std::uint32_t compute_instance = fake_nvml::kAbsent);

  // What clients did. Calls before the first initialisation cannot be seen.
  std::uint64_t calls(Symbol symbol) const;
  std::uint64_t calls(Symbol symbol, int gpu) const;
  std::uint64_t calls_of_gpu(int gpu) const;
  std::uint64_t total_calls() const;
  std::chrono::nanoseconds time_inside(Symbol symbol) const;
  std::chrono::nanoseconds total_time_inside() const;
  void reset_counters();
  /// Initialisations now open, over all clients.
  std::uint32_t open_sessions() const { return state_->sessions.load(); }

  static std::string_view name_of(Symbol symbol) { return fake_nvml::kSymbolNames[static_cast<std::size_t>(symbol)]; }

 private:
  fake_nvml::Cell& cell(Symbol symbol, int gpu) { return state_->cells[static_cast<std::size_t>(symbol)][gpu]; }
  void settle_counters(int slot);

  std::filesystem::path folder_;
  std::filesystem::path path_;
  fake_nvml::State* state_ = nullptr;
  int gpus_ = 0;
  int copies_ = 0;
};

}  // namespace gpukeeper
