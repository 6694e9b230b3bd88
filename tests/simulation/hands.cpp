#include "hands.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::simulation {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongestRetry = 10min;  // of what failed (actuation.cpp)

}  // namespace

Hands::Hands(std::uint64_t seed, std::shared_ptr<const Clock> clock)
    : dice_(seed ^ 0x4a4d5), clock_(std::move(clock)), log_(*clock_, std::make_shared<FakeLogTarget>()) {
  settings_.power_limit = settings_.fan = settings_.freeze = true;
  settings_.freeze_cgroups = {"/train"};
  settings_.max_pause = dice_.seconds(10, 200);
  begin();
}

// As a process does when it starts, after a crash or not.
void Hands::begin() {
  auto journal = ChangeJournal::open((folder_.path() / "changes").string());
  if (!journal) throw std::logic_error(journal.error().message);
  actuation_ = std::make_unique<Actuation>(factory_, std::move(*journal), clock_, "this boot", log_);
  actuation_->recover();
}

void Hands::meet(const DeviceSnapshot& device) {
  const DeviceId& id = device.device->id;
  for (const ActuatorName& name :
       {ActuatorName{ActuatorKind::power_limit, id, "nvml"}, ActuatorName{ActuatorKind::fan, id, "nvml"},
        ActuatorName{ActuatorKind::freeze, id, "/sys/fs/cgroup/train/" + id.text}}) {
    if (found_.contains(name)) continue;
    found_[name] = world_.values[name] = name.kind == ActuatorKind::freeze ? "1" : "1000";
    calm_[name] = clock_->now();
  }
}

// The driver refuses for a while; the process is killed and started anew.
void Hands::trouble(bool quiet) {
  const auto now = clock_->now();
  if (!quiet && !refuses_until_ && dice_.chance(1.0 / 400)) {
    refuses_until_ = now + dice_.seconds(1, 60);
    world_.setting = Error{Errc::unavailable, "the driver is busy"};
  }
  if (refuses_until_ && (quiet || now >= *refuses_until_)) {
    refuses_until_.reset();
    world_.setting.reset();
    refused_at_ = now;
  }
  if (quiet || !dice_.chance(1.0 / 500)) return;
  actuation_.reset();  // nothing is given back by one that is killed
  begin();
  frozen_.clear();  // what stands still again does so for a new process
  if (!refuses_until_) expect_found("after a crash and a new start");
}

std::vector<std::string> Hands::act(const Snapshot& snapshot, bool quiet) {
  for (const DeviceSnapshot& device : snapshot.devices) meet(device);
  trouble(quiet);
  actuation_->act(snapshot, settings_, 10s);
  check(snapshot);
  return std::exchange(wrong_, {});
}

void Hands::check(const Snapshot& snapshot) {
  const auto now = clock_->now();
  const auto reports = actuation_->reports();
  for (const auto& item : found_) {
    const auto& name = item.first;  // clang 14 captures no structured bindings
    const auto& found = item.second;
    const auto device = std::ranges::find_if(
        snapshot.devices, [&](const DeviceSnapshot& d) { return d.device->id == name.device && d.available; });
    const bool asked = device != snapshot.devices.end() && !device->throttling.requests.empty();
    if (asked || refuses_until_) calm_[name] = now;
    const std::string& value = world_.values.at(name);
    if (value == found) {
      frozen_.erase(name);
      continue;
    }
    if (now - calm_[name] > settings_.pause_up + kLongestRetry + 2s) {
      say(name, fmt::format("it is {} although nothing has asked for less for {} s", value,
                            std::chrono::floor<std::chrono::seconds>(now - calm_[name]).count()));
    }
    const bool known = std::ranges::any_of(
        reports, [&](const ActuatorReport& report) { return report.name == name && report.found == found; });
    if (!known) say(name, fmt::format("it is {} and nobody knows that it was {}", value, found));
    if (name.kind != ActuatorKind::freeze) continue;
    const auto since = frozen_.try_emplace(name, now).first->second;
    const bool refused = refuses_until_ || (refused_at_ && now - *refused_at_ <= kLongestRetry);
    if (!refused && now - since > settings_.max_pause + 2s) {
      say(name, "it stands still for longer than max_pause allows");
    }
  }
}

std::vector<std::string> Hands::end() {
  world_.setting.reset();
  actuation_->give_all_back();
  expect_found("at the end");
  return std::exchange(wrong_, {});
}

void Hands::expect_found(std::string_view when) {
  for (const auto& [name, found] : found_) {
    const std::string& value = world_.values.at(name);
    if (value != found) say(name, fmt::format("it is {} {}, and was {}", value, when, found));
  }
}

void Hands::say(const ActuatorName& name, std::string_view what) {
  wrong_.push_back(fmt::format("{}: {}", name.to_string(), what));
}

}  // namespace gpukeeper::simulation
