#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/published.hpp"
#include "core/result.hpp"
#include "policy/andon/alert_book.hpp"
#include "policy/andon/alert_listener.hpp"
#include "policy/andon/alert_store.hpp"
#include "policy/andon/alert_writer.hpp"
#include "policy/andon/andon_settings.hpp"
#include "policy/andon/fresh_faults.hpp"
#include "policy/andon/scene.hpp"
#include "policy/andon/silences.hpp"

namespace gpukeeper {

/// What alerts are called among the snapshot's sources of events, where their keeping has something to say.
inline constexpr std::string_view kAlerts = "alerts";

/// The signal light: finds what needs a person's attention, says it once, keeps it while it lasts and clears it once,
/// over restarts too where there is a store.
///
/// The lamp of a device is the worst of its alerts that fire: red for a critical one, yellow for a warning. Whoever
/// acknowledges an alert knows of the trouble, which is still there: the lamp stays as it is and only the telling ends.
/// Whoever silences it says that it is none: then the lamp does not show it either.
///
/// A partition has alerts of its own: of what its own readings and processes show. They are told under its UUID and its
/// device's index, and colour its device's lamp, too.
///
/// A sleeping device has no alerts. Those of a lost one are kept as they were until it is back, for a day at most,
/// under the one that says that it is lost.
///
/// Threads: silences() may be called from any; all else belongs to one thread, the sampler's, and does no input or
/// output.
class Andon {
 public:
  static constexpr std::size_t kMostResolved = 200;  ///< that are still listed
  static constexpr std::chrono::hours kResolvedFor{24};

  /// The settings must have passed check(). Loads what the store holds; one that cannot be loaded is not saved to
  /// either. `listener` may be null; it must outlive this.
  explicit Andon(AndonSettings settings = {}, std::shared_ptr<AlertStore> store = nullptr,
                 AlertListener* listener = nullptr);
  ~Andon();

  /// Looks at the snapshots in order, and sets the alerts and lamps of each.
  void look(Snapshot& snapshot, const AndonFacts& facts = {});

  /// Takes effect with the next look: alerts of rules that are no more are resolved, others go on.
  void set(AndonSettings settings);

  /// Says that somebody takes care of the alert: it is not repeated. `length`: nothing for as long as it lasts.
  /// Errors: not_found; invalid_argument for a time that is none, or longer than a year.
  Result<void> acknowledge(std::string_view id, const std::string& by,
                           std::optional<std::chrono::nanoseconds> length = std::nullopt,
                           const std::string& comment = "");
  /// Errors: not_found.
  Result<void> withdraw_acknowledgement(std::string_view id);

  /// Errors: as for Silences::add; invalid_argument for a rule that there is none of.
  Result<Silence> silence(AlertMatcher matcher, std::chrono::nanoseconds length, const std::string& by,
                          const std::string& comment = "");
  /// Errors: as for Silences::remove.
  Result<void> end_silence(std::string_view id);

  /// As of the latest look or change; never null.
  std::shared_ptr<const SilenceList> silences() const { return published_silences_.read(); }

 private:
  using Rules = std::shared_ptr<const std::vector<ActiveRule>>;
  struct Place {  // a device, a partition of one, or the machine
    AlertBook book;
    DeviceMemory memory;
    Rules rules;
    std::shared_ptr<const Device> device;  // null for the machine, and for one that was not listed yet
    std::uint32_t index = 0;
    bool made_up = false;
    std::uint64_t look = 0;  // in which it was listed
  };

  void restore(Turn& turn);
  void look_at_devices(const Snapshot& snapshot, Scene& scene, Turn& turn);
  Place& place_of(const DeviceSnapshot& device, std::size_t position, Turn& turn);
  Rules rules_for(const Device& device, std::uint32_t index);
  void look_at(Place& place, Scene& scene, Turn& turn);
  void run_rules(Place& place, Scene& scene, Turn& turn, bool of_unavailable_only);
  void look_at_machine(Scene& scene, Turn& turn);
  void look_at_unlisted(Turn& turn);
  bool is_taken_apart(const Place& place) const;
  bool is_of_another_scenario(const Place& place) const;
  void keep_ended(Turn& turn);
  void publish(Snapshot& snapshot, const Turn& turn);
  void save();
  void note_hand();
  void say_how_it_is_kept(Snapshot& snapshot) const;
  bool is_kept(const Place& place) const;
  Place* find(std::string_view id);

  AndonSettings settings_;
  bool settings_changed_ = false;
  const std::shared_ptr<AlertStore> store_;  // null: memory only
  std::string load_error_;
  AndonMemory loaded_;  // until the first look
  AlertListener* const listener_;

  Rules machine_rules_;
  Rules common_rules_;            // of devices that no setting names
  Rules common_partition_rules_;  // and of their partitions
  std::unordered_map<DeviceId, std::unique_ptr<Place>> places_;
  std::vector<Place*> order_;  // as the devices stood in the snapshot before, each with its partitions behind it
  Place machine_;
  std::deque<std::pair<KeptAlert, bool>> resolved_;  // the oldest first; whether the store keeps it
  Silences silences_;
  std::uint64_t silences_published_ = 0;
  FreshFaults faults_;

  MonotonicTime now_{};
  WallTime wall_{};
  std::uint64_t looks_ = 0;
  std::uint64_t last_alert_ = 0;
  std::size_t alerts_ = 0;
  bool changed_ = false;     // by hand, since the last look
  std::vector<Sign> signs_;  // of one rule, kept for its memory

  std::shared_ptr<const AlertList> list_ = std::make_shared<const AlertList>();
  Published<SilenceList> published_silences_;
  std::unique_ptr<AlertWriter> writer_;  // null: memory only
};

}  // namespace gpukeeper
