#pragma once

#include <map>
#include <string>

#include <pugixml.hpp>

#include "backend/tool/document.hpp"

namespace gpukeeper::nvidia_smi {

/// The partitions of a GPU, by "GPU instance/compute instance".
using Partitions = std::map<std::string, DeviceId>;

/// What runs on a <gpu> and on its partitions, into `result`.
void read_processes(const pugi::xml_node& gpu, ToolGpu& result, const Partitions& partitions);

}  // namespace gpukeeper::nvidia_smi
