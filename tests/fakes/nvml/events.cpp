// Event sets: what happened to a GPU, told to whoever registered for it.
#include <algorithm>

#include "fakes/nvml/library.hpp"

namespace gpukeeper::fake_nvml::abi {
/// Which events of which GPU, and how far the ring has been read. One thread at a time uses a set, as in NVML.
struct EventSetObject {
  std::uint64_t types[kMaxGpus] = {};
  std::uint32_t next = 0;
  bool registered = false;
};
}  // namespace gpukeeper::fake_nvml::abi

using namespace gpukeeper::fake_nvml;

namespace {

/// Puts the next event for the set into `event`; false when there is none yet.
bool take(const State& state, abi::EventSet set, Event& event) {
  const auto head = state.events_head.load(std::memory_order_acquire);
  if (head - set->next > kMaxEvents) set->next = head - kMaxEvents;  // slow readers lose the oldest
  while (set->next != head) {
    event = state.events[set->next++ % kMaxEvents];
    if (event.gpu < kMaxGpus && (set->types[event.gpu] & event.type) != 0) return true;
  }
  return false;
}

Return wait(Symbol symbol, abi::EventSet set, Uint timeout_ms, Event& event) {
  const Call call(symbol);
  if (!call) return call.code();
  const auto deadline = monotonic_ns() + timeout_ms * 1'000'000ULL;
  for (;;) {
    const auto seen = call.state().events_head.load(std::memory_order_acquire);
    if (take(call.state(), set, event)) return abi::kSuccess;
    for (int slot = 0; slot < kMaxGpus; ++slot) {
      if (set->types[slot] == 0) continue;
      if (const auto lost = call.state().gpus[slot].lost.load()) return static_cast<Return>(lost);
    }
    const auto now = monotonic_ns();
    if (now >= deadline) return abi::kTimeout;
    const auto left_ms =
        std::min<std::uint64_t>((deadline - now + 999'999) / 1'000'000, 100);  // a lost GPU wakes nobody
    wait_on(call.state().events_head, seen, static_cast<int>(left_ms));
  }
}

}  // namespace

NVML_API nvmlEventSetCreate(abi::EventSet* out) {
  const Call call(Symbol::nvmlEventSetCreate);
  if (!call) return call.code();
  if (!out) return abi::kInvalidArgument;
  *out = new abi::EventSetObject;
  return abi::kSuccess;
}
NVML_API nvmlEventSetFree(abi::EventSet set) {
  const Call call(Symbol::nvmlEventSetFree);
  if (!call) {
    // After a reload the client cannot free it any other way, and a leak would be reported as the client's.
    if (session()) delete set;
    return call.code();
  }
  if (!set) return abi::kInvalidArgument;
  delete set;
  return abi::kSuccess;
}
NVML_READ(nvmlDeviceGetSupportedEventTypes, Ullong, gpu.event_types_supported)

NVML_API nvmlDeviceRegisterEvents(Device device, Ullong types, abi::EventSet set) {
  const Call call(Symbol::nvmlDeviceRegisterEvents, device);
  if (!call) return call.code();
  if (!set || types == 0) return abi::kInvalidArgument;
  if ((types & ~call.gpu().event_types_supported) != 0) return abi::kNotSupported;
  if (!set->registered) set->next = call.state().events_head.load();  // what happened before is not told
  set->registered = true;
  set->types[call.slot()] |= types;
  return abi::kSuccess;
}
NVML_API nvmlEventSetWait(abi::EventSet set, abi::EventDataV1* out, Uint timeout_ms) {
  if (!set || !out) return session() ? abi::kInvalidArgument : abi::kUninitialized;
  Event event{};
  if (const Return code = wait(Symbol::nvmlEventSetWait, set, timeout_ms, event)) return code;
  *out = {handle_of(static_cast<int>(event.gpu)), event.type, event.data};
  return abi::kSuccess;
}
NVML_API nvmlEventSetWait_v2(abi::EventSet set, abi::EventData* out, Uint timeout_ms) {
  if (!set || !out) return session() ? abi::kInvalidArgument : abi::kUninitialized;
  Event event{};
  if (const Return code = wait(Symbol::nvmlEventSetWait_v2, set, timeout_ms, event)) return code;
  *out = {handle_of(static_cast<int>(event.gpu)), event.type, event.data, event.gpu_instance, event.compute_instance};
  return abi::kSuccess;
}
