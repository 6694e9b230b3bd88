#pragma once

#include <optional>
#include <string>

#include <pugixml.hpp>

#include "device/reading.hpp"

namespace gpukeeper::nvidia_smi {

/// What a <gpu> says of itself; `name` tells the chips whose memory is the system's.
Reading reading_of(const pugi::xml_node& gpu, const std::string& name);

/// The same of a <mig_device>, which shows little.
Reading partition_reading_of(const pugi::xml_node& mig);

/// Why nothing that the document says about this GPU should be shown as its present state: the driver has lost it, or
/// answers everything with an error. A lost GPU keeps printing what the driver remembers of it (limits, P-state).
std::optional<std::string> trouble_of(const pugi::xml_node& gpu);

}  // namespace gpukeeper::nvidia_smi
