#include "policy/andon/andon.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/glob.hpp"
#include "core/text.hpp"
#include "policy/andon/active_rules.hpp"
#include "policy/andon/rules.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kLongestComment = 1000;
constexpr std::string_view kPage = "docs/alerts.md";

AndonMemory load(AlertStore* store, std::string& error) {
  if (!store) return {};
  auto loaded = store->load();
  if (loaded) return std::move(*loaded);
  error = fmt::format("the alerts in {} cannot be read: {}; alerts are kept in memory until gpukeeper is started again",
                      store->place(), loaded.error().message);
  return {};
}

std::chrono::nanoseconds seconds_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

bool is_asleep(const DeviceSnapshot& d) {
  return !d.available && d.reading.attention == Attention::asleep;
}

// Firing ones first, then pending, then resolved; by severity, then age.
bool stands_before(const Alert* a, const Alert* b) {
  const auto order = [](AlertPhase phase) {
    return phase == AlertPhase::firing ? 0 : phase == AlertPhase::pending ? 1 : 2;
  };
  return std::tuple(order(a->phase), -a->severity, a->since) < std::tuple(order(b->phase), -b->severity, b->since);
}

Lamp lamp_of(const DeviceSnapshot& d, const AlertBook& book) {
  const Lamp lamp = book.lamp();
  return lamp == Lamp::green && !d.available ? Lamp::off : lamp;
}

Error no_such_alert(std::string_view id) {
  return {Errc::not_found, fmt::format("no alert '{}' is pending or firing; gpukeeper alerts lists those there are",
                                       fit(harmless(id), 40))};
}

}  // namespace

Andon::Andon(AndonSettings settings, std::shared_ptr<AlertStore> store, AlertListener* listener)
    : settings_(std::move(settings)), store_(std::move(store)), listener_(listener) {
  loaded_ = load(store_.get(), load_error_);
  if (store_ && load_error_.empty()) writer_ = std::make_unique<AlertWriter>(store_);
}

Andon::~Andon() = default;

void Andon::look(Snapshot& snapshot, const AndonFacts& facts) {
  Turn turn{.now = snapshot.monotonic, .wall = snapshot.taken_at, .number = ++looks_, .silences = &silences_};
  turn.documentation = settings_.documentation_url.empty() ? kPage : std::string_view(settings_.documentation_url);
  if (looks_ == 1) restore(turn);
  now_ = turn.now;
  wall_ = turn.wall;
  turn.last_alert = last_alert_;
  turn.alerts = alerts_;
  turn.changed = silences_.expire(turn.now);
  if (std::exchange(changed_, false)) turn.changed = true;
  faults_.look(facts.faults, turn.wall);

  Scene scene{.snapshot = snapshot, .facts = facts, .settings = settings_};
  look_at_devices(snapshot, scene, turn);
  look_at_machine(scene, turn);
  look_at_unlisted(turn);
  settings_changed_ = false;

  last_alert_ = turn.last_alert;
  alerts_ = turn.alerts;
  keep_ended(turn);
  publish(snapshot, turn);
  if (turn.to_save) save();
  if (!listener_ || turn.changes.empty()) return;
  for (AlertChange& change : turn.changes) change.origin = origin_of(change.alert, snapshot);
  listener_->alerts_changed(turn.changes);
}

void Andon::look_at_devices(const Snapshot& snapshot, Scene& scene, Turn& turn) {
  std::size_t position = 0;
  const auto look_at_next = [&](const DeviceSnapshot& device, const DeviceSnapshot* whole) {
    if (order_.size() <= position) order_.push_back(nullptr);
    scene.device = &device;
    scene.whole = whole;
    look_at(place_of(device, position++, turn), scene, turn);
  };
  for (const DeviceSnapshot& device : snapshot.devices) {
    look_at_next(device, nullptr);
    for (const DeviceSnapshot& partition : device.partitions) look_at_next(partition, &device);
  }
  order_.resize(position);
  scene.whole = nullptr;
}

// By the time of the first look: a recording has a date of its own.
void Andon::restore(Turn& turn) {
  AndonMemory memory = std::exchange(loaded_, {});
  last_alert_ = memory.last_alert;
  silences_.restore(memory.silences, memory.last_silence, turn.now, turn.wall);
  silences_.set_standing(settings_.silences, turn.wall);
  machine_rules_ = std::make_shared<const std::vector<ActiveRule>>(rules_of_machine(settings_));
  settings_changed_ = true;
  for (KeptAlert& kept : memory.alerts) {
    if (kept.alert.phase == AlertPhase::resolved) {
      resolved_.emplace_back(std::move(kept), true);
      continue;
    }
    Place* place = &machine_;
    if (kept.alert.device) {
      auto& slot = places_[*kept.alert.device];
      if (!slot) slot = std::make_unique<Place>();
      place = slot.get();
    }
    place->made_up = store_->keeps_made_up();
    place->book.restore(kept, turn);
    ++alerts_;
    if (kept.alert.rule == "idle") {  // which is timed from its first moment, not from its alert's
      place->memory.idle_since =
          turn.now - (turn.wall - kept.alert.since) - seconds_of(kept.alert.threshold.value_or(0));
    }
    if (kept.alert.rule == "hoarding") {  // as well, of each process
      const auto idle = (turn.wall - kept.alert.since) + seconds_of(kept.alert.threshold.value_or(0));
      if (const auto pid = parse_i64(kept.alert.subject)) place->memory.holders[*pid] = {turn.now - idle, std::nullopt};
    }
  }
  changed_ = true;
}

Andon::Place& Andon::place_of(const DeviceSnapshot& device, std::size_t position, Turn& turn) {
  Place* place = order_[position];
  const auto index = device.parent_index.value_or(device.index);
  const bool same = place && place->device == device.device && place->index == index;
  if (!same) {
    auto& slot = places_[device.device->id];
    if (!slot) slot = std::make_unique<Place>();
    place = order_[position] = slot.get();
    place->device = device.device;
    place->index = index;
    place->made_up = device.device->simulated || device.device->recorded;
    place->book.set_device(device.device, index);
  }
  if (!same || settings_changed_) {
    place->rules = rules_for(*device.device, index);
    place->book.resolve_others(*place->rules, turn);
  }
  place->look = looks_;
  return *place;
}

Andon::Rules Andon::rules_for(const Device& device, std::uint32_t index) {
  Rules& common = device.parent ? common_partition_rules_ : common_rules_;
  if (common) return common;
  auto rules = std::make_shared<const std::vector<ActiveRule>>(rules_of_device(settings_, device, index));
  if (!tells_devices_apart(settings_)) common = rules;
  return rules;
}

void Andon::look_at(Place& place, Scene& scene, Turn& turn) {
  const DeviceSnapshot& d = *scene.device;
  DeviceMemory& memory = place.memory;
  scene.memory = &memory;
  if (is_asleep(scene.whole ? *scene.whole : d)) {
    memory = {.was_available = memory.was_available};
    place.book.resolve_all(turn);
    return;
  }
  if (d.available) {
    memory.was_available = true;
    memory.unavailable_since.reset();
  } else if (!memory.unavailable_since) {
    memory.unavailable_since = turn.now;
  }
  run_rules(place, scene, turn, !d.available);
  place.book.tell(*place.rules, turn);
}

void Andon::run_rules(Place& place, Scene& scene, Turn& turn, bool of_unavailable_only) {
  scene.faults = faults_.of(scene.device->device->id);
  for (const ActiveRule& rule : *place.rules) {
    scene.active = &rule;
    bool known = false;
    signs_.clear();
    if (!rule.rule) {
      known = !of_unavailable_only && rules::user(scene, signs_);
    } else if (!of_unavailable_only || rule.rule->of_unavailable) {
      known = rule.rule->of_device(scene, signs_);
    }
    for (Sign& sign : signs_) place.book.note(rule, std::move(sign), turn);
    if (!place.book.empty()) place.book.finish(rule, known, turn);
  }
}

void Andon::look_at_machine(Scene& scene, Turn& turn) {
  scene.device = nullptr;
  scene.memory = nullptr;
  scene.faults = faults_.of(DeviceId{});
  const auto& devices = scene.snapshot.devices;
  machine_.made_up = !devices.empty() && std::ranges::all_of(devices, [](const DeviceSnapshot& d) {
    return d.device->simulated || d.device->recorded;
  });
  if (settings_changed_) machine_.book.resolve_others(*machine_rules_, turn);
  for (const ActiveRule& rule : *machine_rules_) {
    scene.active = &rule;
    signs_.clear();
    const bool known = rule.rule->of_machine(scene, signs_);
    for (Sign& sign : signs_) machine_.book.note(rule, std::move(sign), turn);
    machine_.book.finish(rule, known, turn);
  }
  machine_.book.tell(*machine_rules_, turn);
}

// What is not listed now may be lost for good; what is known of it is not forgotten for that.
void Andon::look_at_unlisted(Turn& turn) {
  if (places_.size() == order_.size()) return;
  static const std::vector<ActiveRule> kNoRules;
  std::erase_if(places_, [&](auto& entry) {
    Place& place = *entry.second;
    if (place.look == looks_) return false;
    if (is_of_another_scenario(place)) {
      turn.alerts -= place.book.size();
      turn.changed = true;
      return true;
    }
    if (is_taken_apart(place)) {
      place.book.resolve_all(turn);
    } else {
      place.book.hold_all(turn);
    }
    place.book.tell(kNoRules, turn);
    return place.book.empty();
  });
}

// Who makes a machine up makes another one up the next time; its devices are not lost, they have never been.
bool Andon::is_of_another_scenario(const Place& place) const {
  return place.made_up && !place.device && !order_.empty();
}

// A partition that is listed no more while its device can be read: somebody has taken it apart.
bool Andon::is_taken_apart(const Place& place) const {
  if (!place.device || !place.device->parent) return false;
  const auto parent = places_.find(*place.device->parent);
  return parent != places_.end() && parent->second->look == looks_ && !parent->second->memory.unavailable_since;
}

void Andon::keep_ended(Turn& turn) {
  for (KeptAlert& ended : turn.ended) {
    const auto place = ended.alert.device ? places_.find(*ended.alert.device) : places_.end();
    const bool kept = is_kept(place == places_.end() ? machine_ : *place->second);
    resolved_.emplace_back(std::move(ended), kept);
  }
  while (!resolved_.empty()) {
    const bool old = turn.wall - *resolved_.front().first.alert.resolved_at > kResolvedFor;
    if (!old && resolved_.size() <= kMostResolved) break;
    resolved_.pop_front();
    turn.changed = true;
  }
}

void Andon::publish(Snapshot& snapshot, const Turn& turn) {
  if (turn.changed || !turn.ended.empty()) {
    std::vector<const Alert*> all;
    machine_.book.add_to(all);
    for (const auto& [id, place] : places_) place->book.add_to(all);
    for (const auto& [ended, kept] : resolved_) all.push_back(&ended.alert);
    std::ranges::stable_sort(all, stands_before);
    auto list = std::make_shared<AlertList>();
    list->reserve(all.size());
    for (const Alert* alert : all) list->push_back(*alert);
    list_ = std::move(list);
  }
  snapshot.alerts = list_;
  Lamp worst = machine_.book.lamp();
  if (worst == Lamp::green) worst = Lamp::off;  // of the machine alone nothing good can be said
  std::size_t position = 0;
  for (DeviceSnapshot& d : snapshot.devices) {
    const Lamp own = d.lamp = lamp_of(d, order_[position++]->book);
    for (DeviceSnapshot& partition : d.partitions) {
      partition.lamp = std::max(own, lamp_of(partition, order_[position++]->book));
      d.lamp = std::max(d.lamp, partition.lamp);
    }
    worst = std::max(worst, d.lamp);
  }
  snapshot.lamp = worst;
  if (silences_published_ != silences_.version()) {
    silences_published_ = silences_.version();
    published_silences_.publish(std::make_shared<const SilenceList>(silences_.list()));
  }
  say_how_it_is_kept(snapshot);
}

void Andon::say_how_it_is_kept(Snapshot& snapshot) const {
  if (!store_) return;
  const std::string trouble = writer_ ? writer_->message() : load_error_;
  const std::string notice = store_->notice();
  if (!trouble.empty()) {
    snapshot.event_sources.push_back({std::string(kAlerts), false, trouble});
  } else if (!notice.empty()) {
    snapshot.event_sources.push_back({std::string(kAlerts), true, notice});
  }
}

bool Andon::is_kept(const Place& place) const {
  return store_ && place.made_up == store_->keeps_made_up();
}

void Andon::save() {
  if (!writer_) return;
  AndonMemory memory{
      .silences = silences_.of_people(), .last_alert = last_alert_, .last_silence = silences_.last_number()};
  for (const auto& [ended, kept] : resolved_) {
    if (kept) memory.alerts.push_back(ended);
  }
  if (is_kept(machine_)) machine_.book.add_kept(memory.alerts);
  for (const auto& [id, place] : places_) {
    if (is_kept(*place)) place->book.add_kept(memory.alerts);
  }
  writer_->put(std::move(memory));
}

void Andon::set(AndonSettings settings) {
  settings_ = std::move(settings);
  common_rules_.reset();
  common_partition_rules_.reset();
  if (looks_ == 0) return;  // the first look takes them
  machine_rules_ = std::make_shared<const std::vector<ActiveRule>>(rules_of_machine(settings_));
  silences_.set_standing(settings_.silences, wall_);
  settings_changed_ = true;
  changed_ = true;
}

// Handed to the writer at once, as there may be no further look: gpukeeper is stopped, perhaps.
void Andon::note_hand() {
  changed_ = true;
  save();
}

Andon::Place* Andon::find(std::string_view id) {
  const auto has = [&](const AlertBook& book) {
    std::vector<const Alert*> alerts;
    book.add_to(alerts);
    return std::ranges::any_of(alerts, [&](const Alert* alert) { return alert->id == id; });
  };
  if (has(machine_.book)) return &machine_;
  for (const auto& [device, place] : places_) {
    if (has(place->book)) return place.get();
  }
  return nullptr;
}

Result<void> Andon::acknowledge(std::string_view id, const std::string& by,
                                std::optional<std::chrono::nanoseconds> length, const std::string& comment) {
  if (length && (*length <= std::chrono::nanoseconds::zero() || *length > Silences::kLongest)) {
    return fail(Errc::invalid_argument, fmt::format("an alert is acknowledged for a moment to 365 days, not {} s",
                                                    std::chrono::duration<double>(*length).count()));
  }
  if (comment.size() > kLongestComment) {
    return fail(Errc::invalid_argument, fmt::format("a comment has at most {} bytes", kLongestComment));
  }
  Place* place = find(id);
  if (!place) return tl::make_unexpected(no_such_alert(id));
  place->book.acknowledge(id, by, length, comment, now_, wall_);
  note_hand();
  return {};
}

Result<void> Andon::withdraw_acknowledgement(std::string_view id) {
  Place* place = find(id);
  if (!place) return tl::make_unexpected(no_such_alert(id));
  place->book.withdraw_acknowledgement(id);
  note_hand();
  return {};
}

Result<Silence> Andon::silence(AlertMatcher matcher, std::chrono::nanoseconds length, const std::string& by,
                               const std::string& comment) {
  const auto fits_rule = [&](std::string_view id) { return fits(matcher.rule, id); };
  if (std::ranges::none_of(rule_table(), fits_rule, &Rule::id) &&
      std::ranges::none_of(settings_.user_rules, fits_rule, &UserRule::id)) {
    return fail(Errc::invalid_argument,
                fmt::format("rule = '{}': {}", fit(harmless(matcher.rule), 60), no_such_rule(matcher.rule)));
  }
  if (comment.size() > kLongestComment) {
    return fail(Errc::invalid_argument, fmt::format("a comment has at most {} bytes", kLongestComment));
  }
  if (looks_ == 0) return fail(Errc::unavailable, "nothing was looked at yet; try again in a moment");
  auto begun = silences_.add(std::move(matcher), length, by, comment, now_, wall_);
  if (!begun) return begun;
  published_silences_.publish(std::make_shared<const SilenceList>(silences_.list()));
  note_hand();
  return begun;
}

Result<void> Andon::end_silence(std::string_view id) {
  auto ended = silences_.remove(id);
  if (!ended) return ended;
  published_silences_.publish(std::make_shared<const SilenceList>(silences_.list()));
  note_hand();
  return {};
}

}  // namespace gpukeeper
