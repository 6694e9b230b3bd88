#include "faults/snapshot_watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {

using namespace std::chrono_literals;

namespace {

// In the order of Mark; they stand in stores, so none ever changes its meaning.
constexpr std::array<std::string_view, 13> kMarkNames = {"ecc_corrected_volatile",
                                                         "ecc_corrected_aggregate",
                                                         "ecc_uncorrected_volatile",
                                                         "ecc_uncorrected_aggregate",
                                                         "remapped_rows_corrected",
                                                         "remapped_rows_uncorrected",
                                                         "remapped_rows_pending",
                                                         "remapped_rows_failed",
                                                         "retired_pages_corrected",
                                                         "retired_pages_uncorrected",
                                                         "retired_pages_pending",
                                                         "xid_last",
                                                         "lost"};

// A driver that is unloaded takes all its devices within this time.
constexpr auto kAtOnce = 10s;

enum class Presence {
  unknown,  ///< not read yet, or this user may not
  there,
  lost,
};

Presence presence(const DeviceSnapshot& d) {
  if (d.available || d.reading.attention != Attention::awake) return Presence::there;
  return d.reading.otherwise == Missing::failed ? Presence::lost : Presence::unknown;
}

std::optional<std::uint64_t> value(const Metric<Count>& count) {
  return count ? std::optional(count->value()) : std::nullopt;
}

std::optional<std::uint64_t> value(const Metric<bool>& flag) {
  return flag ? std::optional<std::uint64_t>(*flag) : std::nullopt;
}

bool is_mismatch(const std::string& reason) {
  const std::string text = to_lower(reason);
  return text.find("mismatch") != std::string::npos || text.find("different versions") != std::string::npos;
}

std::string_view plural(std::uint64_t count) {
  return count == 1 ? "" : "s";
}

}  // namespace

SnapshotWatch::SnapshotWatch(const std::vector<WatchMark>& marks) {
  static_assert(kMarkNames.size() == kMarks);
  for (const WatchMark& mark : marks) {
    const auto name = std::ranges::find(kMarkNames, mark.name);
    if (name == kMarkNames.end()) continue;  // of a newer version
    seen_[mark.device].marks[static_cast<std::size_t>(name - kMarkNames.begin())] = mark.value;
  }
}

std::vector<DeviceEvent> SnapshotWatch::look(const Snapshot& snapshot) {
  at_ = snapshot.taken_at;
  if (!began_) began_ = snapshot.monotonic;
  found_.clear();
  updates_.clear();
  for (const DeviceSnapshot& d : snapshot.devices) {
    Seen& seen = seen_[d.device->id];
    look_at_presence(d, seen, snapshot);
    look_at_driver(d, seen);
    if (!d.available) continue;
    look_at_errors(d, seen);
    look_at_repairs(d, seen);
    look_at_xid(d, seen, snapshot);
  }
  look_for_reloads(snapshot);
  answered_.clear();
  for (const SourceStatus& source : snapshot.sources) {
    if (source.available) answered_.insert(source.name);
  }
  return std::move(found_);
}

void SnapshotWatch::look_at_presence(const DeviceSnapshot& d, Seen& seen, const Snapshot& snapshot) {
  // A device may get another name when its driver is loaded: only one in an empty place is a new one.
  const bool new_place = !d.device->pci || places_.insert(*d.device->pci).second;
  if (!std::exchange(seen.listed, true)) seen.added = new_place && answered_.contains(d.device->source);
  const Presence now = presence(d);
  const bool is_lost = now == Presence::lost;
  if (now == Presence::unknown || (is_lost && !seen.there && snapshot.monotonic - *began_ < kStart)) return;
  seen.there |= !is_lost;
  const Change change = step(d, seen, lost, is_lost ? 1 : 0);
  if (is_lost && change.raised()) {
    const bool mismatch = is_mismatch(d.reason);
    note(d, mismatch ? EventKind::driver : EventKind::lost, mismatch ? "version mismatch: " + d.reason : d.reason);
    seen.went = snapshot.monotonic;
  } else if (change.went_back()) {
    note(d, EventKind::returned, "it can be read again");
  } else if (seen.added && !is_lost) {
    note(d, EventKind::returned, "it was added: plugged in, or its driver was loaded");
  }
  seen.added = false;
}

void SnapshotWatch::look_at_driver(const DeviceSnapshot& d, Seen& seen) {
  const auto& version = d.device->driver_version;
  if (!version) return;
  const auto before = std::exchange(seen.driver_version, *version);
  if (!before || *before == *version) return;
  const std::string name = d.device->driver ? *d.device->driver : d.device->source;
  updates_[fmt::format("{} {} in place of {}", name, *version, *before)].insert(d.device->id.text);
}

void SnapshotWatch::look_at_errors(const DeviceSnapshot& d, Seen& seen) {
  struct Row {
    EventKind kind;
    Mark since_load;
    Mark of_life;
    Metric<Count> Reading::*volatile_count;
    Metric<Count> Reading::*aggregate_count;
    std::string_view word;
  };
  static constexpr Row kRows[] = {
      {EventKind::ecc_corrected, corrected_volatile, corrected_aggregate, &Reading::ecc_corrected_volatile,
       &Reading::ecc_corrected_aggregate, "corrected"},
      {EventKind::ecc_uncorrected, uncorrected_volatile, uncorrected_aggregate, &Reading::ecc_uncorrected_volatile,
       &Reading::ecc_uncorrected_aggregate, "uncorrected"},
  };
  for (const Row& row : kRows) {
    const Change load = step(d, seen, row.since_load, value(d.reading.*row.volatile_count));
    const Change life = step(d, seen, row.of_life, value(d.reading.*row.aggregate_count));
    // Both count the same errors. Where only the volatile one is there and begins anew, all that it shows is new.
    const std::uint64_t since_reload = load.went_back() && !life.now ? *load.now : 0;
    const std::uint64_t more = std::max({load.grown(), life.grown(), since_reload});
    const std::uint64_t in_all = life.now.value_or(load.now.value_or(0));
    if (more > 0) {
      note(d, row.kind, fmt::format("{} more {} memory error{}, {} in all", more, row.word, plural(more), in_all),
           more);
    } else if (row.kind == EventKind::ecc_uncorrected && in_all > 0 && (life.now ? life.first() : load.first())) {
      note_standing(d, row.kind, life.now ? row.of_life : row.since_load, in_all,
                    fmt::format("{} {} memory error{} from before the first look", in_all, row.word, plural(in_all)))
          .count = in_all;
    }
  }
}

void SnapshotWatch::look_at_repairs(const DeviceSnapshot& d, Seen& seen) {
  const Reading& r = d.reading;
  const auto grown = [&](EventKind kind, Mark mark, const Metric<Count>& count, std::string_view what,
                         std::string_view why) {
    const Change change = step(d, seen, mark, value(count));
    if (const auto more = change.grown()) {
      note(d, kind, fmt::format("{} more {} after {} errors, {} in all", more, what, why, *change.now), more);
    }
  };
  const auto flag = [&](EventKind kind, Mark mark, const Metric<bool>& raised, std::uint64_t episode,
                        std::string detail) {
    const Change change = step(d, seen, mark, value(raised));
    if (!change.raised()) return;
    if (change.first()) {
      note_standing(d, kind, mark, episode, std::move(detail));
    } else {
      note(d, kind, std::move(detail));
    }
  };
  const auto sum = [](const Metric<Count>& a, const Metric<Count>& b) {
    return a.value_or(Count(0)).value() + b.value_or(Count(0)).value();
  };
  grown(EventKind::row_remap, rows_corrected, r.remapped_rows_corrected, "remapped memory rows", "corrected");
  grown(EventKind::row_remap, rows_uncorrected, r.remapped_rows_uncorrected, "remapped memory rows", "uncorrected");
  const auto rows = sum(r.remapped_rows_corrected, r.remapped_rows_uncorrected);
  flag(EventKind::row_remap, rows_pending, r.remapped_rows_pending, rows, "a remapping of memory rows is pending");
  flag(EventKind::row_remap, rows_failed, r.remapped_rows_failed, rows, "the remapping of a memory row failed");
  grown(EventKind::page_retirement, pages_corrected, r.retired_pages_corrected, "retired memory pages", "corrected");
  grown(EventKind::page_retirement, pages_uncorrected, r.retired_pages_uncorrected, "retired memory pages",
        "uncorrected");
  const auto pages = sum(r.retired_pages_corrected, r.retired_pages_uncorrected);
  flag(EventKind::page_retirement, pages_pending, r.retired_pages_pending, pages,
       "a retirement of memory pages is pending");
}

// Where the device's source reports events itself, the same number is no second XID.
void SnapshotWatch::look_at_xid(const DeviceSnapshot& d, Seen& seen, const Snapshot& snapshot) {
  const bool reported = std::ranges::any_of(snapshot.event_sources, [&](const EventSourceStatus& source) {
    return source.name == d.device->source && source.available;
  });
  const Change change = step(d, seen, xid_last, value(d.reading.xid_last));
  if (reported || !change.now || *change.now == 0 || change.now == change.before) return;
  if (change.first()) {
    note_standing(d, EventKind::xid, xid_last, *change.now, "the last one that the driver remembers").code =
        *change.now;
  } else {
    note(d, EventKind::xid, "the last one that the driver remembers").code = *change.now;
  }
}

// One event for all devices of a driver: its version is another one, or all of them went at once and have come back.
void SnapshotWatch::look_for_reloads(const Snapshot& snapshot) {
  for (const auto& [update, devices] : updates_) {
    note(EventKind::driver_reload, fmt::format("{} on {} GPU{}", update, devices.size(), plural(devices.size())));
  }
  std::map<std::string, std::pair<std::set<DeviceId>, std::size_t>> sources;  // who went of late; how many are there
  for (const DeviceSnapshot& d : snapshot.devices) {
    auto& [went, there] = sources[d.device->source];
    const Seen& seen = seen_[d.device->id];
    if (presence(d) != Presence::lost) {
      ++there;
    } else if (seen.went && snapshot.monotonic - *seen.went <= kAtOnce) {
      went.insert(d.device->id);
    }
  }
  for (auto& [name, state] : sources) {
    auto& [went, there] = state;
    if (there == 0 && went.size() > 1) gone_[name].merge(went);  // a single one may just as well have been unplugged
    const auto gone = gone_.find(name);
    if (gone == gone_.end() || there == 0) continue;
    const bool all = std::ranges::all_of(gone->second, [&](const DeviceId& id) { return seen_[id].marks[lost] == 0u; });
    if (!all) continue;
    if (updates_.empty()) {
      note(EventKind::driver_reload,
           fmt::format("all {} GPUs of {} went at once and are back", gone->second.size(), name));
    }
    gone_.erase(gone);
  }
}

SnapshotWatch::Change SnapshotWatch::step(const DeviceSnapshot& d, Seen& seen, Mark mark,
                                          std::optional<std::uint64_t> now) {
  auto& kept = seen.marks[mark];
  const Change change{kept, now};
  if (now && now != kept) {
    kept = now;
    changed_.emplace(d.device->id, mark);
  }
  return change;
}

DeviceEvent& SnapshotWatch::note(EventKind kind, std::string detail, std::uint64_t count) {
  DeviceEvent& event = found_.emplace_back();
  event.kind = kind;
  event.at = at_;
  event.count = count;
  event.detail = std::move(detail);
  event.source = kReadings;
  return event;
}

DeviceEvent& SnapshotWatch::note(const DeviceSnapshot& d, EventKind kind, std::string detail, std::uint64_t count) {
  DeviceEvent& event = note(kind, std::move(detail), count);
  event.id = d.device->id;
  event.pci = d.device->pci;
  return event;
}

// What stood there at the first look. The key keeps it from being counted again where no marks are kept.
DeviceEvent& SnapshotWatch::note_standing(const DeviceSnapshot& d, EventKind kind, Mark mark, std::uint64_t value,
                                          std::string detail) {
  DeviceEvent& event = note(d, kind, std::move(detail));
  event.key = fmt::format("{} {} {}", d.device->id.text, kMarkNames[mark], value);
  return event;
}

std::vector<WatchMark> SnapshotWatch::take_changed_marks() {
  std::vector<WatchMark> result;
  for (const auto& [id, mark] : std::exchange(changed_, {})) {
    result.push_back({id, std::string(kMarkNames[mark]), *seen_[id].marks[mark]});
  }
  return result;
}

std::vector<WatchMark> SnapshotWatch::marks() const {
  std::vector<WatchMark> result;
  for (const auto& [id, seen] : seen_) {
    for (std::size_t mark = 0; mark < kMarks; ++mark) {
      if (seen.marks[mark]) result.push_back({id, std::string(kMarkNames[mark]), *seen.marks[mark]});
    }
  }
  return result;
}

}  // namespace gpukeeper
