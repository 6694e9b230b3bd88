#include "account/usage.hpp"

namespace gpukeeper::account {

Usage& Usage::operator+=(const Usage& more) {
  gpu_seconds += more.gpu_seconds;
  busy_seconds += more.busy_seconds;
  busy_unknown_seconds += more.busy_unknown_seconds;
  idle_seconds += more.idle_seconds;
  joules += more.joules;
  joules_unknown_seconds += more.joules_unknown_seconds;
  idle_joules += more.idle_joules;
  byte_seconds += more.byte_seconds;
  byte_unknown_seconds += more.byte_unknown_seconds;
  hoarded_seconds += more.hoarded_seconds;
  hoarded_byte_seconds += more.hoarded_byte_seconds;
  return *this;
}

void raise(std::optional<Peak>& peak, const std::optional<Peak>& other) {
  if (!other) return;
  if (!peak || other->value > peak->value || (other->value == peak->value && other->at < peak->at)) peak = other;
}

DeviceUse& DeviceUse::operator+=(const DeviceUse& more) {
  watched_seconds += more.watched_seconds;
  away_seconds += more.away_seconds;
  asleep_seconds += more.asleep_seconds;
  held_seconds += more.held_seconds;
  held_unknown_seconds += more.held_unknown_seconds;
  idle_seconds += more.idle_seconds;
  busy_seconds += more.busy_seconds;
  busy_unknown_seconds += more.busy_unknown_seconds;
  joules += more.joules;
  joules_unknown_seconds += more.joules_unknown_seconds;
  slowed_seconds += more.slowed_seconds;
  slowed_by_heat_seconds += more.slowed_by_heat_seconds;
  slowed_by_power_seconds += more.slowed_by_power_seconds;
  slowed_unknown_seconds += more.slowed_unknown_seconds;
  celsius_seconds += more.celsius_seconds;
  celsius_known_seconds += more.celsius_known_seconds;
  byte_seconds += more.byte_seconds;
  byte_known_seconds += more.byte_known_seconds;
  raise(celsius, more.celsius);
  raise(watts, more.watts);
  raise(bytes, more.bytes);
  free += more.free;
  unlisted += more.unlisted;
  return *this;
}

void Division::add(SharedBy by, double seconds) {
  switch (by) {
    case SharedBy::use: by_use_seconds += seconds; break;
    case SharedBy::memory: by_memory_seconds += seconds; break;
    case SharedBy::evenly: evenly_seconds += seconds; break;
  }
}

Division& Division::operator+=(const Division& more) {
  by_use_seconds += more.by_use_seconds;
  by_memory_seconds += more.by_memory_seconds;
  evenly_seconds += more.evenly_seconds;
  return *this;
}

}  // namespace gpukeeper::account
