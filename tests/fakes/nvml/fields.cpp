// nvmlDeviceGetFieldValues: many numbers of one GPU in one call.
#include <algorithm>
#include <numeric>
#include <optional>

#include "fakes/nvml/library.hpp"

using namespace gpukeeper::fake_nvml;

namespace {

struct Answer {
  abi::ValueType type = abi::kUint;
  Ullong value = 0;
};
using Field = std::optional<Answer>;  // nothing: not supported

Field number(std::uint32_t value) {
  return absent(value) ? Field() : Answer{abi::kUint, value};
}
Field wide(std::uint64_t value) {
  return absent(value) ? Field() : Answer{abi::kUllong, value};
}
Field with_sign(std::int32_t value) {
  return absent(value) ? Field() : Answer{abi::kInt, static_cast<std::uint32_t>(value)};
}

/// One link, or all of them together where the scope is all ones.
template <class Get>
Field over_links(const Gpu& gpu, Uint scope, Get get) {
  if (gpu.links == 0) return {};
  if (scope == kAbsent) {
    Ullong sum = 0;
    for (Uint i = 0; i < gpu.links; ++i) sum += get(gpu.link[i]);
    return Answer{abi::kUllong, sum};
  }
  return scope < gpu.links ? Field(Answer{abi::kUllong, get(gpu.link[scope])}) : Field();
}
template <class Get>
Field of_link(const Gpu& gpu, Uint scope, Get get) {
  return scope < gpu.links ? Field(Answer{abi::kUint, get(gpu.link[scope])}) : Field();
}

Field ecc_total(const Gpu& gpu, int error, int counter) {
  if (gpu.ecc_mode != 1) return {};
  const auto& at = gpu.ecc[error][counter];
  return Answer{abi::kUllong, std::accumulate(std::begin(at), std::end(at), 0ULL)};
}

/// Fields 7 to 17 (volatile) and 18 to 28 (aggregate): corrected and uncorrected of one location after the other.
Field ecc_of_location(const Gpu& gpu, Uint field) {
  constexpr struct {
    int error, location;
  } kOrder[] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3}, {0, 4}, {1, 4}, {1, 6}};
  if (gpu.ecc_mode != 1) return {};
  const auto [error, location] = kOrder[(field - 7) % std::size(kOrder)];
  return Answer{abi::kUllong, gpu.ecc[error][field < 18 ? 0 : 1][location]};
}

/// The numbers that name one link each: links 0 to 5 in a first run with their total behind, 6 to 11 in a second.
Field link_error(const Gpu& gpu, Uint field) {
  struct Run {
    Uint first, later;
    int error;
  };
  // CRC flit, CRC data, replay, recovery; `error` is the place in NvLink::errors.
  constexpr Run kRuns[] = {{32, 96, 2}, {39, 102, 3}, {46, 108, 0}, {53, 114, 1}};
  for (const auto& run : kRuns) {
    const auto get = [&](const NvLink& link) { return link.errors[run.error]; };
    if (field >= run.first && field < run.first + 6) return over_links(gpu, field - run.first, get);
    if (field == run.first + 6) return over_links(gpu, kAbsent, get);
    if (field >= run.later && field < run.later + 6) return over_links(gpu, field - run.later + 6, get);
  }
  return {};
}

Field pcie_bytes(const Call& call, std::uint64_t moved, Uint kb_per_s) {
  const Gpu& gpu = call.gpu();
  if (absent(kb_per_s)) return {};
  const auto bytes = call.counter(moved, kb_per_s * 1000.0);
  return gpu.pcie_counter_bits == 32 ? Answer{abi::kUint, static_cast<std::uint32_t>(bytes)}
                                     : Answer{abi::kUllong, bytes};
}

Field link_kib(const Call& call, Uint scope, bool tx) {
  return over_links(call.gpu(), scope, [&](const NvLink& link) {
    return call.counter(tx ? link.tx_kib : link.rx_kib,
                        static_cast<double>(tx ? link.tx_kib_per_s : link.rx_kib_per_s));
  });
}

/// The value of a field as the driver would give it. Numbers and units from the comments of nvml.h.
Field value_of(const Call& call, Uint field, Uint scope) {
  const Gpu& gpu = call.gpu();
  if ((field >= 32 && field <= 59) || (field >= 96 && field <= 119)) return link_error(gpu, field);
  if (field >= 7 && field <= 28) return ecc_of_location(gpu, field);
  if (field >= 148 && field <= 160) {
    return over_links(gpu, field == 160 ? kAbsent : field - 148, [](const NvLink& link) { return link.errors[4]; });
  }
  if (field >= 84 && field <= 89) return of_link(gpu, field - 84, [](const NvLink& link) { return link.speed_mbps; });
  if (field >= 132 && field <= 137)
    return of_link(gpu, field - 126, [](const NvLink& link) { return link.speed_mbps; });
  const Uint power_instant = gpu.power_instant_mw;
  switch (field) {
    case 1: return number(gpu.ecc_mode);
    case 2: return absent(gpu.ecc_mode) ? Field() : number(gpu.ecc_mode_pending);
    case 3: return ecc_total(gpu, 0, 0);
    case 4: return ecc_total(gpu, 1, 0);
    case 5: return ecc_total(gpu, 0, 1);
    case 6: return ecc_total(gpu, 1, 1);
    case 29: return gpu.retired_pages_supported ? number(gpu.retired_count[0]) : Field();
    case 30: return gpu.retired_pages_supported ? number(gpu.retired_count[1]) : Field();
    case 31: return gpu.retired_pages_supported ? number(gpu.retired_pending) : Field();
    case 74: return wide(gpu.violation_ns[0]);
    case 75: return wide(gpu.violation_ns[1]);
    case 76: return wide(gpu.violation_ns[2]);
    case 77: return wide(gpu.violation_ns[3]);
    case 78: return wide(gpu.violation_ns[4]);
    case 79: return wide(gpu.violation_ns[5]);
    case 80: return wide(gpu.violation_ns[10]);
    case 81: return wide(gpu.violation_ns[11]);
    case 82: return number(gpu.memory_temperature);
    case 83:
    case 191:
      if (!gpu.energy_supported) return {};
      return wide(call.counter(gpu.energy_mj, absent(gpu.power_mw) ? 0 : gpu.power_mw));
    case 90: return gpu.links == 0 ? Field() : number(gpu.link[0].speed_mbps);
    case 91: return gpu.links == 0 ? Field() : number(gpu.links);
    case 94: return number(gpu.pcie_replays);
    case 95: return number(gpu.pcie_replay_rollovers);
    case 138:
    case 140: return link_kib(call, scope, true);
    case 139:
    case 141: return link_kib(call, scope, false);
    case 142:
    case 143:
    case 144:
    case 145: return gpu.remapped_supported && !call.mig_on() ? number(gpu.remapped[field - 142]) : Field();
    case 146: return of_link(gpu, scope, [](const NvLink& link) { return link.remote_link; });
    case 147: {
      const auto to_switch = [](const NvLink& link) { return link.active && link.remote_type == 2; };
      return gpu.links == 0 ? Field()
                            : number(static_cast<Uint>(std::count_if(gpu.link, gpu.link + gpu.links, to_switch)));
    }
    case 161: return over_links(gpu, scope, [](const NvLink& link) { return link.errors[0]; });
    case 162: return over_links(gpu, scope, [](const NvLink& link) { return link.errors[1]; });
    case 163: return over_links(gpu, scope, [](const NvLink& link) { return link.errors[2]; });
    case 164: return of_link(gpu, scope, [](const NvLink& link) { return link.speed_mbps; });
    case 165: return of_link(gpu, scope, [](const NvLink& link) { return link.active; });
    case 166: return of_link(gpu, scope, [](const NvLink& link) { return link.version; });
    // NVML reads power draw of a part with its own sensor only; scope 1 is the whole module of a superchip.
    case 185: return scope == 0 ? number(gpu.power_mw) : Field();
    case 186: return scope == 0 ? number(power_instant) : Field();
    case 187: return number(gpu.power_limit_min_mw);
    case 188: return number(gpu.power_limit_max_mw);
    case 189: return number(gpu.power_limit_default_mw);
    case 190: return number(gpu.power_limit_enforced_mw);
    case 192: return number(gpu.power_limit_mw);
    case 193:
    case 194:
    case 195:
    case 196: return with_sign(gpu.tlimits[field - 193]);
    case 197: return pcie_bytes(call, gpu.pcie_tx_bytes, gpu.pcie_tx_kb_per_s);
    case 198: return pcie_bytes(call, gpu.pcie_rx_bytes, gpu.pcie_rx_kb_per_s);
    case 202: {
      const Field kib = link_kib(call, scope, true);
      return kib ? wide(kib->value * 1024) : Field();
    }
    case 204: {
      const Field kib = link_kib(call, scope, false);
      return kib ? wide(kib->value * 1024) : Field();
    }
    case 230: return number(gpu.recovery_action);
    case 269:
    case 270:
    case 271: return wide(gpu.slowdown_ns[field - 269]);
    default: return {};
  }
}

}  // namespace

NVML_API nvmlDeviceGetFieldValues(Device device, int count, abi::FieldValue* values) {
  const Call call(Symbol::nvmlDeviceGetFieldValues, device);
  if (!call) return call.code();
  if (!values || count <= 0) return abi::kInvalidArgument;
  const auto now = static_cast<long long>(wall_us());
  for (int i = 0; i < count; ++i) {
    abi::FieldValue out = values[i];
    out.timestamp = now;
    out.latency_us = 0;
    const Uint field = out.field;
    if (field == 0 || field >= kMaxFields) {
      out.code = abi::kInvalidArgument;
    } else if (const auto code = call.gpu().field_code[field]; code != 0) {
      out.code = static_cast<Return>(code);
    } else if (const Field answer = value_of(call, field, out.scope)) {
      out.type = call.gpu().field_mislabelled[field] ? abi::kDouble : answer->type;
      out.value.ull = answer->value;
      out.code = abi::kSuccess;
    } else {
      out.code = abi::kNotSupported;
    }
    call.copy(&values[i], &out, sizeof(out));
  }
  return abi::kSuccess;
}

NVML_API nvmlDeviceClearFieldValues(Device device, int count, abi::FieldValue* values) {
  const Call call(Symbol::nvmlDeviceClearFieldValues, device);
  if (!call) return call.code();
  if (!values || count <= 0) return abi::kInvalidArgument;
  if (!call.state().setters_permitted) return abi::kNoPermission;
  for (int i = 0; i < count; ++i) {
    Gpu& gpu = call.gpu();
    values[i].code = abi::kSuccess;
    switch (values[i].field) {
      case 197: gpu.pcie_tx_bytes = 0; break;
      case 198: gpu.pcie_rx_bytes = 0; break;
      case 94: gpu.pcie_replays = 0; break;
      default: values[i].code = abi::kNotSupported;
    }
  }
  return abi::kSuccess;
}
