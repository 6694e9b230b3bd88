#include "fakes/nvml/library.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace gpukeeper::fake_nvml {
namespace {

/// One object per handle that can exist. Filled once; only the addresses matter to clients.
struct Handles {
  abi::DeviceObject objects[kMaxGpus][kMaxMigInstances + 1];
  Handles() {
    for (int slot = 0; slot < kMaxGpus; ++slot) {
      for (int mig = 0; mig <= kMaxMigInstances; ++mig) {
        objects[slot][mig].slot = static_cast<std::uint8_t>(slot);
        objects[slot][mig].mig = static_cast<std::uint8_t>(mig);
      }
    }
  }
};
Handles handles;

std::mutex session_mutex;
int session_count = 0;                    // guarded by session_mutex: NVML counts its initialisations
std::atomic<State*> open_state{nullptr};  // not null while session_count > 0
State* mapped_state = nullptr;            // guarded by session_mutex; kept for calls that still hang in it
dev_t mapped_device = 0;                  // guarded by session_mutex: which file that is
ino_t mapped_inode = 0;
Enumeration found;  // written by the first initialisation, before open_state is set
std::atomic<std::uint32_t> opened_generation{0};

/// Maps the file that the environment names; nullptr when there is none, or it is not ours.
State* map_state() {
  const char* path = std::getenv(kStateVariable);
  if (!path || !*path) return nullptr;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;
  struct stat status {};
  if (fstat(file, &status) != 0 || static_cast<std::size_t>(status.st_size) != sizeof(State)) {
    close(file);
    return nullptr;
  }
  if (mapped_state && status.st_dev == mapped_device && status.st_ino == mapped_inode) {
    close(file);
    return mapped_state;
  }
  void* memory = mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return nullptr;
  auto* state = static_cast<State*>(memory);
  if (state->magic != kMagic || state->layout != kLayout || state->size != sizeof(State)) {
    munmap(memory, sizeof(State));
    return nullptr;
  }
  mapped_state = state;
  mapped_device = status.st_dev;
  mapped_inode = status.st_ino;
  return state;
}

Return open_session(Symbol symbol, Uint flags) {
  constexpr Uint kNoGpus = 1, kNoAttach = 2, kForceInit = 4;
  if ((flags & ~(kNoGpus | kNoAttach | kForceInit)) != 0) return abi::kInvalidArgument;
  std::scoped_lock lock(session_mutex);
  if (session_count > 0) {
    const Call call(symbol);
    if (!call) return call.code();
    ++session_count;
    return abi::kSuccess;
  }
  State* state = map_state();
  if (!state) return abi::kDriverNotLoaded;
  const Call call(symbol, *state);
  if (!call) return call.code();
  if (const auto refused = state->init_code.load()) return static_cast<Return>(refused);
  found.count = 0;
  for (int slot = 0; slot < kMaxGpus; ++slot) {
    if (state->gpus[slot].plugged) found.slots[found.count++] = static_cast<std::uint8_t>(slot);
  }
  opened_generation = state->generation.load();
  open_state = state;
  state->sessions.fetch_add(1);
  session_count = 1;
  return abi::kSuccess;
}

}  // namespace

State* session() {
  return open_state.load(std::memory_order_acquire);
}
const Enumeration& enumeration() {
  return found;
}
std::uint32_t session_generation() {
  return opened_generation.load(std::memory_order_relaxed);
}

Device handle_of(int slot, int mig) {
  return &handles.objects[slot][mig + 1];
}

bool resolve(Device device, int& slot, int& mig) {
  const auto first = reinterpret_cast<std::uintptr_t>(&handles.objects[0][0]);
  const auto offset = reinterpret_cast<std::uintptr_t>(device) - first;
  if (offset >= sizeof(handles.objects) || offset % sizeof(abi::DeviceObject) != 0) return false;
  slot = device->slot;
  mig = device->mig - 1;
  return true;
}

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t wall_us() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U + static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
}

void wait_on(std::atomic<std::uint32_t>& word, std::uint32_t value, int timeout_ms) {
  timespec timeout{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  // Not FUTEX_PRIVATE: the one who wakes us is another process.
  syscall(SYS_futex, &word, FUTEX_WAIT, value, timeout_ms < 0 ? nullptr : &timeout, nullptr, 0);
}

Call::Call(Symbol symbol, bool before_init) : state_(session()) {
  if (!state_) {
    if (!before_init) code_ = abi::kUninitialized;
    return;
  }
  begin(symbol, kNoGpu);
  if (code_ == abi::kSuccess && !before_init &&
      state_->generation.load(std::memory_order_relaxed) != session_generation()) {
    code_ = static_cast<Return>(state_->stale_code.load(std::memory_order_relaxed));
  }
}

Call::Call(Symbol symbol, Device device, MigHandle mig_handle) : state_(session()) {
  if (!state_) {
    code_ = abi::kUninitialized;
    return;
  }
  int slot = -1, mig = -1;
  const bool known = resolve(device, slot, mig);
  begin(symbol, known ? slot : kNoGpu);
  if (code_ != abi::kSuccess) return;
  if (state_->generation.load(std::memory_order_relaxed) != session_generation()) {
    code_ = static_cast<Return>(state_->stale_code.load(std::memory_order_relaxed));
    return;
  }
  if (!known) {
    code_ = abi::kInvalidArgument;
    return;
  }
  const auto lost = state_->gpus[slot].lost.load(std::memory_order_relaxed);
  if (lost != 0) {
    code_ = static_cast<Return>(lost);
    return;
  }
  slot_ = slot;
  mig_ = mig;
  if (mig >= 0) {
    if (!state_->gpus[slot].mig[mig].present)
      code_ = abi::kInvalidArgument;  // the instance was destroyed
    else if (mig_handle == MigHandle::no)
      code_ = abi::kNotSupported;
  }
}

void Call::begin(Symbol symbol, int column) {
  cell_ = &state_->cells[static_cast<std::size_t>(symbol)][column];
  start_ = monotonic_ns();
  cell_->calls.fetch_add(1, std::memory_order_relaxed);
  if (state_->faults.load(std::memory_order_acquire) != 0) inject(symbol, column);
}

void Call::inject(Symbol symbol, int column) {
  const auto row = static_cast<std::size_t>(symbol);
  Cell* const cells[] = {&state_->cells[row][column], &state_->cells[row][kEveryGpu], &state_->cells[kSymbols][column],
                         &state_->cells[kSymbols][kEveryGpu]};
  for (Cell* cell : cells) {
    if (const auto latency = cell->latency_us.load(std::memory_order_relaxed); latency != 0) {
      timespec pause{latency / 1'000'000, static_cast<long>(latency % 1'000'000) * 1000};
      while (nanosleep(&pause, &pause) != 0) {
      }
    }
    if (cell->hang.load(std::memory_order_acquire) != 0) {
      cell->hanging.fetch_add(1);
      while (cell->hang.load(std::memory_order_acquire) != 0) wait_on(cell->hang, 1, -1);
      cell->hanging.fetch_sub(1);
    }
    if (const auto cut = cell->short_bytes.load(std::memory_order_relaxed); cut != 0) short_bytes_ = cut;
    if (cell->no_versions.load(std::memory_order_relaxed) != 0) no_versions_ = true;
    if (code_ != abi::kSuccess) continue;
    if (const auto code = cell->code.load(std::memory_order_acquire); code != 0) {
      auto left = cell->code_times.load(std::memory_order_relaxed);
      while (left != kAbsent && left != 0 && !cell->code_times.compare_exchange_weak(left, left - 1)) {
      }
      if (left != 0) code_ = static_cast<Return>(code);
    }
  }
  auto left = state_->fail_nth.load(std::memory_order_relaxed);
  while (left != 0 && !state_->fail_nth.compare_exchange_weak(left, left - 1)) {
  }
  if (left == 1) code_ = static_cast<Return>(state_->fail_nth_code.load());
}

Return Call::put_text(char* out, Uint length, const char* text) const {
  if (!out) return abi::kInvalidArgument;
  const std::size_t size = std::strlen(text) + 1;
  if (length < size) return abi::kInsufficientSize;
  copy(out, text, size);
  return abi::kSuccess;
}

std::uint64_t Call::counter(std::uint64_t base, double per_second) const {
  const auto since = gpu().counters_since_ns;
  if (since == 0) return base;
  const auto now = monotonic_ns();
  return now <= since ? base : base + static_cast<std::uint64_t>(per_second * (static_cast<double>(now - since) / 1e9));
}

Uint copy_processes(const Gpu& gpu, Process (&out)[kMaxProcesses]) {
  constexpr std::uint64_t kPatienceNs = 2'000'000'000;
  const auto copy = [&] {
    const Uint count = std::min<Uint>(gpu.process_count, kMaxProcesses);
    std::copy_n(gpu.processes, count, out);
    return count;
  };
  // The counter is odd while a writer is at work, who may have to wait for a processor; one that died there leaves it
  // odd, and then we take what is there.
  for (const auto begin = monotonic_ns(); monotonic_ns() - begin < kPatienceNs; sched_yield()) {
    const auto before = gpu.sequence.load(std::memory_order_acquire);
    if (before % 2 != 0) continue;
    const Uint count = copy();
    std::atomic_thread_fence(std::memory_order_acquire);
    if (gpu.sequence.load(std::memory_order_relaxed) == before) return count;
  }
  return copy();
}

void mig_name(const Gpu& gpu, const MigInstance& mig, char (&out)[96]) {
  std::snprintf(out, sizeof(out), "%.58s MIG %s", gpu.name, mig.profile_name);
}

void bus_id_legacy(const Gpu& gpu, char (&out)[16]) {
  std::snprintf(out, sizeof(out), "%04X:%02X:%02X.0", gpu.pci_domain & 0xffff, gpu.pci_bus & 0xff,
                gpu.pci_device & 0xff);
}

void bus_id(const Gpu& gpu, char (&out)[32]) {
  std::snprintf(out, sizeof(out), "%08X:%02X:%02X.0", gpu.pci_domain, gpu.pci_bus, gpu.pci_device);
}

abi::PciInfo pci_info(const Gpu& gpu) {
  abi::PciInfo info{};
  bus_id_legacy(gpu, info.bus_id_legacy);
  bus_id(gpu, info.bus_id);
  info.domain = gpu.pci_domain;
  info.bus = gpu.pci_bus;
  info.device = gpu.pci_device;
  info.device_id = gpu.pci_device_id;
  info.subsystem_id = gpu.pci_subsystem_id;
  return info;
}

}  // namespace gpukeeper::fake_nvml

using gpukeeper::fake_nvml::open_session;
using gpukeeper::fake_nvml::Symbol;
using gpukeeper::fake_nvml::Uint;
namespace abi = gpukeeper::fake_nvml::abi;

NVML_API nvmlInit() {
  return open_session(Symbol::nvmlInit, 0);
}
NVML_API nvmlInit_v2() {
  return open_session(Symbol::nvmlInit_v2, 0);
}
NVML_API nvmlInitWithFlags(Uint flags) {
  return open_session(Symbol::nvmlInitWithFlags, flags);
}

NVML_API nvmlShutdown() {
  using namespace gpukeeper::fake_nvml;
  std::scoped_lock lock(session_mutex);
  {
    // Closing works on a reloaded driver too, so the stale code does not count here.
    const Call call(Symbol::nvmlShutdown, true);
    if (session_count == 0) return abi::kUninitialized;
    if (!call) return call.code();
  }
  if (--session_count == 0) {
    mapped_state->sessions.fetch_sub(1);
    open_state = nullptr;
  }
  return abi::kSuccess;
}
