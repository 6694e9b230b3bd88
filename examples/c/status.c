/* What the GPUs do, a line each.
 *
 *   status            this machine's
 *   status HOST       those of the daemon there
 *
 * GPUKEEPER_SOURCE=simulated:examples/scenarios/two-gpus.yaml build/examples/status
 */
#include <gpukeeper/gpukeeper.h>
#include <math.h>
#include <stdio.h>

static const char* const kStates[] = {"optimal", "normal", "throttled", "critical", "unavailable"};

/* What a GPU does not report is a dash. */
static void print_number(double value, const char* unit) {
  if (isnan(value)) {
    printf("      -%s", unit);
  } else {
    printf(" %6.0f%s", value, unit);
  }
}

static void print_line(const gk_reading* reading) {
  printf("GPU %u  %-28.28s", (unsigned)reading->index, reading->name);
  print_number(reading->temperature_celsius, " C");
  print_number(reading->utilization_percent, " %");
  print_number(reading->power_watts, " W");
  if (reading->memory_total_bytes == GK_ABSENT || reading->memory_used_bytes == GK_ABSENT) {
    printf("  %15s", "-");
  } else {
    printf("  %6llu/%6llu MiB", (unsigned long long)(reading->memory_used_bytes >> 20),
           (unsigned long long)(reading->memory_total_bytes >> 20));
  }
  printf("  %s%s\n", kStates[reading->state], reading->simulated ? " (simulated)" : "");
}

int main(int argc, char** argv) {
  const gk_options options = {.size = sizeof options, .host = argc > 1 ? argv[1] : NULL};
  gk_keeper* keeper = NULL;
  if (gk_open(&options, &keeper) != GK_OK) {
    fprintf(stderr, "status: %s\n", gk_last_error());
    return 1;
  }
  const uint32_t count = gk_device_count(keeper);
  if (count == 0) puts("no GPU is here");
  int status = 0;
  for (uint32_t index = 0; index < count; ++index) {
    gk_reading reading = {.size = sizeof reading};
    if (gk_read(keeper, index, &reading) == GK_OK) {
      print_line(&reading);
    } else {
      fprintf(stderr, "status: GPU %u: %s\n", (unsigned)index, gk_last_error());
      status = 1;
    }
  }
  gk_throttling throttling = {.size = sizeof throttling};
  if (count > 0 && gk_throttle(keeper, GK_ALL_DEVICES, &throttling) == GK_OK) {
    printf("work may go at %.0f %% of its speed\n", 100 * throttling.speed_multiplier);
  }
  gk_close(keeper);
  return status;
}
