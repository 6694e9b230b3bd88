#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "backend/sysfs/pci_bus.hpp"
#include "backend/sysfs/power_gate.hpp"
#include "backend/tool/document.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/program.hpp"
#include "core/published.hpp"
#include "device/backend.hpp"

namespace gpukeeper {

/// What a tool backend asks of the machine. All of it outlives the backend.
struct ToolWorld {
  Programs& programs;
  const Files& files;  ///< /sys/bus/pci/devices is read, to see which GPUs sleep
  Clock& clock;
};

/// Which tool, and how to understand it.
struct Tool {
  std::string name;                  ///< the backend's: "nvidia-smi"
  std::string program;               ///< to be found in PATH, or a path
  std::vector<std::string> also_in;  ///< folders to look in after PATH
  std::vector<std::string> arguments;
  std::string remedy;  ///< what to do when the program is not there
  Vendor vendor = Vendor::other;
  std::uint16_t pci_vendor = 0;
  std::string driver;  ///< the kernel's, whose devices the program wakes: "nvidia"
  Result<ToolDocument> (*parse)(std::string_view text) = nullptr;
  /// What the program's end means: the document, or an Error that says what to do.
  Result<ToolDocument> (*understand)(const ProgramOutput& output) = nullptr;
};

struct ToolOptions {
  std::string file;   ///< a recording to read once, instead of ever running the program
  bool wake = false;  ///< read sleeping GPUs too
  /// A thread of its own runs the program, and reads answer with the last document: for a watch, whose reads have a
  /// deadline that the program would miss. Without it, the read that finds the document old runs the program.
  bool background = true;
  std::chrono::milliseconds min_interval{1000};  ///< between the end of one run and the start of the next
  /// Long enough for a driver that starts up its GPUs one by one, about 1.5 s each where nothing keeps it loaded.
  std::chrono::milliseconds deadline{10'000};
};

/// A backend over a program that prints everything about all GPUs at once.
///
/// The program is slow (0.05 to 1.5 s) and wakes sleeping GPUs. So one document serves all devices, it is run at most
/// once per interval however many devices are read, with growing pauses while it fails, and not at all while any GPU of
/// the vendor sleeps or rests: then sleeping devices are listed from the last document or from PCI, and the others are
/// resting.
///
/// Threads: as for Backend. In background mode readers are answered while the program runs. Only where nobody asked for
/// so long that the last document would pass for the present do they wait for the next one, together for one run.
class ToolBackend final : public Backend {
 public:
  /// Reads the file, or runs the program once (unless GPUs sleep).
  /// Errors: unavailable, with what to do; for a file also invalid_argument when it is damaged.
  static Result<std::unique_ptr<Backend>> open(Tool tool, ToolOptions options, ToolWorld world);
  ~ToolBackend() override;
  ToolBackend(const ToolBackend&) = delete;
  ToolBackend& operator=(const ToolBackend&) = delete;

  std::string_view name() const override { return tool_.name; }
  Result<std::vector<Device>> list() override;
  Result<Reading> read(const DeviceId& id) override;
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override;
  DriverCost cost() const override;

 private:
  /// A PCI function of the vendor that is a GPU and bound to the driver.
  struct Function {
    std::string folder;  ///< "/sys/bus/pci/devices/0000:01:00.0"
    std::string pci_id;  ///< "10de:2684"
    Attention attention = Attention::awake;
    Metric<std::string> runtime_state = missing(Missing::not_supported);
  };
  using Functions = std::map<PciAddress, Function>;

  /// What is known after one attempt.
  struct State {
    std::shared_ptr<const ToolDocument> document;  ///< the last good one; null before it
    std::optional<Error> error;                    ///< why the last run brought none
    Functions functions;
    bool left_alone = false;  ///< the program was not run, as a GPU sleeps or rests
    std::uint32_t failures = 0;
    MonotonicTime attempted{};
  };

  ToolBackend(Tool tool, ToolOptions options, ToolWorld world);

  Result<ToolDocument> read_recording() const;
  void refresh(std::stop_token stop = {});
  void look_at(Functions& functions);
  void note_use(const Functions& functions, const ToolDocument& document);
  std::chrono::milliseconds pause_after(std::uint32_t failures) const;
  /// The state to answer from, after asking for a new one where it is old.
  Result<std::shared_ptr<const State>> current();
  void serve(std::stop_token stop);

  const Tool tool_;
  const ToolOptions options_;
  const ToolWorld world_;
  std::string path_;  // of the program; set once by open
  PciBus bus_;
  PowerGate gate_;
  Published<State> state_;
  std::atomic<std::uint64_t> runs_{0};
  std::atomic<std::int64_t> run_nanoseconds_{0};
  static constexpr MonotonicTime::rep kNotRunning = MonotonicTime::min().time_since_epoch().count();
  std::atomic<MonotonicTime::rep> began_{kNotRunning};  // when the attempt in progress began

  std::mutex refresh_mutex_;  // one attempt at a time; a reader takes it only where it runs the program itself

  std::mutex wanted_mutex_;
  std::condition_variable_any wanted_signal_;
  bool wanted_ = false;  // guarded by wanted_mutex_
  std::jthread thread_;  // started by open for a watch
};

}  // namespace gpukeeper
