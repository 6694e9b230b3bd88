#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "fakes/nvml/abi.hpp"
#include "fakes/nvml/state.hpp"

/// The inside of the fake library: what every exported function begins and ends with.
///
/// Threads: every function may be called from any thread, as in NVML. Nothing here locks; initialisation is in
/// library.cpp under a mutex, and the state is shared memory of atomics and words (state.hpp).
namespace gpukeeper::fake_nvml {

using abi::Device;
using abi::Return;
using abi::Uint;
using abi::Ullong;

#define NVML_API extern "C" [[gnu::visibility("default")]] gpukeeper::fake_nvml::Return

}  // namespace gpukeeper::fake_nvml

namespace gpukeeper::fake_nvml::abi {
/// What a device handle points to. Clients never look inside; the library knows its own by their addresses.
struct DeviceObject {
  std::uint8_t slot = 0;
  std::uint8_t mig = 0;  // 0: the GPU itself; n: its MIG instance n-1
};
}  // namespace gpukeeper::fake_nvml::abi

namespace gpukeeper::fake_nvml {

/// The state of the open session, or nullptr before nvmlInit and after the last nvmlShutdown.
State* session();
/// Slots of the GPUs found by the initialisation, in order of their index.
struct Enumeration {
  int count = 0;
  std::uint8_t slots[kMaxGpus] = {};
};
const Enumeration& enumeration();
/// The driver generation that the session was opened with.
std::uint32_t session_generation();

Device handle_of(int slot, int mig = -1);
/// Where a handle points; false when it is none of ours.
bool resolve(Device device, int& slot, int& mig);

std::uint64_t monotonic_ns();
std::uint64_t wall_us();
/// Puts the caller to sleep until the word is no longer `value`, at most `timeout_ms` (-1: for ever).
void wait_on(std::atomic<std::uint32_t>& word, std::uint32_t value, int timeout_ms);

/// Whether a function takes the handle of a MIG instance.
enum class MigHandle { no, yes };

/// One call of an exported function: counted, timed, and failed, delayed or hung where the state says so.
class Call {
 public:
  /// A call about no GPU. `before_init`: it works without a session (but is only counted within one).
  explicit Call(Symbol symbol, bool before_init = false);
  Call(Symbol symbol, Device device, MigHandle mig_handle = MigHandle::no);
  /// The call that opens the session: counted in a state that is not yet one.
  Call(Symbol symbol, State& state) : state_(&state) { begin(symbol, kNoGpu); }
  ~Call() {
    if (cell_) cell_->nanoseconds.fetch_add(monotonic_ns() - start_, std::memory_order_relaxed);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  explicit operator bool() const { return code_ == abi::kSuccess; }
  Return code() const { return code_; }

  State& state() const { return *state_; }
  Gpu& gpu() const { return state_->gpus[slot_]; }
  int slot() const { return slot_; }
  /// The instance that the handle names, or nullptr for a whole GPU.
  MigInstance* mig() const { return mig_ < 0 ? nullptr : &gpu().mig[mig_]; }
  int mig_index() const { return mig_; }
  bool mig_on() const { return gpu().mig_mode == 1; }

  /// Copies an answer out; cut where the state asks for a short struct.
  void copy(void* out, const void* value, std::size_t size) const {
    std::memcpy(out, value, short_bytes_ != 0 && short_bytes_ < size ? short_bytes_ : size);
  }
  template <class T>
  Return put(T* out, const std::type_identity_t<T>& value) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!out) return abi::kInvalidArgument;
    copy(out, &value, sizeof(T));
    return abi::kSuccess;
  }
  /// A string for a buffer of `length` bytes, its end included.
  Return put_text(char* out, Uint length, const char* text) const;
  /// 2 for a null pointer, 25 for a version word other than the struct's, else 0.
  template <class T>
  Return check(const T* in, Uint version) const {
    if (!in) return abi::kInvalidArgument;
    return in->version == abi::version_word<T>(version) && !no_versions_ ? abi::kSuccess
                                                                         : abi::kArgumentVersionMismatch;
  }
  bool refuses_versions() const { return no_versions_; }

  /// A counter that grows with time: what stood there, and its rate per second since.
  std::uint64_t counter(std::uint64_t base, double per_second) const;

 private:
  void begin(Symbol symbol, int column);
  void inject(Symbol symbol, int column);

  State* state_ = nullptr;
  Cell* cell_ = nullptr;
  std::uint64_t start_ = 0;
  int slot_ = -1;
  int mig_ = -1;
  Return code_ = abi::kSuccess;
  std::uint32_t short_bytes_ = 0;
  bool no_versions_ = false;
};

constexpr bool absent(std::uint32_t value) {
  return value == kAbsent;
}
constexpr bool absent(std::uint64_t value) {
  return value == kAbsent64;
}
constexpr bool absent(std::int32_t value) {
  return value == kAbsentSigned;
}

/// The many functions that hand out one number of one GPU.
template <class T, class Get>
Return read(Symbol symbol, Device device, T* out, Get get) {
  const Call call(symbol, device);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  const auto value = get(static_cast<const Gpu&>(call.gpu()));
  if (absent(value)) return abi::kNotSupported;
  return call.put(out, static_cast<T>(value));
}

/// One of them as a line: its name, the type of its answer, and where that stands in `gpu`.
#define NVML_READ(name, type, expression)                                                  \
  NVML_API name(gpukeeper::fake_nvml::Device device, type* out) {                          \
    return gpukeeper::fake_nvml::read(                                                     \
        gpukeeper::fake_nvml::Symbol::name, device, out,                                   \
        []([[maybe_unused]] const gpukeeper::fake_nvml::Gpu& gpu) { return expression; }); \
  }

/// Pages of values for a client's buffer: 7 with the needed count when it is too small.
template <class Entry>
Return put_list(const Call& call, const Entry* entries, Uint needed, Uint* count, Entry* out) {
  if (!count) return abi::kInvalidArgument;
  const Uint room = *count;
  *count = needed;
  if (needed == 0) return abi::kSuccess;
  if (room < needed) return abi::kInsufficientSize;
  if (!out) return abi::kInvalidArgument;
  call.copy(out, entries, needed * sizeof(Entry));
  return abi::kSuccess;
}

/// A consistent copy of a GPU's processes. Returns their number.
Uint copy_processes(const Gpu& gpu, Process (&out)[kMaxProcesses]);

/// The NVML name of a MIG instance: its GPU's name, "MIG" and the profile.
void mig_name(const Gpu& gpu, const MigInstance& mig, char (&out)[96]);

/// "0000:1B:00.0" (4 digits of the domain) or "00000000:1B:00.0" (8).
void bus_id_legacy(const Gpu& gpu, char (&out)[16]);
void bus_id(const Gpu& gpu, char (&out)[32]);
abi::PciInfo pci_info(const Gpu& gpu);

}  // namespace gpukeeper::fake_nvml
