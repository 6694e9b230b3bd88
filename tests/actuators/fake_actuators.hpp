#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actuators/actuation.hpp"

namespace gpukeeper {

/// Settings in memory, in thousandths of what is full: what the actuators of FakeActuators change.
struct FakeSettings {
  std::map<ActuatorName, std::string> values;
  /// On which devices, beside that of its name, what is frozen has processes; by its place.
  std::map<std::string, std::set<DeviceId>> also_on;
  std::optional<Error> looking;  // the answer to every look …
  std::optional<Error> setting;  // … to every change …
  std::optional<Error> giving;   // … and to whoever gives back
  bool sets_though = false;      // it does what it says that it cannot
  std::vector<std::string> changes;
  std::atomic<bool> hung = false;     // every look waits until it is false …
  std::atomic<bool> hanging = false;  // … as one does
  std::atomic<int> users = 0;         // factories that refer to this
};

class FakeActuator final : public Actuator {
 public:
  FakeActuator(ActuatorName name, FakeSettings& world) : name_(std::move(name)), world_(world) {}

  const ActuatorName& name() const override { return name_; }
  Result<std::string> look() override {
    while (world_.hung) {
      world_.hanging = true;
      std::this_thread::yield();
    }
    if (world_.looking) return tl::make_unexpected(*world_.looking);
    return value();
  }
  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    if (name_.kind == ActuatorKind::freeze && multiplier > 0) return std::nullopt;
    return std::to_string(static_cast<int>(multiplier * std::stoi(found)));
  }
  Result<void> set(const std::string& to) override {
    if (!world_.setting || world_.sets_though) {
      value() = to;
      world_.changes.push_back(to);
    }
    if (world_.setting) return tl::make_unexpected(*world_.setting);
    return {};
  }
  Result<void> give_back(const std::string& found) override {
    if (world_.giving) return tl::make_unexpected(*world_.giving);
    return set(found);
  }
  std::string spell(const std::string& text) const override { return text; }

 private:
  // A control group is one, on however many devices it has processes.
  std::string& value() {
    return std::ranges::find_if(world_.values,
                                [&](const auto& each) {
                                  return name_.kind == ActuatorKind::freeze ? each.first.place == name_.place
                                                                            : each.first == name_;
                                })
        ->second;
  }

  const ActuatorName name_;
  FakeSettings& world_;
};

class FakeActuators final : public ActuatorFactory {
 public:
  explicit FakeActuators(FakeSettings& world) : world_(world) { ++world_.users; }
  ~FakeActuators() override { --world_.users; }
  FakeActuators(const FakeActuators&) = delete;
  FakeActuators& operator=(const FakeActuators&) = delete;

  std::vector<std::unique_ptr<Actuator>> actuators(const DeviceSnapshot& device, const ActuatorSettings&) override {
    std::vector<std::unique_ptr<Actuator>> result;
    const DeviceId& id = device.device->id;
    for (const auto& [name, value] : world_.values) {
      const auto also = world_.also_on.find(name.place);
      if (name.device != id && (also == world_.also_on.end() || !also->second.contains(id))) continue;
      result.push_back(std::make_unique<FakeActuator>(ActuatorName{name.kind, id, name.place}, world_));
    }
    return result;
  }
  std::unique_ptr<Actuator> find(const ActuatorName& name) override {
    return world_.values.contains(name) ? std::make_unique<FakeActuator>(name, world_) : nullptr;
  }

 private:
  FakeSettings& world_;
};

}  // namespace gpukeeper
