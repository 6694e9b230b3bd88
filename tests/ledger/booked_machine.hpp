#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ledger/ledger.hpp"

namespace gpukeeper {

/// A ledger, a clock that is moved by hand, and GPUs whose processes a test starts and ends: what it says to the ledger
/// is what a driver would say.
class BookedMachine {
 public:
  /// GPUs "GPU-0", "GPU-1", … of so many MiB each, with nothing reserved and no headroom: all of it can be booked.
  explicit BookedMachine(std::vector<std::uint64_t> mib, LedgerSettings settings = without_headroom())
      : ledger(std::move(settings)) {
    for (std::size_t i = 0; i < mib.size(); ++i) {
      DeviceReality& device = reality.devices.emplace_back();
      device.id = name(i);
      device.index = static_cast<std::uint32_t>(i);
      device.total = from_mib(mib[i]);
      device.used = Bytes(0);
      device.processes.emplace();
    }
    look();
  }

  static std::string name(std::size_t device) { return "GPU-" + std::to_string(device); }
  static LedgerSettings without_headroom() {
    LedgerSettings settings;
    settings.limit.headroom = Bytes(0);
    return settings;
  }
  static LeaseRequest request(std::string service, std::uint64_t mib) {
    LeaseRequest request;
    request.service = std::move(service);
    request.min = from_mib(mib);
    return request;
  }
  static LeaseRequest of_process(std::int64_t pid, std::uint64_t mib) {
    LeaseRequest r = request("training", mib);
    r.owner = ProcessOwner{pid, static_cast<std::uint64_t>(pid) * 10};
    return r;
  }

  /// The process uses so much of the device from now on; 0 ends it there. Seen at the next look.
  void use(std::size_t device, std::int64_t pid, std::uint64_t mib, std::string process = "python3") {
    auto& processes = *reality.devices[device].processes;
    std::erase_if(processes, [&](const ObservedProcess& p) { return p.pid == pid; });
    if (mib > 0) {
      ObservedProcess& p = processes.emplace_back();
      p.pid = pid;
      p.start_ticks = static_cast<std::uint64_t>(pid) * 10;
      p.name = std::move(process);
      p.memory = from_mib(mib);
    }
    Bytes sum{0};
    for (const ObservedProcess& p : processes) sum = sum + p.memory.value_or(Bytes(0));
    reality.devices[device].used = sum;
  }
  ObservedProcess& process(std::size_t device, std::int64_t pid) {
    for (ObservedProcess& p : *reality.devices[device].processes) {
      if (p.pid == pid) return p;
    }
    throw std::logic_error("no such process");
  }

  Moment at() const { return {MonotonicTime(now), WallTime(std::chrono::duration_cast<WallTime::duration>(now))}; }
  /// What the sampler does every second.
  void look() {
    ledger.tick(at());
    ledger.observe(reality, at());
  }
  void wait(std::chrono::nanoseconds time) {
    const auto until = now + time;
    while (now < until) {
      now = std::min(until, now + std::chrono::seconds(1));
      look();
    }
  }

  LeaseId book(const LeaseRequest& r) {
    const auto booking = ledger.reserve(r, at());
    EXPECT_TRUE(booking) << booking.error().text();
    return booking ? booking->id : LeaseId{};
  }
  std::string refusal(const LeaseRequest& r) {
    const auto booking = ledger.reserve(r, at());
    EXPECT_FALSE(booking) << "it got lease " << number(booking->id);
    return booking ? "" : booking.error().text();
  }
  Ending release(LeaseId id) { return ledger.release(id, std::nullopt, at()).value(); }
  LeaseState state(LeaseId id) const {
    const Lease* lease = ledger.find(id);
    return lease ? lease->state : LeaseState::ended;
  }
  EndReason reason(LeaseId id) const {
    const Lease* lease = ledger.find(id);
    if (!lease) lease = ledger.find_ended(id);
    return lease ? lease->reason : EndReason::none;
  }
  std::string device_of(LeaseId id) const { return ledger.find(id)->device.text(); }
  std::uint64_t available(std::size_t device = 0) const {
    return ledger.device(name(device))->available().value().value() >> 20;
  }

  Ledger ledger;
  Reality reality;
  std::chrono::nanoseconds now = std::chrono::hours(1);
};

}  // namespace gpukeeper
