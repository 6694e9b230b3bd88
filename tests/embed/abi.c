/* Says how the structures and constants of the C interface lie: compared with abi.txt, which is never changed but by
 * what is added. It compiles as C11. */
#include <gpukeeper/gpukeeper.h>
#include <stdio.h>

#define SIZE(type) printf(#type " %zu\n", sizeof(type))
#define MEMBER(type, member) printf(#type "." #member " %zu %zu\n", offsetof(type, member), sizeof(((type*)0)->member))
#define VALUE(name) printf(#name " %lld\n", (long long)(name))

_Static_assert(offsetof(gk_options, size) == 0 && offsetof(gk_reading, size) == 0 &&
                   offsetof(gk_throttling, size) == 0 && offsetof(gk_request, size) == 0 &&
                   offsetof(gk_lease, size) == 0 && offsetof(gk_event, size) == 0,
               "every structure begins with its size");
_Static_assert(sizeof(gk_result) == 4 && sizeof(gk_state) == 4, "enumerations are as wide as int");

int main(void) {
  SIZE(gk_options);
  MEMBER(gk_options, size);
  MEMBER(gk_options, source);
  MEMBER(gk_options, host);
  MEMBER(gk_options, config);
  MEMBER(gk_options, state_dir);
  MEMBER(gk_options, ledger);
  MEMBER(gk_options, monitoring);
  SIZE(gk_reading);
  MEMBER(gk_reading, size);
  MEMBER(gk_reading, index);
  MEMBER(gk_reading, available);
  MEMBER(gk_reading, state);
  MEMBER(gk_reading, simulated);
  MEMBER(gk_reading, read_at);
  MEMBER(gk_reading, utilization_percent);
  MEMBER(gk_reading, memory_busy_percent);
  MEMBER(gk_reading, memory_used_bytes);
  MEMBER(gk_reading, memory_total_bytes);
  MEMBER(gk_reading, memory_percent);
  MEMBER(gk_reading, temperature_celsius);
  MEMBER(gk_reading, power_watts);
  MEMBER(gk_reading, power_limit_watts);
  MEMBER(gk_reading, fan_percent);
  MEMBER(gk_reading, clock_graphics_mhz);
  MEMBER(gk_reading, clock_memory_mhz);
  MEMBER(gk_reading, pcie_tx_bytes_per_second);
  MEMBER(gk_reading, pcie_rx_bytes_per_second);
  MEMBER(gk_reading, uuid);
  MEMBER(gk_reading, name);
  MEMBER(gk_reading, driver);
  SIZE(gk_throttling);
  MEMBER(gk_throttling, size);
  MEMBER(gk_throttling, state);
  MEMBER(gk_throttling, is_throttled);
  MEMBER(gk_throttling, should_throttle);
  MEMBER(gk_throttling, speed_multiplier);
  SIZE(gk_request);
  MEMBER(gk_request, size);
  MEMBER(gk_request, service);
  MEMBER(gk_request, name);
  MEMBER(gk_request, bytes);
  MEMBER(gk_request, max_bytes);
  MEMBER(gk_request, device);
  MEMBER(gk_request, require);
  MEMBER(gk_request, exclusive);
  MEMBER(gk_request, priority);
  MEMBER(gk_request, standing);
  MEMBER(gk_request, documented);
  MEMBER(gk_request, ttl_seconds);
  MEMBER(gk_request, wait_seconds);
  MEMBER(gk_request, request_id);
  MEMBER(gk_request, metadata_json);
  SIZE(gk_lease);
  MEMBER(gk_lease, size);
  MEMBER(gk_lease, id);
  MEMBER(gk_lease, bytes);
  MEMBER(gk_lease, fence);
  MEMBER(gk_lease, device);
  MEMBER(gk_lease, fell_back);
  SIZE(gk_event);
  MEMBER(gk_event, size);
  MEMBER(gk_event, sequence);
  MEMBER(gk_event, type);
  MEMBER(gk_event, device);
  MEMBER(gk_event, json);
  VALUE(GK_OK);
  VALUE(GK_INVALID);
  VALUE(GK_NOT_FOUND);
  VALUE(GK_REFUSED);
  VALUE(GK_EXISTS);
  VALUE(GK_DENIED);
  VALUE(GK_UNAVAILABLE);
  VALUE(GK_TIMEOUT);
  VALUE(GK_FORKED);
  VALUE(GK_FAILED);
  VALUE(GK_LEDGER_MACHINE);
  VALUE(GK_LEDGER_MEMORY);
  VALUE(GK_OPTIMAL);
  VALUE(GK_NORMAL);
  VALUE(GK_THROTTLED);
  VALUE(GK_CRITICAL);
  VALUE(GK_STATE_UNAVAILABLE);
  VALUE(GK_ALL_DEVICES);
  VALUE(GK_ABI);
  VALUE(GK_ABSENT);
  return 0;
}
