#include "backend/nvml/nvml_backend_class.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <utility>

#include "backend/nvml/codes.hpp"

/// When the driver is opened, closed and opened again.
namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

constexpr auto kFirstPause = 1s;
constexpr auto kLongestPause = 60s;
constexpr auto kSettled = 30s;     // a session that lasted so long was no false start
constexpr auto kHandOver = 100ms;  // for calls in flight to leave a session that is to be replaced

std::chrono::seconds pause_after(int failures) {
  return failures >= 7 ? kLongestPause : std::min<std::chrono::seconds>(kLongestPause, kFirstPause * (1 << failures));
}

}  // namespace

Result<std::vector<Device>> NvmlBackend::list() {
  std::unique_lock guard(list_mutex_, std::try_to_lock);
  if (!guard) {
    return fail(Errc::unavailable, "an earlier question for the NVIDIA devices is still inside the driver");
  }
  const auto now = clock_.now();
  std::vector<Place> places;
  bool any_asleep = false;
  bool all_quiet = true;  // of those that the driver drives
  std::vector<PciAddress> driven;
  for (PciFunction& function : pci_.scan()) {
    Place place{std::move(function), Attention::awake};
    if (place.function.driven) {
      place.attention = gate_.look(place.function.folder);
      driven.push_back(place.function.address);
      any_asleep |= place.attention == Attention::asleep;
      all_quiet &= place.attention != Attention::awake;
    }
    places.push_back(std::move(place));
  }
  all_quiet &= !driven.empty();

  auto session = grip().session;
  // When no device can be spoken to any more, not the devices are the trouble, or a new start may find them again.
  if (session && session->broken == kSuccess && !any_asleep) {
    Code lost = unopened_.empty() ? kSuccess : unopened_.front().code;
    for (const auto& unit : units_) lost = unit->lost;
    const bool all = std::ranges::all_of(units_, [](const auto& unit) { return unit->lost != kSuccess; });
    if (all && lost != kSuccess) session->broken = lost;
  }
  if (session && session->broken != kSuccess) {
    close_broken(session, now);
    session.reset();
  } else if (session && all_quiet) {
    let_go(session, Closed::resting);
    session.reset();
  } else if (session && driven != attached_functions_ && !any_asleep) {
    let_go(session, Closed::reopening);  // a GPU came or went: the library learns of it only by a new start
    session.reset();
  }
  if (session) {
    if (!any_asleep) refresh(session, now, places);
  } else if (!any_asleep && !all_quiet && now >= retry_at_) {
    session = open_session(now);
    if (session) attached_functions_ = driven;
  }
  auto devices = publish(places, session);
  if (devices.empty() && failure_ && !session) return tl::make_unexpected(*failure_);
  return devices;
}

void NvmlBackend::let_go(const std::shared_ptr<Session>& session, Closed why) {
  std::shared_ptr<Session> last;  // released after the lock: it may be the one that calls nvmlShutdown
  std::scoped_lock lock(mutex_);
  if (session_ != session) return;
  last.swap(session_);
  closed_ = why;
}

void NvmlBackend::close_broken(const std::shared_ptr<Session>& session, MonotonicTime now) {
  const Code code = session->broken;
  failure_ = broken_error(code, "every NVIDIA GPU");
  failed_devices_.reset();
  if (!ends_session(code)) failed_devices_ = code;
  failures_ = now - opened_at_ < kSettled ? failures_ + 1 : 0;
  if (failures_ > 1) retry_at_ = now + pause_after(failures_ - 2);
  library_.reset();  // the driver may come back in another version, and with it the library on disk
  units_.clear();
  let_go(session, Closed::failed);
}

void NvmlBackend::fail_open(Error error, MonotonicTime now) {
  failure_ = std::move(error);
  failed_devices_.reset();
  retry_at_ = now + pause_after(failures_++);
  units_.clear();
  std::scoped_lock lock(mutex_);
  closed_ = Closed::failed;
}

std::shared_ptr<Session> NvmlBackend::open_session(MonotonicTime now) {
  // Calls that began in the old session may still be inside. They need microseconds, unless they hang.
  if (ended_.valid() && ended_.wait_for(kHandOver) != std::future_status::ready) {
    failure_ = Error{Errc::unavailable,
                     "a call that began before the NVIDIA driver went away still hangs inside it; the GPUs are read "
                     "again when it returns. If it does not, stop what uses the GPUs and restart this program, or "
                     "reboot"};
    std::scoped_lock lock(mutex_);
    closed_ = Closed::failed;
    return nullptr;
  }
  units_.clear();
  if (!library_) {
    auto loaded = loader_();
    if (!loaded) {
      fail_open(loaded.error(), now);
      return nullptr;
    }
    library_ = *loaded;
  }
  auto session = std::make_shared<Session>(library_, meter_, ++generation_);
  const Code code = session->open();
  if (code != kSuccess) {
    Versions versions;
    if (code == kVersionMismatch) {
      std::array<char, 96> text{};
      if (session->call(library_->library_version, text.data(), static_cast<unsigned>(text.size() - 1)) == kSuccess) {
        versions.library = text.data();
      }
      versions.kernel_module = pci_.module_version();
    }
    fail_open(driver_error(code, versions), now);
    session.reset();
    library_.reset();
    return nullptr;
  }
  ended_ = session->ended();
  if (auto error = attach(session)) {
    fail_open(std::move(*error), now);
    library_.reset();
    return nullptr;
  }
  opened_at_ = now;
  failure_.reset();
  return session;
}

}  // namespace gpukeeper::nvml
