#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/andon/alert_listener.hpp"
#include "policy/andon/alert_store.hpp"
#include "policy/andon/scene.hpp"
#include "policy/andon/silences.hpp"

namespace gpukeeper {

/// One look: its time, and what comes out of it.
struct Turn {
  MonotonicTime now{};
  WallTime wall{};
  std::uint64_t number = 0;  ///< another one each look
  const Silences* silences = nullptr;
  std::string_view documentation;  ///< AndonSettings::documentation_url, or the page's path
  std::uint64_t last_alert = 0;    ///< the number that was given last
  std::size_t alerts = 0;          ///< that pend or fire, over all devices

  std::vector<KeptAlert> ended;      ///< resolved in this look
  std::vector<AlertChange> changes;  ///< to be told
  bool changed = false;              ///< something that people see
  bool to_save = false;              ///< something that must outlive a restart
};

/// The alerts of one device, or of the machine, from the first moment of their condition to their end.
///
/// Pending while the condition has not held for long enough, firing after that, gone when it is over: at once where it
/// is still pending, else when its time of grace is over. What nobody can tell any more (a sensor is silent, the device
/// is lost) ends what pends and keeps what fires, for a day at most.
class AlertBook {
 public:
  static constexpr std::size_t kMostOfRule = 32;    ///< alerts of one rule here: a swarm of processes is one trouble
  static constexpr std::size_t kMostAlerts = 5000;  ///< over all devices
  static constexpr std::chrono::hours kKeptUnknown{24};

  /// The device that it is about, as it is listed now; null: the machine, or a device that is not listed.
  void set_device(std::shared_ptr<const Device> device, std::uint32_t index);

  /// Goes on with one that was kept over a restart; it was true when the program ended.
  void restore(const KeptAlert& kept, const Turn& turn);

  /// A rule found this.
  void note(const ActiveRule& rule, Sign sign, Turn& turn);
  /// And that was all. `known`: it could tell.
  void finish(const ActiveRule& rule, bool known, Turn& turn);

  /// Ends all of them: the device sleeps.
  void resolve_all(Turn& turn);
  /// Ends those of no rule here.
  void resolve_others(const std::vector<ActiveRule>& rules, Turn& turn);
  /// Nobody can tell any more.
  void hold_all(Turn& turn);

  /// After all rules: ends acknowledgements and silences whose time is over, and tells what is to be told.
  void tell(const std::vector<ActiveRule>& rules, Turn& turn);

  /// The worst of what fires and is not silenced; green when there is none.
  Lamp lamp() const;

  bool empty() const { return alerts_.empty(); }
  std::size_t size() const { return alerts_.size(); }
  void add_to(std::vector<const Alert*>& list) const;
  void add_kept(std::vector<KeptAlert>& list) const;

  /// By hand. Nothing ends an acknowledgement without `length` but the alert's end, or its becoming critical.
  /// Whether there is such an alert here.
  bool acknowledge(std::string_view id, const std::string& by, std::optional<std::chrono::nanoseconds> length,
                   const std::string& comment, MonotonicTime now, WallTime wall);
  bool withdraw_acknowledgement(std::string_view id);

 private:
  struct Live {
    Alert alert;
    Alert worst;                                  // as it was when it stood worst, for when it is over
    MonotonicTime since;                          // its condition holds
    std::optional<MonotonicTime> critical_since;  // its second border is crossed
    MonotonicTime seen;                           // its condition held
    std::optional<MonotonicTime> unknown_since;
    std::optional<MonotonicTime> acknowledged_until;
    MonotonicTime told_at;
    bool told = false;
    bool escalated = false;      // in this look
    bool over = false;           // to be taken out
    std::uint64_t look = 0;      // that saw it
    std::uint64_t silences = 0;  // their version when they were asked
  };

  Live* find(std::string_view rule, std::string_view subject);
  void begin(const ActiveRule& rule, Sign& sign, Turn& turn);
  void go_on(Live& live, const ActiveRule& rule, Sign& sign, Turn& turn);
  void fire(Live& live, Turn& turn);
  void show(Live& live, AlertLevel level, Sign& sign, Turn& turn);
  void hold(Live& live, Turn& turn);
  static void note_worst(Live& live);
  void resolve(Live& live, Turn& turn);
  void ask_silences(Live& live, Turn& turn);
  void sweep(Turn& turn);

  std::shared_ptr<const Device> device_;
  std::optional<DeviceId> id_;
  std::optional<std::uint32_t> index_;
  std::vector<Live> alerts_;
};

}  // namespace gpukeeper
