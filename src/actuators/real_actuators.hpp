#pragma once

#include <memory>
#include <string>

#include "actuators/actuation.hpp"
#include "actuators/kernel_files.hpp"
#include "actuators/process_freezer.hpp"
#include "core/files.hpp"

namespace gpukeeper {

/// The actuators of this machine's devices. Simulated and recorded devices have none: what they seem to be is not there
/// to be changed.
class RealActuators final : public ActuatorFactory {
 public:
  /// `nvml_library` as for nvml_actuators.
  RealActuators(std::shared_ptr<const Files> files, std::shared_ptr<KernelFiles> writes,
                std::shared_ptr<Signals> signals, std::string nvml_library);

  std::vector<std::unique_ptr<Actuator>> actuators(const DeviceSnapshot& device,
                                                   const ActuatorSettings& settings) override;
  std::unique_ptr<Actuator> find(const ActuatorName& name) override;

 private:
  const std::shared_ptr<const Files> files_;
  const std::shared_ptr<KernelFiles> writes_;
  const std::shared_ptr<Signals> signals_;
  const std::string nvml_library_;
};

}  // namespace gpukeeper
