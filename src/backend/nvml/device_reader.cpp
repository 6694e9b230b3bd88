#include "backend/nvml/device_reader.hpp"

#include <algorithm>
#include <limits>

#include "backend/nvml/codes.hpp"
#include "backend/nvml/conversions.hpp"
#include "backend/nvml/device_table.hpp"
#include "core/text.hpp"

namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

constexpr auto kPermissionRetry = 60s;
constexpr double kLongestStretch = 12;  // periods that a call waits for room at most: then it is made, one a reading

// The rate over all links, once the batch is complete. Where a link does not answer, or does again, the sum jumps by
// all that it has ever carried: then it counts anew.
void take_links(DeviceReader::LinkSum& sum, CounterRate& rate, MonotonicTime now, Metric<BytesPerSecond>& metric) {
  if (sum.links == 0 && sum.failure == kSuccess) return;  // not asked for
  if (sum.links != sum.links_before) rate = CounterRate(true);
  sum.links_before = sum.links;
  metric = sum.links == 0 ? absent<BytesPerSecond>(sum.failure) : rate.update(sum.bytes, 64, 0, now);
}

}  // namespace

DeviceReader::DeviceReader(const Files& files, Attached attached, double calls_per_second)
    : files_(files), attached_(std::move(attached)), budget_(calls_per_second) {
  static_assert(kRows <= std::tuple_size_v<decltype(turns_)>);
  values_.reading = attached_.constants;
  values_.pcie_bytes_per_second = attached_.pcie_bytes_per_second;
  values_.reading.xid_last = missing(attached_.xid);
  for (std::size_t i = 0; i < kRows; ++i) turns_[i].off = rows()[i].stands_in;
  const auto add = [](Batch& batch, const Field& field, std::uint32_t scope) {
    FieldValue value{};
    value.id = field.id;
    value.scope = scope;
    batch.values.push_back(value);
    batch.fields.push_back(&field);
  };
  for (const Field& field : quick_fields()) add(quick_, field, field.scope);
  for (const Field& field : slow_fields()) add(slow_, field, field.scope);
  if (attached_.nvlinks > 0) {
    for (const Field& field : nvlink_fields()) add(quick_, field, field.scope);
    for (unsigned link = 0; link < attached_.nvlinks; ++link) {
      for (const Field& field : fields_of_a_link()) add(quick_, field, link);
      add(slow_, state_of_a_link(), link);
    }
  }
  if (attached_.nvlinks_known) {
    values_.reading.interconnect_links = Count(attached_.nvlinks);
    if (attached_.nvlinks == 0) values_.reading.interconnect_links_active = Count(0);
  }
}

Code DeviceReader::read_batch(Session& session, Batch& batch) {
  if (batch.values.empty()) return kNotSupported;
  for (FieldValue& value : batch.values) {
    value.code = kUnknown;
    value.value.as_u64 = 0;
  }
  for (LinkSum* sum : {&values_.nvlink5_rx, &values_.nvlink5_tx}) *sum = {.links_before = sum->links_before};
  values_.nvlink_total_seen = false;
  const Code code = call(session, session.library().field_values, attached_.handle,
                         static_cast<int>(batch.values.size()), batch.values.data());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < batch.values.size(); ++i) {
    FieldValue& value = batch.values[i];
    const Field& field = *batch.fields[i];
    if (code != kSuccess) value.code = code;
    // An old driver says "invalid argument" to a field that it does not know.
    else if (value.code == kInvalidArgument)
      value.code = kNotSupported;
    field.take(values_, value);
    // The links' own counters are asked only where there is no sum over them, which stands before them.
    if (values_.nvlink_total_seen && (field.id == field::kNvlink5Received || field.id == field::kNvlink5Transmitted)) {
      continue;
    }
    if (value.code != kSuccess && (ends_session(value.code) || loses_device(value.code))) ending_ = value.code;
    if (never_there(value.code)) {
      if (field.instead != kNoRow) turns_[field.instead].off = false;
      continue;
    }
    batch.values[kept] = value;
    batch.fields[kept++] = &field;
  }
  batch.values.resize(kept);
  batch.fields.resize(kept);

  Values& v = values_;
  if (!v.nvlink_total_seen) {
    take_links(v.nvlink5_rx, v.nvlink_rx, v.now, v.reading.interconnect_rx);
    take_links(v.nvlink5_tx, v.nvlink_tx, v.now, v.reading.interconnect_tx);
  }
  // Both brakes may be on at once, so their sum could count a moment twice: the longer time was certainly spent.
  const auto nanoseconds = [](std::uint64_t ns) { return std::chrono::nanoseconds(ns); };
  if (v.thermal_software && v.thermal_hardware) {
    v.reading.throttle_thermal_time = nanoseconds(std::max(*v.thermal_software, *v.thermal_hardware));
  } else {
    v.reading.throttle_thermal_time = (v.thermal_software   ? v.thermal_software
                                       : v.thermal_hardware ? v.thermal_hardware
                                                            : v.thermal_policy)
                                          .map(nanoseconds);
  }
  return code;
}

Code read_memory(Session& session, Handle handle, bool& memory2, Reading& reading, int& calls) {
  const Library& library = session.library();
  Memory2 answer{};
  Code code = kNotSupported;
  if (memory2 && library.memory2) {
    answer.version = version_word<Memory2>(2);
    ++calls;
    code = session.call(library.memory2, handle, &answer);
    reading.memory_reserved = code == kSuccess ? Metric<Bytes>(Bytes(answer.reserved)) : absent<Bytes>(code);
  }
  if (never_there(code) || code == kInvalidArgument) {
    Memory old{};
    if (library.memory) ++calls;
    const Code old_code = session.call(library.memory, handle, &old);
    // The second version is given up only once the first has proved to work.
    if (old_code == kSuccess) memory2 = false;
    if (old_code == kSuccess || !memory2 || !library.memory2) {
      code = old_code;
      reading.memory_reserved = missing(Missing::not_supported);
      answer = {0, old.total, 0, old.free, old.used};
    }
  }
  if (code != kSuccess) {
    reading.memory_total = reading.memory_used = reading.memory_free = absent<Bytes>(code);
    return code;
  }
  if (answer.used > answer.total || answer.free > answer.total) {
    reading.memory_total = Bytes(answer.total);
    reading.memory_used = reading.memory_free = missing(Missing::failed);
    return code;
  }
  reading.memory_total = Bytes(answer.total);
  reading.memory_used = Bytes(answer.used);
  reading.memory_free = Bytes(answer.free);
  return code;
}

Code DeviceReader::read_memory(Session& session) {
  Reading& reading = values_.reading;
  int calls = 0;
  const Code code = nvml::read_memory(session, attached_.handle, memory2_, reading, calls);
  budget_.spend(calls);
  if (code == kSuccess) ++succeeded_;
  if (is_trouble(code)) {
    ++troubled_;
    last_trouble_ = code;
    unknown_in_a_row_ = code == kUnknown ? unknown_in_a_row_ + 1 : 0;
    if (ends_session(code) || loses_device(code) || unknown_in_a_row_ >= kUnknownUntilLost) ending_ = code;
  } else {
    unknown_in_a_row_ = 0;
  }
  // GB10 and Jetson share the system's memory. Some of their drivers say so with a total of 0, others with "not
  // supported" (monitoring research 3c). A GPU split by MIG has memory of its own, whatever it answers.
  const bool none = code == kSuccess ? reading.memory_total->value() == 0 : code == kNotSupported;
  if (none && mig_mode.load(std::memory_order_relaxed) != 1) return use_system_memory();
  if (code == kSuccess) reading.memory_unified = false;
  return code;
}

Code DeviceReader::use_system_memory() {
  Reading& reading = values_.reading;
  reading.memory_reserved = missing(Missing::not_supported);
  reading.memory_total = reading.memory_used = reading.memory_free = missing(Missing::not_supported);
  const auto text = files_.read("/proc/meminfo");
  if (!text) {
    reading.memory_total = reading.memory_used = reading.memory_free =
        missing(gpukeeper::missing_from(text.error().code));
    return kSuccess;
  }
  std::optional<std::uint64_t> total;
  std::optional<std::uint64_t> available;
  for (const auto line : lines(*text)) {
    const auto kib = [&](std::string_view key) -> std::optional<std::uint64_t> {
      if (!line.starts_with(key)) return std::nullopt;
      const auto value = leading_number(trim(line.substr(key.size())));
      return value && *value >= 0 ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
    };
    if (!total) total = kib("MemTotal:");
    if (!available) available = kib("MemAvailable:");
    if (total && available) break;
  }
  if (!total || !available || *total == 0) return kSuccess;
  reading.memory_unified = true;
  reading.memory_total = from_kib(*total);
  reading.memory_free = from_kib(std::min(*total, *available));
  reading.memory_used = remaining(*reading.memory_total, *reading.memory_free);
  return kSuccess;
}

void DeviceReader::take_turn(Session& session, std::size_t index, MonotonicTime now) {
  Turn& turn = turns_[index];
  const int before = troubled_;
  const Code code = rows()[index].read({*this, session, session.library(), values_, attached_.handle});
  if (troubled_ > before) last_trouble_function_ = rows()[index].function;
  turn.last = now;
  turn.ever = true;
  turn.off = never_there(code);
  turn.slow_retry = code == kNoPermission;
}

DeviceReader::Outcome DeviceReader::read(Session& session, MonotonicTime now) {
  succeeded_ = troubled_ = 0;
  ending_ = last_trouble_ = kSuccess;
  values_.now = now;

  const auto due = [&](std::size_t i) {
    if (turns_[i].slow_retry) return now - turns_[i].last >= kPermissionRetry;
    return true;
  };
  for (std::size_t i = 0; i < kRows && ending_ == kSuccess; ++i) {
    if (rows()[i].period == 0ms && !turns_[i].off && due(i)) take_turn(session, i, now);
  }
  if (first_) {
    // Everything at once, so that the first reading is whole. In the table's order, and the slow batch before what may
    // have to stand in for its fields.
    for (std::size_t i = 0; i < kRows && ending_ == kSuccess; ++i) {
      if (!turns_[i].ever && !turns_[i].off) take_turn(session, i, now);
    }
  } else {
    bool room = true;
    while (ending_ == kSuccess && room) {
      room = budget_.has_room(now);
      std::size_t next = kNoRow;
      double most = room ? 0.95 : kLongestStretch;  // a tick that comes a little early still counts
      for (std::size_t i = 0; i < kRows; ++i) {
        const auto period = turns_[i].slow_retry ? std::chrono::milliseconds(kPermissionRetry) : rows()[i].period;
        if (turns_[i].off || rows()[i].period == 0ms) continue;
        const double overdue = turns_[i].ever ? std::chrono::duration<double>(now - turns_[i].last) / period
                                              : std::numeric_limits<double>::infinity();
        if (overdue > most) {
          most = overdue;
          next = i;
        }
      }
      if (next == kNoRow) break;
      take_turn(session, next, now);
    }
  }

  if (ending_ != kSuccess) return {ending_, last_trouble_function_, true};
  if (succeeded_ == 0 && troubled_ > 0) return {last_trouble_, last_trouble_function_};
  if (first_) {
    first_ = false;
    budget_.begin(now);
  }
  Reading& reading = values_.reading;
  if (const auto number = xid.load(std::memory_order_relaxed)) reading.xid_last = Count(number);
  const int mig = mig_mode.load(std::memory_order_relaxed);
  reading.mig_mode = mig >= 0 ? Metric<bool>(mig != 0) : missing(Missing::not_supported);
  return {};
}

}  // namespace gpukeeper::nvml
