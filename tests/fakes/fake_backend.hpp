#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "device/backend.hpp"

namespace gpukeeper {

/// A Backend that answers what a test told it, and remembers what it was asked.
///
/// Threads: every member may be called from any thread. The destructor lets blocked calls go and waits for them.
class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(std::string name = "fake") : name_(std::move(name)) {}
  FakeBackend(const FakeBackend&) = delete;
  FakeBackend& operator=(const FakeBackend&) = delete;
  ~FakeBackend() override {
    std::unique_lock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return inside_ == 0; });
  }

  /// Puts a device in; one that is there already gets a new reading. The first device plugged sits at bus 1, the next
  /// at bus 2, and so on, and keeps its place when it comes back.
  void plug(const std::string& id, Reading reading = Reading{Missing::not_supported}) {
    std::scoped_lock lock(mutex_);
    Slot& slot = slots_[DeviceId{id}];
    if (slot.device.id.text.empty()) {
      slot.device.id = DeviceId{id};
      slot.device.vendor = Vendor::nvidia;
      slot.device.name = "Fake " + id;
      slot.device.source = name_;
      slot.device.pci = PciAddress{0, ++last_bus_, 0, 0};
    }
    slot.reading = std::move(reading);
    slot.plugged = true;
  }
  /// Puts a device in as it is described, under this backend's name. A partition follows its parent.
  void plug(Device device, Reading reading = Reading{Missing::not_supported}) {
    std::scoped_lock lock(mutex_);
    device.source = name_;
    Slot& slot = slots_[device.id];
    slot.device = std::move(device);
    slot.reading = std::move(reading);
    slot.plugged = true;
  }
  void unplug(const std::string& id) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).plugged = false;
  }

  /// Every later read of the device answers with the error, until it is cleared.
  void set_error(const std::string& id, Error error) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).error = std::move(error);
  }
  void clear_error(const std::string& id) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).error.reset();
  }
  void set_list_error(std::optional<Error> error) {
    std::scoped_lock lock(mutex_);
    list_error_ = std::move(error);
  }
  void set_processes(const std::string& id, std::vector<GpuProcess> processes) {
    std::scoped_lock lock(mutex_);
    std::ranges::sort(processes, {}, &GpuProcess::pid);
    slots_.at(DeviceId{id}).processes = std::move(processes);
  }
  void set_processes_error(const std::string& id, Error error) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).processes = tl::make_unexpected(std::move(error));
  }

  /// Every later read of the device hangs, as in its driver, until unblock.
  void block(const std::string& id) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).blocked = true;
  }
  void unblock(const std::string& id) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).blocked = false;
    changed_.notify_all();
  }
  /// As block and unblock, for processes.
  void block_processes(const std::string& id) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).processes_blocked = true;
  }
  void unblock_processes(const std::string& id) {
    std::scoped_lock lock(mutex_);
    slots_.at(DeviceId{id}).processes_blocked = false;
    changed_.notify_all();
  }
  /// Returns once a call for the device hangs. For tests with a second thread, in place of a sleep.
  void wait_until_hanging(const std::string& id) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return slots_.at(DeviceId{id}).hanging > 0; });
  }

  /// How often it was called since it was made. A call counts when it begins.
  std::uint64_t lists() const {
    std::scoped_lock lock(mutex_);
    return lists_;
  }
  std::uint64_t reads(const std::string& id) const {
    std::scoped_lock lock(mutex_);
    return count(id, &Slot::reads);
  }
  std::uint64_t process_reads(const std::string& id) const {
    std::scoped_lock lock(mutex_);
    return count(id, &Slot::process_reads);
  }
  std::uint64_t calls() const {
    std::scoped_lock lock(mutex_);
    return calls_;
  }

  std::string_view name() const override { return name_; }

  Result<std::vector<Device>> list() override {
    std::scoped_lock lock(mutex_);
    ++calls_;
    ++lists_;
    if (list_error_) return tl::make_unexpected(*list_error_);
    std::vector<Device> physical;
    for (const auto& [id, slot] : slots_) {
      if (slot.plugged && !slot.device.parent) physical.push_back(slot.device);
    }
    std::ranges::stable_sort(physical, {}, &Device::pci);
    std::vector<Device> result;
    for (Device& device : physical) {
      const DeviceId parent = device.id;
      result.push_back(std::move(device));
      for (const auto& [id, slot] : slots_) {
        if (slot.plugged && slot.device.parent == parent) result.push_back(slot.device);
      }
    }
    return result;
  }

  Result<Reading> read(const DeviceId& id) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    const auto found = slots_.find(id);
    if (found == slots_.end()) return unknown("read", id);
    Slot& slot = found->second;
    ++slot.reads;
    hang(lock, slot, slot.blocked);
    if (!slot.plugged) return unknown("read", id);
    if (slot.error) return tl::make_unexpected(*slot.error);
    return slot.reading;
  }

  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    const auto found = slots_.find(id);
    if (found == slots_.end()) return unknown("read processes of", id);
    Slot& slot = found->second;
    ++slot.process_reads;
    hang(lock, slot, slot.processes_blocked);
    if (!slot.plugged) return unknown("read processes of", id);
    return slot.processes;
  }

  DriverCost cost() const override {
    std::scoped_lock lock(mutex_);
    return {calls_, {}};
  }

 private:
  struct Slot {  // never erased, so that a blocked call keeps its own
    Device device;
    Reading reading;
    bool plugged = false;
    bool blocked = false;
    bool processes_blocked = false;
    int hanging = 0;
    std::optional<Error> error;
    Result<std::vector<GpuProcess>> processes = std::vector<GpuProcess>{};
    std::uint64_t reads = 0;
    std::uint64_t process_reads = 0;
  };

  std::uint64_t count(const std::string& id, std::uint64_t Slot::*counter) const {
    const auto found = slots_.find(DeviceId{id});
    return found == slots_.end() ? 0 : found->second.*counter;
  }
  static tl::unexpected<Error> unknown(std::string_view what, const DeviceId& id) {
    return fail(Errc::not_found, std::string(what) + " " + id.text + ": no such device");
  }
  void hang(std::unique_lock<std::mutex>& lock, Slot& slot, const bool& blocked) {
    if (!blocked) return;
    ++inside_;
    ++slot.hanging;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !blocked || closing_; });
    --slot.hanging;
    --inside_;
    changed_.notify_all();
  }

  const std::string name_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<DeviceId, Slot> slots_;  // this and all below guarded by mutex_
  std::optional<Error> list_error_;
  std::uint8_t last_bus_ = 0;
  bool closing_ = false;
  int inside_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t lists_ = 0;
};

}  // namespace gpukeeper
