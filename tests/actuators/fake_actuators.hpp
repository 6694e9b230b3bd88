#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actuators/actuation.hpp"

namespace gpukeeper {

/// Settings in memory, in thousandths of what is full: what the actuators of FakeActuators change.
struct FakeSettings {
  std::map<ActuatorName, std::string> values;
  std::optional<Error> looking;  // the answer to every look …
  std::optional<Error> setting;  // … and to every change
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
    return world_.values.at(name_);
  }
  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    if (name_.kind == ActuatorKind::freeze && multiplier > 0) return std::nullopt;
    return std::to_string(static_cast<int>(multiplier * std::stoi(found)));
  }
  Result<void> set(const std::string& value) override {
    if (world_.setting) return tl::make_unexpected(*world_.setting);
    world_.values[name_] = value;
    world_.changes.push_back(value);
    return {};
  }
  Result<void> give_back(const std::string& found) override { return set(found); }
  std::string spell(const std::string& value) const override { return value; }

 private:
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
    for (const auto& [name, value] : world_.values) {
      if (name.device == device.device->id) result.push_back(std::make_unique<FakeActuator>(name, world_));
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
