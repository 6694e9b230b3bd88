#include "backend/sysfs/fdinfo.hpp"

#include <algorithm>
#include <limits>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

// "2068 KiB", "16 MiB", "0", and "2068 kB" of Linux 5.14 to 5.18; a number without a unit is in bytes.
std::optional<Bytes> parse_size(std::string_view text) {
  text = trim(text);
  const auto end = text.find_first_not_of("0123456789");
  const auto number = parse_u64(text.substr(0, end));
  if (!number) return std::nullopt;
  const auto unit = end == std::string_view::npos ? std::string_view() : trim(text.substr(end));
  unsigned shift = 0;
  if (unit == "KiB" || unit == "kB") {
    shift = 10;
  } else if (unit == "MiB") {
    shift = 20;
  } else if (unit == "GiB") {
    shift = 30;
  } else if (!unit.empty()) {
    return std::nullopt;
  }
  if (*number > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
  return Bytes(*number << shift);
}

// "107322799 ns"
std::optional<std::chrono::nanoseconds> parse_time(std::string_view text) {
  text = trim(text);
  if (!text.ends_with("ns")) return std::nullopt;
  text.remove_suffix(2);
  const auto number = parse_u64(text);
  if (!number || *number > static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count())) return std::nullopt;
  return std::chrono::nanoseconds(*number);
}

DrmMemory& memory_of(DrmClient& client, std::string_view region) {
  const auto found = std::find_if(client.memory.begin(), client.memory.end(),
                                  [&](const DrmMemory& memory) { return memory.region == region; });
  if (found != client.memory.end()) return *found;
  client.memory.push_back({});
  client.memory.back().region = std::string(region);
  return client.memory.back();
}

DrmEngine& engine_of(DrmClient& client, std::string_view name) {
  const auto found = std::find_if(client.engines.begin(), client.engines.end(),
                                  [&](const DrmEngine& engine) { return engine.name == name; });
  if (found != client.engines.end()) return *found;
  client.engines.push_back({});
  client.engines.back().name = std::string(name);
  return client.engines.back();
}

bool take_prefix(std::string_view& key, std::string_view prefix) {
  if (!key.starts_with(prefix) || key.size() == prefix.size()) return false;
  key.remove_prefix(prefix.size());
  return true;
}

void set_size(DrmClient& client, std::string_view region, std::optional<Bytes> DrmMemory::*field,
              std::string_view value) {
  if (const auto size = parse_size(value)) memory_of(client, region).*field = size;
}

void set_cycles(DrmClient& client, std::string_view engine, std::optional<std::uint64_t> DrmEngine::*field,
                std::string_view value) {
  if (const auto cycles = parse_u64(value)) engine_of(client, engine).*field = cycles;
}

// A key without its "drm-". The longer prefixes come first: "total-cycles-" is not a memory region called "cycles-…".
void read_standard_key(DrmClient& client, std::string_view key, std::string_view value) {
  if (key == "driver") {
    client.driver = std::string(value);
  } else if (key == "pdev") {
    client.pdev = std::string(value);
  } else if (key == "client-id") {
    client.client_id = parse_u64(value);
  } else if (take_prefix(key, "engine-capacity-")) {
    if (const auto capacity = parse_u64(value); capacity && *capacity > 0 && *capacity <= 1024) {
      engine_of(client, key).capacity = static_cast<std::uint32_t>(*capacity);
    }
  } else if (take_prefix(key, "engine-")) {
    if (const auto time = parse_time(value)) engine_of(client, key).busy = time;
  } else if (take_prefix(key, "total-cycles-")) {
    set_cycles(client, key, &DrmEngine::total_cycles, value);
  } else if (take_prefix(key, "cycles-")) {
    set_cycles(client, key, &DrmEngine::cycles, value);
  } else if (take_prefix(key, "total-")) {
    set_size(client, key, &DrmMemory::total, value);
  } else if (take_prefix(key, "resident-")) {
    set_size(client, key, &DrmMemory::resident, value);
  } else if (take_prefix(key, "shared-")) {
    set_size(client, key, &DrmMemory::shared, value);
  } else if (take_prefix(key, "memory-")) {
    set_size(client, key, &DrmMemory::legacy, value);
  }
}

// What amdgpu printed before the keys were agreed on. The pasid stands for the client id: one per open file.
void read_old_amdgpu_key(DrmClient& client, std::string_view key, std::string_view value) {
  if (key == "pdev") {
    client.pdev = std::string(value);
  } else if (key == "pasid") {
    client.client_id = parse_u64(value);
  } else if (key.ends_with(" mem")) {
    set_size(client, key.substr(0, key.size() - 4), &DrmMemory::legacy, value);
  }
}

}  // namespace

Bytes DrmMemory::used() const {
  if (resident) return *resident;
  if (legacy) return *legacy;
  return total.value_or(Bytes(0));
}

bool DrmClient::is_gpu() const {
  // The drivers under drivers/accel/, which print the same keys for /dev/accel files.
  constexpr std::string_view kAccelerators[] = {"amdxdna", "intel_vpu", "qaic", "habanalabs", "rocket", "ethosu"};
  if (driver.ends_with("_accel_driver")) return false;
  return std::find(std::begin(kAccelerators), std::end(kAccelerators), driver) == std::end(kAccelerators);
}

const DrmMemory* DrmClient::find_memory(std::string_view region) const {
  const auto found =
      std::find_if(memory.begin(), memory.end(), [&](const DrmMemory& one) { return one.region == region; });
  return found == memory.end() ? nullptr : &*found;
}

const DrmEngine* DrmClient::find_engine(std::string_view name) const {
  const auto found =
      std::find_if(engines.begin(), engines.end(), [&](const DrmEngine& one) { return one.name == name; });
  return found == engines.end() ? nullptr : &*found;
}

std::optional<DrmClient> parse_fdinfo(std::string_view text) {
  DrmClient client;
  DrmClient old;
  bool old_memory = false;
  for (const auto line : lines(text)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto key = trim(line.substr(0, colon));
    const auto value = trim(line.substr(colon + 1));
    if (take_prefix(key, "drm-")) {
      read_standard_key(client, key, value);
    } else {
      read_old_amdgpu_key(old, key, value);
      old_memory = old_memory || key == "vram mem";
    }
  }
  if (!client.driver.empty()) return client;
  // "pasid:" also stands beside the standard keys, and "pdev:" alone proves nothing.
  if (old_memory && !old.pdev.empty()) {
    old.driver = "amdgpu";
    return old;
  }
  return std::nullopt;
}

bool is_device_memory(std::string_view region) {
  return region.starts_with("vram") || region.starts_with("local");
}

EngineClass engine_class(std::string_view engine) {
  struct Row {
    std::string_view word;
    EngineClass kind;
  };
  constexpr Row kRows[] = {
      // amdgpu: amdgpu_ip_name in amdgpu_fdinfo.c. From VCN 4 on, "enc" carries decoding too: one queue does both.
      {"gfx", EngineClass::render},
      {"compute", EngineClass::compute},
      {"dma", EngineClass::copy},
      {"dec", EngineClass::decode},
      {"enc", EngineClass::encode},
      {"enc_1", EngineClass::encode},
      {"jpeg", EngineClass::jpeg},
      {"vpe", EngineClass::video_enhance},
      // i915: Documentation/gpu/i915.rst and drm-usage-stats.rst; "compute" as above
      {"render", EngineClass::render},
      {"copy", EngineClass::copy},
      {"video", EngineClass::video},
      {"video-enhance", EngineClass::video_enhance},
      // xe: xe_drm_client.c
      {"rcs", EngineClass::render},
      {"ccs", EngineClass::compute},
      {"bcs", EngineClass::copy},
      {"vcs", EngineClass::video},
      {"vecs", EngineClass::video_enhance},
      // msm and panthor have one engine, panfrost a fragment one
      {"gpu", EngineClass::render},
      {"panthor", EngineClass::render},
      {"fragment", EngineClass::render},
  };
  for (const Row& row : kRows) {
    if (row.word == engine) return row.kind;
  }
  return EngineClass::other;
}

}  // namespace gpukeeper
