#include "cli/faults.hpp"

#include <algorithm>
#include <set>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/faults_page.hpp"
#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "engine/playback.hpp"
#include "engine/state_dir.hpp"
#include "format/columns.hpp"
#include "storage/sqlite_fault_store.hpp"
#include "yaml/values.hpp"

namespace gpukeeper::cli {
namespace {

// Of a simulated machine that is asked without --for: its first minute.
constexpr auto kUsualLength = std::chrono::seconds(60);

using Form = FaultsOptions::Form;
using Faults = std::vector<std::shared_ptr<const FaultRecord>>;

// What was found, and what it was found in.
struct Findings {
  std::shared_ptr<const Snapshot> snapshot = std::make_shared<const Snapshot>();  // the latest
  std::shared_ptr<const FaultList> list = {};
  std::string journal = {};
  std::string journal_note = {};
};

bool is_played(const std::vector<std::string>& sources) {
  return std::ranges::any_of(sources, [](const std::string& source) {
    return source.starts_with("simulated:") || source.starts_with("replay:");
  });
}

bool is_made_up(const Snapshot& snapshot) {
  return std::ranges::any_of(snapshot.devices,
                             [](const DeviceSnapshot& d) { return d.device->simulated || d.device->recorded; });
}

// The journal of this machine's daemon; null, and the reason, when there is none to read.
std::shared_ptr<FaultStore> stored_journal(const FaultsOptions& options, const Context& context, Findings& findings) {
  std::string folder = options.state_dir;
  if (folder.empty()) {
    auto usual = StateDirectory::usual_path(context.environment, ::geteuid() == 0);
    if (!usual) {
      findings.journal_note = usual.error().message;
      return nullptr;
    }
    folder = *usual;
  }
  auto store = SqliteFaultStore::open_to_read(folder);
  if (store) {
    findings.journal = (*store)->place();
    return *store;
  }
  findings.journal_note = store.error().message;
  if (store.error().code == Errc::not_found) {
    findings.journal_note =
        fmt::format("no journal is kept in {}: what is here was found just now. `gpukeeper serve` keeps one", folder);
  } else if (store.error().code == Errc::not_permitted || store.error().code == Errc::unavailable) {
    findings.journal_note += "; run as the user that `gpukeeper serve` runs as, or as root";
  }
  return nullptr;
}

Result<Findings> look_now(const FaultsOptions& options, Context& context) {
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  Findings findings{.snapshot = (*feed)->next(), .list = {}};
  FaultJournal journal(is_made_up(*findings.snapshot) ? nullptr : stored_journal(options, context, findings));
  journal.note(*findings.snapshot);
  findings.list = journal.list();
  return findings;
}

// Plays a recording from begin to end, or simulated machines for a while, as fast as it goes.
Result<Findings> play_through(const FaultsOptions& options) {
  FaultJournal journal(nullptr);
  Findings findings;
  auto length = options.length;
  if (!length && !names_recording(options.sources)) length = kUsualLength;
  const auto played = play(options.sources, {.engine = {.attribute = true}, .speed = std::nullopt, .length = length},
                           [&](const Snapshot& snapshot) {
                             journal.note(snapshot);
                             findings.snapshot = std::make_shared<const Snapshot>(snapshot);
                             return true;
                           });
  if (!played) return tl::make_unexpected(played.error());
  findings.list = journal.list();
  return findings;
}

// Whether a selector means the device of that record, be it listed or not.
bool names(const std::string& selector, const FaultRecord& record) {
  if (selector == record.device.text) return true;
  const auto pci = PciAddress::parse(selector);
  return pci && record.pci == pci;
}

Result<std::set<DeviceId>> chosen_devices(const FaultList& list, const Snapshot& snapshot,
                                          const std::vector<std::string>& selectors) {
  std::set<DeviceId> result;
  for (const std::string& selector : selectors) {
    const auto before = result.size();
    for (const auto& record : list.records) {
      if (names(selector, *record)) result.insert(record->device);
    }
    const auto listed = select_devices(snapshot, {&selector, 1});
    if (!listed && result.size() == before) return tl::make_unexpected(listed.error());
    if (!listed) continue;
    for (const DeviceSnapshot& d : listed->devices) result.insert(d.device->parent.value_or(d.device->id));
  }
  return result;
}

}  // namespace

std::vector<std::string> fault_kind_names() {
  std::vector<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(EventKind::driver); ++kind) {
    names.emplace_back(to_string(static_cast<EventKind>(kind)));
  }
  return names;
}

Result<WallTime> parse_since(std::string_view text, WallTime now) {
  if (const auto date = parse_rfc3339(text)) return *date;
  if (const auto seconds = yaml::parse_duration(text)) {
    return now - std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(*seconds));
  }
  return fail(Errc::invalid_argument,
              fmt::format("--since takes a time ago such as 90s, 30m, 24h or 7d, or a date such as {}, not '{}'",
                          rfc3339(now), harmless(text)));
}

Result<Faults> choose_faults(const FaultList& list, const Snapshot& snapshot, const FaultsOptions& options) {
  const auto devices = chosen_devices(list, snapshot, options.devices);
  if (!devices) return tl::make_unexpected(devices.error());
  std::optional<WallTime> since;
  if (options.since) {
    const auto moment = parse_since(*options.since, snapshot.taken_at);
    if (!moment) return tl::make_unexpected(moment.error());
    since = *moment;
  }
  Faults result;
  for (const auto& r : list.records) {
    const bool left_out = (!options.devices.empty() && !devices->contains(r->device)) ||
                          (options.severity && r->severity < *options.severity) || (since && r->last < *since) ||
                          (!options.kinds.empty() && std::ranges::find(options.kinds, r->kind) == options.kinds.end());
    if (!left_out) result.push_back(r);
  }
  std::ranges::stable_sort(
      result, [](const auto& a, const auto& b) { return a->last != b->last ? a->last > b->last : a->id > b->id; });
  if (options.limit && result.size() > *options.limit) result.resize(*options.limit);
  return result;
}

Exit faults(const FaultsOptions& options, Context& context) {
  if (options.form == Form::schema) return print(context, faults_schema());
  const auto found = is_played(options.sources) ? play_through(options) : look_now(options, context);
  if (!found) return tl::make_unexpected(found.error());
  auto chosen = choose_faults(*found->list, *found->snapshot, options);
  if (!chosen) return tl::make_unexpected(chosen.error());
  const FaultsView view{std::move(*chosen), found->list->totals, found->journal, found->journal_note};
  if (options.form == Form::json) return print(context, faults_json(view, *found->snapshot, true) + "\n");
  return print(context, render_faults(view, *found->snapshot, options.all, render_options(context)));
}

}  // namespace gpukeeper::cli
