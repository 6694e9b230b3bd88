#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"
#include "ledger/symbol.hpp"

namespace gpukeeper {

/// A lease's own number. It is never given out twice, not after a restart either; 0 is none.
enum class LeaseId : std::uint64_t {};

constexpr std::uint64_t number(LeaseId id) {
  return static_cast<std::uint64_t>(id);
}

/// Where a lease stands.
///
///     waiting ─> starting ─> active <─> suspended
///        │           └─────────┴────────────┴──> draining ─> leaked
///        └──────────────────────────────────────────┴──────────┴──> ended
///
enum class LeaseState : std::uint8_t {
  waiting,    ///< it stands in the queue and holds nothing
  starting,   ///< granted, and nothing of it was seen on the device yet: charged in full
  active,     ///< its holder was seen to use memory
  suspended,  ///< its holder gave its memory back for a while: charged with what is still seen of it
  draining,   ///< it is over, but the driver does not show the drop yet: charged as before
  leaked,     ///< it is over for long, and memory of it is still in use: charged as memory that nobody manages
  ended,
};

/// Why a lease is over.
enum class EndReason : std::uint8_t {
  none,         ///< it is not
  released,     ///< its holder gave it back
  owner_died,   ///< its process is gone
  expired,      ///< its heartbeat stayed away, or its time was over
  revoked,      ///< an operator took it away
  timed_out,    ///< it waited until its deadline
  cancelled,    ///< who waited for it went away
  rebooted,     ///< its process was one of an earlier boot of the machine
  device_gone,  ///< nothing tells any more what its device holds, and an operator said so
};

std::string_view to_string(LeaseState state);
std::string_view to_string(EndReason reason);
std::optional<LeaseState> parse_lease_state(std::string_view word);
std::optional<EndReason> parse_end_reason(std::string_view word);

/// Whether it is charged to a device: granted, and not known to have given everything back.
constexpr bool holds_memory(LeaseState state) {
  return state != LeaseState::waiting && state != LeaseState::leaked && state != LeaseState::ended;
}

/// Whether its holder still has it.
constexpr bool is_held(LeaseState state) {
  return state == LeaseState::starting || state == LeaseState::active || state == LeaseState::suspended;
}

/// A process of this boot of the machine. The start time tells it from a later one with the same pid.
struct ProcessOwner {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< /proc/PID/stat, field 22; 0 where it is not known (a simulated machine)
  friend auto operator<=>(const ProcessOwner&, const ProcessOwner&) = default;
};

/// Whoever says "still there" at least once in `ttl`.
struct HeartbeatOwner {
  std::chrono::nanoseconds ttl{};
  friend auto operator<=>(const HeartbeatOwner&, const HeartbeatOwner&) = default;
};

/// The service itself: it stands until somebody releases it, over reboots too.
struct StandingOwner {
  friend auto operator<=>(const StandingOwner&, const StandingOwner&) = default;
};

/// What a lease lives and dies with.
using Owner = std::variant<StandingOwner, ProcessOwner, HeartbeatOwner>;

/// "standing", "process", "heartbeat".
std::string_view kind_of(const Owner& owner);

/// By which door a lease came in. The documented surface (the Python module `gpu_manager`, /api/gpu/memory/…) has
/// limits of its own; nothing else differs.
enum class Surface : std::uint8_t { native, documented };

/// Whatever a client wants to find again with its lease, in its order.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// A promise of memory on one device to a holder. What asks for several devices gets one lease a device, with ids that
/// follow each other; they are granted and released as one.
struct Lease {
  LeaseId id{};
  LeaseId group{};               ///< of the first that was granted with it: its own where it was alone
  std::uint32_t group_size = 1;  ///< their ids are group, group + 1, …
  std::uint32_t generation = 1;  ///< one more whenever its terms change: who speaks of an older one is told so
  /// Larger than any that was given out before, on any device. Whoever carries it to a device's resources can refuse
  /// one that is smaller than what it saw: a holder that slept through its lease's end.
  std::uint64_t fencing_token = 0;

  Symbol service;
  Symbol device;           ///< its id; empty while it waits
  std::string name;        ///< the client's own (`allocation_id`), unique on a device; may be empty
  std::string request_id;  ///< asking again with the same one, for the same service, gives this lease; may be empty

  Bytes min{0};  ///< guaranteed
  Bytes max{0};  ///< as far as it may go where there is room
  /// What the driver says its processes hold; absent where nobody says.
  Metric<Bytes> observed = missing(Missing::not_yet_read);
  Bytes peak{0};    ///< the most that was observed
  Bytes at_end{0};  ///< what was observed when it began to drain

  Owner owner;
  std::int32_t priority = 0;  ///< higher goes first
  std::uint32_t uid = 0;      ///< the user whose it is: the one, beside root, who may end it
  LeaseState state = LeaseState::waiting;
  EndReason reason = EndReason::none;  ///< said from draining on
  Surface surface = Surface::native;
  bool exclusive = false;  ///< nobody else gets anything on the device
  bool overused = false;   ///< more than max was observed

  WallTime created{};  ///< when it was granted, or began to wait
  WallTime changed{};  ///< when its state began
  /// When its state ends by itself: waiting at its deadline, draining at its patience's end, else when the heartbeat or
  /// the lease's time is over. max() for never.
  MonotonicTime deadline = MonotonicTime::max();
  std::chrono::nanoseconds lifetime{0};          ///< after which it expires, heartbeats or not; 0 for never
  MonotonicTime over_at = MonotonicTime::max();  ///< when that is

  std::shared_ptr<const Metadata> metadata;  ///< null when there is none

  friend bool operator==(const Lease&, const Lease&);
};

/// What is guaranteed or observed, whichever is more: what the lease costs its device while it is held.
Bytes charge_of(const Lease& lease);

/// "6144 MiB"; "1.5 MiB" and "300 KiB" where whole MiB would hide something. Contract: MB means MiB everywhere.
std::string mib(Bytes bytes);

}  // namespace gpukeeper
