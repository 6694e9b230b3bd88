#include "fakes/nvml/fake_nvml.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <stdexcept>
#include <system_error>

namespace gpukeeper {
namespace {

using namespace fake_nvml;

template <std::size_t N>
void assign(char (&out)[N], std::string_view text) {
  const std::size_t size = std::min(N - 1, text.size());
  std::copy_n(text.data(), size, out);
  std::fill(out + size, out + N, '\0');
}

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void wake(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

/// Changes a GPU's list of processes as a whole, for readers in other threads and processes.
template <class Change>
void change_processes(Gpu& gpu, Change change) {
  gpu.sequence.fetch_add(1);  // acquires too: what changes stays behind it (ThreadSanitizer knows no bare fence)
  change();
  gpu.sequence.fetch_add(1, std::memory_order_release);
}

[[noreturn]] void stop(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

FakeNvml::FakeNvml() {
  std::string folder = (std::filesystem::temp_directory_path() / "gpukeeper-fake-nvml-XXXXXX").string();
  if (!mkdtemp(folder.data())) stop("make the folder " + folder);
  folder_ = folder;
  path_ = folder_ / "state";
  const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) stop("make " + path_.string());
  if (ftruncate(file, sizeof(State)) != 0) stop("size " + path_.string());
  void* memory = mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) stop("map " + path_.string());
  // A new file is all zeros, which is a State with no GPUs: only what differs is written, so few pages are touched.
  state_ = static_cast<State*>(memory);
  state_->magic = kMagic;
  state_->layout = kLayout;
  state_->size = sizeof(State);
  state_->cuda_version = 13010;
  state_->stale_code = 999;
  state_->setters_permitted = 1;
  state_->process_entry_bytes = 24;
  assign(state_->driver_version, "590.48.01");
  assign(state_->nvml_version, "13.590.48.01");
  assign(state_->driver_branch, "r590_00");
  setenv(kStateVariable, path_.c_str(), 1);
}

FakeNvml::~FakeNvml() {
  clear_faults();
  // Unlinked, not unmapped in clients: a call on its way out still writes its counters there.
  munmap(state_, sizeof(State));
  const char* named = std::getenv(kStateVariable);
  if (named && path_ == named) unsetenv(kStateVariable);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path FakeNvml::library_folder(int branch) {
  const std::filesystem::path folder = GPUKEEPER_FAKE_NVML_FOLDER;
  return branch == 590 ? folder : folder / ("r" + std::to_string(branch));
}

std::filesystem::path FakeNvml::library_path(int branch) {
  return library_folder(branch) / "libnvidia-ml.so.1";
}

std::filesystem::path FakeNvml::library_without(const std::vector<std::string_view>& functions) {
  std::ifstream in(library_path(), std::ios::binary);
  std::string image((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (const auto function : functions) {
    // The name in the table of dynamic symbols comes first in the file. With another name there, a look-up of this one
    // fails as if the function were not exported.
    const std::string name = '\0' + std::string(function) + '\0';
    const auto at = image.find(name);
    if (at == std::string::npos) throw std::invalid_argument("the fake NVML has no function " + std::string(function));
    image[at + 1] = '_';
  }
  const auto folder = folder_ / ("without-" + std::to_string(++copies_));
  std::filesystem::create_directory(folder);
  const auto path = folder / "libnvidia-ml.so.1";
  std::ofstream(path, std::ios::binary) << image;
  return path;
}

int FakeNvml::add_gpu(std::string_view name) {
  if (gpus_ == kMaxGpus) throw std::length_error("the fake NVML holds at most 64 GPUs");
  const int slot = gpus_++;
  const auto number = static_cast<unsigned>(slot);
  Gpu& gpu = *new (&state_->gpus[slot]) Gpu;
  assign(gpu.name, name);
  char text[96];
  std::snprintf(text, sizeof(text), "GPU-%08x-0000-4000-8000-%012x", 0x5eed0000U + number, number);
  assign(gpu.uuid, text);
  std::snprintf(text, sizeof(text), "16500230%05u", number);
  assign(gpu.serial, text);
  assign(gpu.part_number, "692-2G520-0200-000");
  assign(gpu.vbios, "96.00.74.00.01");
  assign(gpu.inforom_image, "G520.0200.00.05");
  assign(gpu.inforom_oem, "2.1");
  assign(gpu.inforom_ecc, "7.16");
  assign(gpu.gsp_firmware, "590.48.01");
  gpu.minor = number;
  gpu.module_id = number + 1;
  gpu.pci_bus = 0x10 + number;
  gpu.board_id = gpu.pci_bus << 8;
  gpu.irq = 100 + number;
  gpu.pcie_switch = number / 2;
  gpu.host_bridge = number / 4;
  gpu.numa_node = number / 4 % 2;
  gpu.cpu_affinity[0] = gpu.numa_node == 0 ? 0x0000ffffU : 0xffff0000U;
  gpu.memory_affinity = 1ULL << gpu.numa_node;
  gpu.counters_since_ns = monotonic_ns();
  gpu.plugged = 1;
  return slot;
}

void FakeNvml::settle_counters(int slot) {
  Gpu& gpu = state_->gpus[slot];
  if (gpu.counters_since_ns == 0) return;
  const auto now = monotonic_ns();
  const double seconds = static_cast<double>(now - gpu.counters_since_ns) / 1e9;
  const auto grown = [&](double per_second) { return static_cast<std::uint64_t>(per_second * seconds); };
  gpu.energy_mj += grown(gpu.power_mw);
  gpu.pcie_tx_bytes += grown(gpu.pcie_tx_kb_per_s * 1000.0);
  gpu.pcie_rx_bytes += grown(gpu.pcie_rx_kb_per_s * 1000.0);
  for (auto& link : gpu.link) {
    link.tx_kib += grown(static_cast<double>(link.tx_kib_per_s));
    link.rx_kib += grown(static_cast<double>(link.rx_kib_per_s));
  }
  gpu.counters_since_ns = now;
}

void FakeNvml::set_power(int slot, std::uint32_t milliwatts) {
  settle_counters(slot);
  gpu(slot).power_mw = milliwatts;
  gpu(slot).power_instant_mw = milliwatts;
}

void FakeNvml::run_counters(int slot, bool running) {
  settle_counters(slot);
  gpu(slot).counters_since_ns = running ? monotonic_ns() : 0;
}

void FakeNvml::set_processes(int slot, const std::vector<Process>& processes) {
  if (processes.size() > kMaxProcesses) throw std::length_error("the fake NVML holds at most 128 processes a GPU");
  Gpu& gpu = state_->gpus[slot];
  change_processes(gpu, [&] {
    std::copy(processes.begin(), processes.end(), gpu.processes);
    gpu.process_count = static_cast<std::uint32_t>(processes.size());
  });
}

void FakeNvml::add_process(int slot, const Process& process) {
  Gpu& gpu = state_->gpus[slot];
  if (gpu.process_count == kMaxProcesses) throw std::length_error("the fake NVML holds at most 128 processes a GPU");
  change_processes(gpu, [&] { gpu.processes[gpu.process_count++] = process; });
}

void FakeNvml::remove_process(int slot, std::uint32_t pid) {
  Gpu& gpu = state_->gpus[slot];
  change_processes(gpu, [&] {
    Process* const end = gpu.processes + gpu.process_count;
    Process* const kept = std::remove_if(gpu.processes, end, [&](const Process& p) { return p.pid == pid; });
    gpu.process_count = static_cast<std::uint32_t>(kept - gpu.processes);
  });
}

int FakeNvml::add_mig(int slot, MigInstance instance) {
  Gpu& gpu = state_->gpus[slot];
  gpu.mig_mode = gpu.mig_mode_pending = 1;
  for (int i = 0; i < kMaxMigInstances; ++i) {
    if (gpu.mig[i].present) continue;
    if (instance.uuid[0] == '\0') {
      std::snprintf(instance.uuid, sizeof(instance.uuid), "MIG-%08x-0000-5000-8000-%012x",
                    0x5eed0000U + static_cast<unsigned>(slot), static_cast<unsigned>(i));
    }
    instance.present = 1;
    gpu.mig[i] = instance;
    return i;
  }
  throw std::length_error("the fake NVML holds at most 8 MIG instances a GPU");
}

void FakeNvml::remove_mig(int slot, int index) {
  state_->gpus[slot].mig[index].present = 0;
}

void FakeNvml::reload_driver(int code) {
  state_->stale_code = code;
  state_->generation.fetch_add(1);
}

void FakeNvml::fail(Symbol symbol, int code, int gpu, std::uint32_t times) {
  cell(symbol, gpu).code_times = times;
  cell(symbol, gpu).code = code;
  state_->faults.fetch_add(1);
}

void FakeNvml::hang(Symbol symbol, int gpu) {
  cell(symbol, gpu).hang = 1;
  state_->faults.fetch_add(1);
}

void FakeNvml::delay(Symbol symbol, std::chrono::microseconds latency, int gpu) {
  cell(symbol, gpu).latency_us = static_cast<std::uint32_t>(latency.count());
  state_->faults.fetch_add(1);
}

void FakeNvml::cut_answers(Symbol symbol, std::uint32_t bytes, int gpu) {
  cell(symbol, gpu).short_bytes = bytes;
  state_->faults.fetch_add(1);
}

void FakeNvml::refuse_versions(Symbol symbol, int gpu) {
  cell(symbol, gpu).no_versions = 1;
  state_->faults.fetch_add(1);
}

void FakeNvml::fail_nth(std::uint64_t n, int code) {
  state_->fail_nth_code = code;
  state_->fail_nth = n;
  state_->faults.fetch_add(1);
}

void FakeNvml::realistic_latency(std::chrono::microseconds pcie_throughput) {
  using std::chrono::microseconds;
  // nvml.h documents 20 ms for the throughput; the others were measured on an RTX 4090 (MangoHud pull request 2104).
  delay(Symbol::nvmlDeviceGetPcieThroughput, pcie_throughput);
  for (const auto symbol :
       {Symbol::nvmlDeviceGetGraphicsRunningProcesses, Symbol::nvmlDeviceGetGraphicsRunningProcesses_v2,
        Symbol::nvmlDeviceGetGraphicsRunningProcesses_v3}) {
    delay(symbol, microseconds(4500));
  }
  for (const auto symbol : {Symbol::nvmlDeviceGetFanSpeed, Symbol::nvmlDeviceGetFanSpeed_v2})
    delay(symbol, microseconds(137));
  for (const auto symbol : {Symbol::nvmlDeviceGetMemoryInfo, Symbol::nvmlDeviceGetMemoryInfo_v2})
    delay(symbol, microseconds(12));
  delay(Symbol::nvmlDeviceGetUtilizationRates, microseconds(3));
}

void FakeNvml::release(int gpu) {
  for (auto& row : state_->cells) {
    Cell& cell = row[gpu];
    if (cell.hang.load() == 0) continue;
    cell.hang = 0;
    wake(cell.hang);
  }
}

void FakeNvml::release() {
  for (int gpu = 0; gpu < kColumns; ++gpu) release(gpu);
}

void FakeNvml::clear_faults() {
  for (auto& row : state_->cells) {
    for (auto& cell : row) {
      cell.code = 0;
      cell.latency_us = 0;
      cell.short_bytes = 0;
      cell.no_versions = 0;
    }
  }
  state_->fail_nth = 0;
  state_->faults = 0;
  release();
}

std::uint32_t FakeNvml::hanging() const {
  std::uint32_t sum = 0;
  for (const auto& row : state_->cells) {
    for (const auto& cell : row) sum += cell.hanging.load();
  }
  return sum;
}

void FakeNvml::post_event(int slot, std::uint64_t type, std::uint64_t data, std::uint32_t gpu_instance,
                          std::uint32_t compute_instance) {
  const auto head = state_->events_head.load();
  state_->events[head % kMaxEvents] =
      Event{static_cast<std::uint32_t>(slot), gpu_instance, compute_instance, 0, type, data};
  state_->events_head.store(head + 1, std::memory_order_release);
  wake(state_->events_head);
}

std::uint64_t FakeNvml::calls(Symbol symbol) const {
  std::uint64_t sum = 0;
  for (int gpu = 0; gpu < kColumns; ++gpu) sum += calls(symbol, gpu);
  return sum;
}

std::uint64_t FakeNvml::calls(Symbol symbol, int gpu) const {
  return state_->cells[static_cast<std::size_t>(symbol)][gpu].calls.load();
}

std::uint64_t FakeNvml::calls_of_gpu(int gpu) const {
  std::uint64_t sum = 0;
  for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) sum += state_->cells[symbol][gpu].calls.load();
  return sum;
}

std::uint64_t FakeNvml::total_calls() const {
  std::uint64_t sum = 0;
  for (int gpu = 0; gpu < kColumns; ++gpu) sum += calls_of_gpu(gpu);
  return sum;
}

std::chrono::nanoseconds FakeNvml::time_inside(Symbol symbol) const {
  std::uint64_t sum = 0;
  for (const auto& cell : state_->cells[static_cast<std::size_t>(symbol)]) sum += cell.nanoseconds.load();
  return std::chrono::nanoseconds(static_cast<std::int64_t>(sum));
}

std::chrono::nanoseconds FakeNvml::total_time_inside() const {
  std::chrono::nanoseconds sum{0};
  for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) sum += time_inside(static_cast<Symbol>(symbol));
  return sum;
}

void FakeNvml::reset_counters() {
  for (auto& row : state_->cells) {
    for (auto& cell : row) {
      cell.calls = 0;
      cell.nanoseconds = 0;
    }
  }
}

}  // namespace gpukeeper
