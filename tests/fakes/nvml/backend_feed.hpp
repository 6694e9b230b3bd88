#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "device/backend.hpp"
#include "fakes/nvml/fake_nvml.hpp"

namespace gpukeeper {

/// Plays the NVIDIA devices of a backend, such as a scenario, into the fake driver, so that any NVML client sees them.
///
/// A device that the backend lists anew is plugged in, one that is gone is unplugged; both show after a client's next
/// initialisation. A read that answers not_found makes the GPU lost, one that answers unavailable makes its calls
/// answer "driver/library version mismatch", any other error "unknown error". A read that does not return makes every
/// call about that GPU hang until it does. When no device is left the driver is unloaded. Threads: update() is called
/// from one thread; each device is read in a thread of its own.
class BackendFeed {
 public:
  /// `nvml` must outlive it.
  BackendFeed(std::unique_ptr<Backend> backend, FakeNvml& nvml) : backend_(std::move(backend)), nvml_(nvml) {}
  BackendFeed(const BackendFeed&) = delete;
  BackendFeed& operator=(const BackendFeed&) = delete;
  /// Ends the backend first, so that its hanging reads return, as the simulated one's do.
  ~BackendFeed();

  /// Takes over what the backend says now. A read that takes longer than `patience` counts as hanging.
  void update(std::chrono::milliseconds patience = std::chrono::milliseconds(50));

 private:
  struct Job {
    std::jthread thread;
    std::atomic<bool> done{false};
    std::mutex mutex;      // held while the backend is asked for processes, so that it does not end meanwhile
    bool closing = false;  // guarded by mutex
    Result<Reading> reading{Reading{}};
    Result<std::vector<GpuProcess>> processes{std::vector<GpuProcess>{}};
  };
  struct Card {
    int slot = -1;
    Device device;
    std::map<std::string, int> partitions;  // MIG instance by its UUID
    std::unique_ptr<Job> job;
    bool hangs = false;
    bool listed = true;
    std::optional<std::uint64_t> last_xid;
  };

  void take_list(const std::vector<Device>& devices);
  void start(Card& card);
  void finish(Card& card);
  void fill(Card& card, const Reading& reading);
  void fill(Card& card, const std::vector<GpuProcess>& processes);

  std::unique_ptr<Backend> backend_;
  FakeNvml& nvml_;
  std::map<std::string, Card> cards_;  // by UUID
  bool unloaded_ = false;
};

}  // namespace gpukeeper
