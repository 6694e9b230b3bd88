#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/nvml/attach.hpp"
#include "backend/nvml/catalog.hpp"
#include "backend/nvml/event_queue.hpp"
#include "backend/nvml/nvml_backend.hpp"
#include "backend/nvml/pci_functions.hpp"
#include "backend/nvml/search.hpp"
#include "backend/nvml/session.hpp"
#include "backend/sysfs/power_gate.hpp"
#include "device/event.hpp"

/// Problem: a call into NVML may hang for ever, the driver may be unloaded under us, and merely opening it wakes every
/// NVIDIA GPU of the machine. Choice: everything a call needs is reached through two shared pointers, the session and
/// the catalog of devices, taken under a mutex that is never held over a call. list() alone replaces them. A session
/// ends when the last call inside has let go of it (session.hpp), so nothing waits for a call that hangs; the price is
/// that a session with a hung call cannot be replaced, and its other devices go on being read in it.
namespace gpukeeper::nvml {

/// The Backend over NVML. Its members stand in four files: when the driver is opened and closed (nvml_sessions.cpp),
/// what a session finds (nvml_attaching.cpp), what callers see of it (nvml_publishing.cpp), and what they ask
/// (nvml_reading.cpp).
class NvmlBackend final : public Backend, public EventSource {
 public:
  NvmlBackend(std::shared_ptr<const Library> library, Loader loader, const Options& options)
      : files_(options.files),
        clock_(options.clock),
        wake_(options.wake),
        attach_patience_(options.attach_patience),
        calls_per_second_(options.calls_per_second),
        loader_(std::move(loader)),
        gate_(options.files, options.clock, options.wake),
        pci_(options.files),
        library_(std::move(library)) {}

  std::string_view name() const override { return "nvml"; }  // of Backend and of EventSource
  Result<std::vector<Device>> list() override;
  Result<Reading> read(const DeviceId& id) override;
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override;
  DriverCost cost() const override { return meter_->cost(); }
  /// What list() was told: no call into the driver, so it neither hangs nor wakes a device.
  Result<std::vector<DeviceEvent>> take_events() override { return events_.take(); }

 private:
  enum class Closed { not_opened, failed, resting, reopening };

  /// What a call works with, taken at once.
  struct Grip {
    std::shared_ptr<const Catalog> catalog;
    std::shared_ptr<Session> session;
    Closed closed;
  };
  Grip grip() const {
    std::scoped_lock lock(mutex_);
    return {catalog_, session_, closed_};
  }
  void let_go(const std::shared_ptr<Session>& session, Closed why);

  /// A device as list() sees it.
  struct Place {
    PciFunction function;
    Attention attention = Attention::awake;
  };

  void close_broken(const std::shared_ptr<Session>& session, MonotonicTime now);
  std::shared_ptr<Session> open_session(MonotonicTime now);  // null when it failed: failure_ says why
  std::optional<Error> attach(const std::shared_ptr<Session>& session);
  unsigned attach_devices(const std::shared_ptr<Session>& session, unsigned from, unsigned to);
  void add_unit(Session& session, Search::Answer answer);
  static void set_partitions(Unit& unit, std::vector<FoundPartition> found, MonotonicTime now);
  void fail_open(Error error, MonotonicTime now);
  void refresh(const std::shared_ptr<Session>& session, MonotonicTime now, const std::vector<Place>& places);
  void drain_events(Session& session);
  void refresh_partitions(Session& session, Unit& unit, MonotonicTime now);
  std::vector<Device> publish(const std::vector<Place>& places, const std::shared_ptr<Session>& session);
  Device known_device(const PciFunction& function);

  Result<Reading> read_device(const Grip& grip, const Entry& entry, Session& session);
  Result<Reading> read_partition(const Entry& entry, Session& session);
  Error trouble(Session& session, abi::Code code, std::string_view function, std::string_view what, const Entry& entry);
  void note_use(const std::shared_ptr<const Catalog>& catalog, const std::shared_ptr<Session>& session,
                const Entry& entry, const Reading& reading);

  const Files& files_;
  const Clock& clock_;
  const bool wake_;
  const std::chrono::milliseconds attach_patience_;
  const double calls_per_second_;
  const Loader loader_;
  const std::shared_ptr<RecentProcesses> recent_processes_ = std::make_shared<RecentProcesses>(files_);
  const std::shared_ptr<Meter> meter_ = std::make_shared<Meter>();
  PowerGate gate_;
  EventQueue events_;

  std::mutex list_mutex_;  // held by the one list() that runs
  PciFunctions pci_;
  std::shared_ptr<const Library> library_;
  std::shared_future<void> ended_;  // of the last session
  std::uint64_t generation_ = 0;
  std::size_t listed_ = 0;               // turns, so that each device pays its share of what is asked for all
  std::uint64_t listed_generation_ = 0;  // of the session that was published last
  MonotonicTime opened_at_{};
  MonotonicTime retry_at_{};
  int failures_ = 0;
  std::optional<Error> failure_;             // why there is no session
  std::optional<abi::Code> failed_devices_;  // when it is the devices' fault: what they answered
  std::vector<PciAddress> attached_functions_;
  std::vector<std::shared_ptr<Unit>> units_;  // of the session, in the library's order
  SystemFacts system_;
  struct Unopened {
    unsigned index;
    abi::Code code;
    std::weak_ptr<Search> hanging;  // alive while the call that asked it hangs
  };
  std::vector<Unopened> unopened_;  // devices of the session that could not be asked who they are
  std::chrono::seconds unopened_pause_ = kLostRetry;
  MonotonicTime unopened_retry_{};
  std::map<PciAddress, Device> known_;  // who was where, for when nothing can be asked

  mutable std::mutex mutex_;
  std::shared_ptr<const Catalog> catalog_ = std::make_shared<const Catalog>();  // these: guarded by mutex_
  std::shared_ptr<Session> session_;
  Closed closed_ = Closed::not_opened;
};

/// Why the session is over, for one of its devices.
Error broken_error(abi::Code code, const std::string& label);

/// "GPU 0000:01:00.0", for messages.
std::string label_of(const std::optional<PciAddress>& pci, const DeviceId& id);

}  // namespace gpukeeper::nvml
