#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace gpukeeper::config {

/// Whether anything listens with TLS.
bool listens_with_tls(const Settings& settings);

/// Everything that is wrong with who is let in and how (listen, tls, auth), a sentence each that begins with the key.
/// Files are not looked at.
std::vector<std::string> check_door(const Settings& settings);

}  // namespace gpukeeper::config
