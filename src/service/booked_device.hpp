#pragma once

#include <string>

#include "booking/bookkeeper.hpp"
#include "core/result.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// The id of the device that a question names: its id, or as `--gpu` takes it elsewhere. One that has gone may hold
/// leases still, so the ledger is asked first. Errors: those of select_devices().
Result<std::string> booked_device(const Bookkeeper& book, const Snapshot& snapshot, const std::string& selector);

}  // namespace gpukeeper::service
