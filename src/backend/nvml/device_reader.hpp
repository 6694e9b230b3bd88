#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "backend/nvml/abi.hpp"
#include "backend/nvml/call_budget.hpp"
#include "backend/nvml/codes.hpp"
#include "backend/nvml/counter_rate.hpp"
#include "backend/nvml/session.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/reading.hpp"

namespace gpukeeper::nvml {

/// What of a device changes too seldom to be read again, and what was learned while attaching it.
struct Attached {
  abi::Handle handle = nullptr;
  Reading constants{Missing::not_supported};  ///< maxima, limits and thresholds
  unsigned nvlinks = 0;                       ///< links that the device has
  bool nvlinks_known = false;
  double pcie_bytes_per_second = 0;      ///< what the link can carry at most; 0 when unknown
  Missing xid = Missing::not_supported;  ///< why there is no XID as long as none was seen
};

/// Reads one physical device in few calls: the quick and the important on every reading, the rest in turn.
///
/// Threads: read() from one thread at a time; the atomics from any.
class DeviceReader {
 public:
  DeviceReader(const Files& files, Attached attached, double calls_per_second);

  /// What one reading came to.
  struct Outcome {
    abi::Code code = abi::kSuccess;  ///< what ended it; kSuccess when the reading stands
    std::string_view function;       ///< which function answered so
    bool definite = false;           ///< it says that the device or the driver is gone, not that one call failed
  };

  /// Reads what is due. The reading then holds the newest value of everything.
  Outcome read(Session& session, MonotonicTime now);
  const Reading& reading() const { return values_.reading; }

  abi::Handle handle() const { return attached_.handle; }
  CallBudget& budget() { return budget_; }

  /// Told by others: the last XID (0 for none) and the MIG mode (-1 unknown).
  std::atomic<std::uint64_t> xid{0};
  std::atomic<int> mig_mode{-1};

  /// A counter that the driver keeps for each link by itself.
  struct LinkSum {
    std::uint64_t bytes = 0;  // these three: of one batch
    unsigned links = 0;
    abi::Code failure = abi::kSuccess;
    unsigned links_before = 0;
  };

  /// What the readings work on; public for the tables of device_table.hpp.
  struct Values {
    Reading reading{Missing::not_supported};
    MonotonicTime now{};
    double pcie_bytes_per_second = 0;
    CounterRate pcie_rx, pcie_tx;
    CounterRate nvlink_rx{true}, nvlink_tx{true};
    Metric<std::uint64_t> thermal_policy = missing(Missing::not_supported);
    Metric<std::uint64_t> thermal_software = missing(Missing::not_supported);
    Metric<std::uint64_t> thermal_hardware = missing(Missing::not_supported);
    LinkSum nvlink5_rx, nvlink5_tx;
    bool nvlink_total_seen = false;
    unsigned links_active = 0;
    bool links_seen = false;
  };
  struct Row;    // one kind of call: device_table.hpp
  struct Field;  // one field of a batch: device_table.hpp

 private:
  struct Turn {
    MonotonicTime last{};
    bool ever = false;
    bool off = false;
    bool slow_retry = false;
  };
  struct Batch {
    std::vector<abi::FieldValue> values;
    std::vector<const Field*> fields;
  };

  static constexpr int kUnknownUntilLost = 3;

  static std::span<const Row> rows();  // in the order of RowIndex
  static std::span<const Field> quick_fields();
  static std::span<const Field> slow_fields();
  static std::span<const Field> nvlink_fields();     // over all links
  static std::span<const Field> fields_of_a_link();  // asked for each link
  static const Field& state_of_a_link();             // as these are

  template <class... Params, class... Args>
  abi::Code call(Session& session, abi::Code (*function)(Params...), Args... args);
  void take_turn(Session& session, std::size_t row, MonotonicTime now);
  abi::Code read_batch(Session& session, Batch& batch);
  abi::Code read_memory(Session& session);
  abi::Code use_system_memory();

  friend struct Calls;

  const Files& files_;
  const Attached attached_;
  CallBudget budget_;
  Values values_;
  std::array<Turn, 48> turns_{};
  Batch quick_;
  Batch slow_;
  bool memory2_ = true;
  bool temperature_versioned_ = true;
  bool first_ = true;

  // Of the reading in progress.
  int succeeded_ = 0;
  int troubled_ = 0;
  int unknown_in_a_row_ = 0;  // over readings
  abi::Code ending_ = abi::kSuccess;
  abi::Code last_trouble_ = abi::kSuccess;
  std::string_view last_trouble_function_;
};

template <class... Params, class... Args>
abi::Code DeviceReader::call(Session& session, abi::Code (*function)(Params...), Args... args) {
  if (!function) return abi::kFunctionNotFound;
  budget_.spend(1);
  const abi::Code code = session.call(function, args...);
  if (code == abi::kSuccess) {
    ++succeeded_;
    unknown_in_a_row_ = 0;
  } else if (is_trouble(code)) {
    ++troubled_;
    last_trouble_ = code;
    unknown_in_a_row_ = code == abi::kUnknown ? unknown_in_a_row_ + 1 : 0;
    if (ends_session(code) || loses_device(code) || unknown_in_a_row_ >= kUnknownUntilLost) ending_ = code;
  }
  return code;
}

/// What a MIG instance or device says of its memory; kSuccess, or why not. `memory2` turns false when the library
/// knows only the first version of the function.
abi::Code read_memory(Session& session, abi::Handle handle, bool& memory2, Reading& reading, int& calls);

}  // namespace gpukeeper::nvml
