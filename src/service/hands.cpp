#include "service/hands.hpp"

#include <utility>

#include <fmt/format.h>

#include "actuators/change_journal.hpp"
#include "actuators/kernel_files.hpp"
#include "actuators/process_freezer.hpp"
#include "actuators/real_actuators.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "engine/state_dir.hpp"

namespace gpukeeper::service {
namespace {

// The library that a source names; empty for the usual one.
std::string nvml_library(const std::vector<std::string>& sources) {
  constexpr std::string_view kPrefix = "nvml:";
  for (const std::string& source : sources) {
    if (source.starts_with(kPrefix)) return source.substr(kPrefix.size());
  }
  return {};
}

}  // namespace

Result<OpenedHands> open_hands(const HandsPlace& place, const std::shared_ptr<const Clock>& clock, Log& log) {
  auto frozen = ChangeJournal::open(place.state + "/frozen");
  if (!frozen) return tl::make_unexpected(frozen.error());
  auto changes = ChangeJournal::open(place.state + "/changes");
  if (!changes) return tl::make_unexpected(changes.error());
  const auto files = std::make_shared<const RealFiles>(place.machine_root);  // that of the devices
  const auto actuators =
      std::make_shared<RealActuators>(files, std::make_shared<RealKernelFiles>(place.machine_root),
                                      std::make_shared<RealSignals>(files), nvml_library(place.sources));
  const std::string boot(trim(files->read("/proc/sys/kernel/random/boot_id").value_or("unknown")));
  const auto actuation = [&](ChangeJournal& journal) {
    return std::make_unique<Actuation>(actuators, std::move(journal), clock, boot, log);
  };
  return OpenedHands{.freezing = actuation(*frozen), .changing = actuation(*changes)};
}

Result<std::vector<std::string>> restore_hands(const HandsPlace& place, const std::shared_ptr<const Clock>& clock,
                                               Log& log) {
  const auto claimed = StateDirectory::claim(place.state);
  if (!claimed) return tl::make_unexpected(claimed.error());
  const auto hands = open_hands(place, clock, log);
  if (!hands) return tl::make_unexpected(hands.error());
  std::vector<std::string> left;
  for (const auto* each : {&hands->freezing, &hands->changing}) {
    (*each)->recover();
    for (const ActuatorReport& report : (*each)->reports()) {
      if (!report.set.empty()) left.push_back(fmt::format("{}: {}", report.name.to_string(), report.message));
    }
  }
  return left;
}

}  // namespace gpukeeper::service
