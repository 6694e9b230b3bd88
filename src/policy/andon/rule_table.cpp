#include "policy/andon/rule_table.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/nearest.hpp"
#include "policy/andon/rules.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using enum AlertLevel;

// Where borders come from: thermal, memory_pressure, power_limit and idle have the documented ones; times are ours.
// A link to /docs/alerts.md#ID explains each rule; a test keeps the two together.
constexpr Rule kRules[] = {
    {.id = "thermal",
     .title = "GPU temperature",
     .condition = "the temperature of the die reaches the border; the hotspot's on a GPU that tells no other. At once "
                  "critical, too, when the hardware brakes because of it",
     .unit = "°C",
     .level = warning,
     .limits = {.warning = 80, .critical = 90, .sustain = 2min, .clear = 3, .repeat = 1h},
     .remedy = "Look at the fans and the air that reaches them (gpukeeper why fan); lower the power limit or the load.",
     .of_device = rules::thermal},
    {.id = "hotspot",
     .title = "hotspot temperature",
     .condition = "the hottest point of the die reaches the border",
     .unit = "°C",
     .level = warning,
     // AMD's cards slow down at a junction temperature of 110 °C; what runs within 5 °C of it is at its end.
     .limits = {.warning = 100, .critical = 105, .sustain = 2min, .clear = 3, .repeat = 1h},
     .remedy = "A hotspot far above the edge is a sign of a cooler that sits badly or of old paste: have it renewed; "
               "lower the power limit meanwhile.",
     .of_device = rules::hotspot},
    {.id = "memory_temperature",
     .title = "memory temperature",
     .condition = "the device memory reaches the border",
     .unit = "°C",
     .level = warning,
     // GDDR6X and HBM are made for 105 °C and less; cards slow their memory down between 95 and 110 °C.
     .limits = {.warning = 95, .critical = 105, .sustain = 2min, .clear = 3, .repeat = 1h},
     .remedy = "Look at the cooling of the card's memory: fans, dust, thermal pads; lower the memory's clock or the "
               "power limit.",
     .of_device = rules::memory_temperature},
    {.id = "memory_pressure",
     .title = "GPU memory",
     .condition = "this share of the device memory is used",
     .unit = "%",
     .level = warning,
     .limits = {.warning = 90, .critical = 95, .sustain = 5min, .sustain_critical = 1min, .clear = 2, .repeat = 4h},
     .remedy = "See who holds it (gpukeeper ps --sort memory); end what is not needed, or use smaller batches.",
     .of_device = rules::memory_pressure,
     .of_partition = true},
    {.id = "power_limit",
     .title = "power limit",
     .condition = "the power draw reaches this share of the limit in force; at full load a GPU works there as designed",
     .unit = "%",
     .level = info,
     .limits = {.warning = 95, .sustain = 1min, .clear = 2},
     .remedy = "Nothing, if the GPU is meant to work at full load; else raise the power limit or share the work out.",
     .of_device = rules::power_limit},
    {.id = "idle",
     .title = "idle with memory held",
     .condition = "the GPU did nothing for so long while a process held its memory; desktops and servers of models, "
                  "which wait as they should, do not count. By its formula it weighs 90 after a minute, above a GPU "
                  "of 110 °C; alerts.idle_severity_cap keeps it at 70, a warning, as a notebook left open over night "
                  "is no emergency (100 lets the formula decide: critical)",
     .unit = "s",
     .level = warning,
     .limits = {.warning = 300, .repeat = 4h},
     .remedy = "See whether the process that holds the memory still makes progress; end it if it hangs or was "
               "forgotten (gpukeeper ps).",
     .of_device = rules::idle,
     .of_partition = true},
    {.id = "hoarding",
     .title = "memory hoarded",
     .condition = "a process has held this GPU's memory for so long (alerts.hoarding_memory of it or more, else 10 %) "
                  "and done nothing on it; an alert for each process. Servers of models count here, as hours are no "
                  "waiting for a question; desktops do not. Where the driver does not tell the use of a process, the "
                  "whole GPU must have done nothing",
     .unit = "s",
     .level = warning,
     .limits = {.warning = 4 * 3600, .clear_after = 1min, .repeat = 24h},
     .remedy = "Ask whose it is whether it is still needed (gpukeeper ps; gpukeeper account says what the idle hours "
               "cost); end it, or have its memory given back (gpukeeper optimize).",
     .of_device = rules::hoarding,
     .of_partition = true},
    {.id = "utilization_high",
     .title = "GPU in use",
     .condition = "the GPU is busy for more than this share of the time",
     .unit = "%",
     .level = info,
     .limits = {.warning = 50, .sustain = 10s, .clear = 5},
     .remedy = "Nothing: it is for the record.",
     .of_device = rules::utilization_high,
     .of_partition = true},
    {.id = "fan_stopped",
     .title = "fan stopped",
     .condition = "a fan that can turn stands still and the GPU has this temperature",
     .unit = "°C",
     .level = warning,
     // Cards that stop their fans at low load start them between 50 and 60 °C.
     .limits = {.warning = 70, .critical = 80, .sustain = 30s, .sustain_critical = 10s, .clear = 3, .repeat = 1h},
     .remedy = "Take the load away; look whether the fan is blocked, unplugged or set by hand (gpukeeper why fan).",
     .of_device = rules::fan_stopped},
    {.id = "hardware_throttling",
     .title = "hardware throttling",
     .condition = "the driver holds a temperature at its limit (warning), or the hardware itself brakes: for heat, for "
                  "power, on the machine's own signal or slowed down otherwise (critical); an alert for each reason. "
                  "Power and current limits, at which boosting clocks work, do not count",
     .unit = "",
     .level = warning,
     .limits = {.sustain = 10s, .clear_after = 30s, .repeat = 1h},
     .remedy = "gpukeeper why slow says what is behind it: heat, the power supply or the machine's own signal.",
     .of_device = rules::hardware_throttling},
    {.id = "ecc",
     .title = "memory errors",
     .condition = "since the driver was loaded, so many memory errors could not be corrected",
     .unit = "",
     .level = critical,
     .limits = {.warning = 1, .repeat = 4h},
     .remedy =
         "Restart the applications that used the GPU, drain it and reset it; if it happens again, return the card "
         "for replacement (RMA).",
     .of_device = rules::ecc},
    {.id = "row_remap",
     .title = "memory repair",
     .condition = "a bad piece of memory waits for a reset to be replaced (warning), or cannot be replaced (critical)",
     .unit = "",
     .level = warning,
     .limits = {.repeat = 4h},
     .remedy = "Drain the GPU and reset it, so that the bad memory is replaced; where that failed, return the card for "
               "replacement (RMA).",
     .of_device = rules::row_remap},
    {.id = "xid",
     .title = "XID",
     .condition =
         "NVIDIA's driver reported an error; an alert for each number, of the level that it deserves, until an "
         "hour has passed without another",
     .unit = "",
     .level = warning,
     .limits = {.repeat = 4h},
     .remedy = "What each number asks for stands with it; gpukeeper faults shows it with who was there.",
     .of_device = rules::xid,
     .of_unavailable = true},
    {.id = "device_fault",
     .title = "fault",
     .condition =
         "another fault was reported (a hang, a reset, an error of the hardware or the PCIe link); an alert for "
         "each kind, until an hour has passed without another. What is only for the record raises none",
     .unit = "",
     .level = warning,
     .limits = {.repeat = 4h},
     .remedy = "What each fault asks for stands with it; gpukeeper faults shows it with who was there.",
     .of_device = rules::device_fault,
     .of_machine = rules::device_fault,
     .of_unavailable = true},
    {.id = "pcie_degraded",
     .title = "PCIe link",
     .condition = "under load the link has fewer lanes or a lower generation than card and slot could have. At rest "
                  "links slow down to save power, so a GPU that does little is not judged",
     .unit = "%",
     .level = warning,
     .limits = {.sustain = 30s, .clear_after = 30s, .repeat = 24h},
     .remedy = "Check that the card sits firmly in a slot of its width, its riser, and the slot's setting in the "
               "firmware.",
     .of_device = rules::pcie_degraded},
    {.id = "gpu_lost",
     .title = "GPU lost",
     .condition = "a GPU that was there cannot be read any more",
     .unit = "",
     .level = critical,
     .limits = {.sustain = 5s, .clear_after = 5s, .repeat = 1h},
     .remedy = "gpukeeper faults shows what came just before; restart the machine if nobody removed the GPU on "
               "purpose.",
     .of_device = rules::gpu_lost,
     .of_unavailable = true},
    {.id = "driver_mismatch",
     .title = "driver mismatch",
     .condition = "the driver in the kernel and its library are of different versions",
     .unit = "",
     .level = critical,
     .limits = {.clear_after = 5s, .repeat = 4h},
     .remedy = "Restart the machine, or stop all work on the GPUs and load the driver anew.",
     .of_device = rules::driver_mismatch,
     .of_machine = rules::driver_mismatch_of_source,
     .of_unavailable = true},
    {.id = "sampling_stalled",
     .title = "no new readings",
     .condition = "a GPU that is there was not read anew for so long; or, at once critical, a part of gpukeeper itself "
                  "fails, and what it said last holds on",
     .unit = "s",
     .level = warning,
     .limits = {.warning = 10, .critical = 60, .repeat = 1h},
     .remedy = "gpukeeper doctor says how the sources are doing; look for GPU errors in the kernel's log, and for what "
               "gpukeeper says of itself in its own.",
     .of_device = rules::sampling_stalled,
     .of_machine = rules::step_failed},
    {.id = "memory_leak",
     .title = "memory leak",
     .condition = "the device memory of a process has grown steadily for ten minutes, as leaks do; loading a model or "
                  "filling a cache does not count",
     .unit = "",
     .level = warning,
     .limits = {.clear_after = 1min, .repeat = 4h},
     .remedy = "Watch it (gpukeeper trend); restart the process before the memory is full, and look for what it keeps.",
     .of_device = rules::memory_leak},
    {.id = "lease_overuse",
     .title = "lease overused",
     .condition = "the processes under a lease hold more than its most, by more than 64 MiB and 2 %; an alert for each "
                  "lease",
     .unit = "",
     .level = warning,
     .limits = {.sustain = 5s, .clear_after = 5s, .repeat = 4h},
     .remedy = "Ask for more (gpukeeper leases shows the lease), or use less: others may get less than they were "
               "promised. What else is done about it says ledger.overuse in the configuration.",
     .of_device = rules::lease_overuse,
     .of_partition = true},
    {.id = "lease_leak",
     .title = "lease not given back",
     .condition =
         "a lease is over, and after ledger.deallocation_timeout the driver still shows memory of it; an alert "
         "for each lease",
     .unit = "",
     .level = warning,
     .limits = {.clear_after = 5s, .repeat = 4h},
     .remedy = "See what the processes still do (gpukeeper ps) and end them; until then nobody else gets that memory.",
     .of_device = rules::lease_leak,
     .of_partition = true},
    {.id = "miner",
     .title = "suspected miner",
     .condition = "a process looks like one that mines a cryptocurrency; the alert names the rule that says so",
     .unit = "",
     .level = critical,
     .limits = {.sustain = 10s, .clear_after = 10s, .repeat = 1h},
     .remedy =
         "Find out who started it and whether they may (gpukeeper ps --wide); if not, end it and look how it came "
         "in.",
     .of_device = rules::miner},
    {.id = "host_cpu",
     .title = "host CPU",
     .condition = "all processors of the machine together are busy for more than this share of the time",
     .unit = "%",
     .level = warning,
     .limits = {.warning = 90, .sustain = 2min, .clear = 5, .repeat = 4h},
     .remedy = "See what keeps them busy (top); GPUs starve when nobody feeds them.",
     .of_machine = rules::host_cpu},
    {.id = "host_memory",
     .title = "host memory",
     .condition = "more than this share of the machine's memory is in use",
     .unit = "%",
     .level = warning,
     .limits = {.warning = 90, .sustain = 1min, .clear = 2, .repeat = 4h},
     .remedy = "See who holds it (top); the kernel ends processes when none is left.",
     .of_machine = rules::host_memory},
    {.id = "missing_sensor",
     .title = "missing sensor",
     .condition = "a GPU that is there stopped telling its temperature, so work is slowed down a little to be safe",
     .unit = "",
     .level = warning,
     .limits = {.clear_after = 30s, .repeat = 4h},
     .remedy = "gpukeeper doctor says what each source may read; look for errors of the driver in the kernel's log.",
     .of_device = rules::missing_sensor},
};

}  // namespace

std::span<const Rule> rule_table() {
  return kRules;
}

const Rule* find_rule(std::string_view id) {
  const auto found = std::ranges::find(kRules, id, &Rule::id);
  return found == std::end(kRules) ? nullptr : found;
}

std::string no_such_rule(std::string_view id) {
  std::vector<std::string_view> ids;
  for (const Rule& rule : rule_table()) ids.push_back(rule.id);
  const std::string_view near = nearest(id, ids);
  return near.empty() ? fmt::format("there is no such rule; there are {}", fmt::join(ids, ", "))
                      : fmt::format("there is no such rule; did you mean {}?", near);
}

}  // namespace gpukeeper
