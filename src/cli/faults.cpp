#include "cli/faults.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/daemon_feed.hpp"
#include "cli/faults_page.hpp"
#include "cli/past_of_daemon.hpp"
#include "cli/stretch.hpp"
#include "engine/playback.hpp"
#include "engine/state_dir.hpp"
#include "format/faults_reader.hpp"
#include "storage/sqlite_fault_store.hpp"

namespace gpukeeper::cli {
namespace {

// Of a simulated machine that is asked without --for: its first minute.
constexpr auto kUsualLength = std::chrono::seconds(60);

using Form = FaultsOptions::Form;

// What was found, and what it was found in.
struct Findings {
  std::shared_ptr<const Snapshot> snapshot = std::make_shared<const Snapshot>();  // the latest
  std::shared_ptr<const FaultList> list = {};
  std::string journal = {};
  std::string journal_note = {};
};

bool names_played(const std::vector<std::string>& sources) {
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

struct Told {
  std::unique_ptr<Feed> daemon;
  std::shared_ptr<const Snapshot> snapshot;
  FaultsView view;
};

// What a daemon that runs has found; nothing where none does.
Result<std::optional<Told>> told_by_daemon(const FaultsOptions& options, Context& context) {
  auto daemon =
      open_daemon_feed({.host = options.daemon, .environment = context.environment, .remark = context.remark});
  if (!daemon) return tl::make_unexpected(daemon.error());
  if (!*daemon) return std::optional<Told>();
  const FaultQuery& query = options.query;
  std::vector<std::string_view> kinds;
  for (const EventKind kind : query.kinds) kinds.push_back(to_string(kind));
  std::vector<std::pair<std::string_view, std::string>> parameters;
  parameters.emplace_back("device", fmt::format("{}", fmt::join(query.devices, ",")));
  parameters.emplace_back("kind", fmt::format("{}", fmt::join(kinds, ",")));
  if (query.severity) parameters.emplace_back("severity", to_string(*query.severity));
  parameters.emplace_back("since", query.since.value_or(""));
  if (query.limit) parameters.emplace_back("limit", std::to_string(*query.limit));
  const auto answer = ask_daemon(target_of("/api/v1/faults", parameters), options.daemon, context);
  if (!answer) return tl::make_unexpected(answer.error());
  if (!*answer) return std::optional<Told>();
  auto view = parse_faults(**answer);
  if (!view) return fail(Errc::internal, fmt::format("the gpukeeper daemon's answer {}", view.error().message));
  auto snapshot = (*daemon)->next();
  return std::optional(Told{std::move(*daemon), std::move(snapshot), std::move(*view)});
}

// Plays a recording from begin to end or to the moment that was named, or simulated machines for a while, as fast as it
// goes.
Result<Findings> play_through(const FaultsOptions& options, Context& context) {
  auto length = options.length;
  if (!length && !names_recording(options.sources)) length = kUsualLength;
  const auto session = watch_stretch({.sources = options.sources, .length = length, .attribute = true}, context);
  if (!session) return tl::make_unexpected(session.error());
  const Engine& engine = (*session)->engine();
  return Findings{.snapshot = engine.snapshot(), .list = engine.faults()};
}

// Tells of each fault once, and again each time that it happens again.
class Follower {
 public:
  Follower(const FaultsOptions& options, Context& context) : options_(options), context_(context) {}

  /// Whether there is a reader still.
  Result<bool> see(const Snapshot& snapshot) {
    if (!journal_) begin(snapshot);
    journal_->note(snapshot);
    FaultQuery query = options_.query;
    if (!first_) query.limit.reset();
    const auto list = journal_->list();
    auto chosen = choose_faults(*list, snapshot, query);
    if (!chosen) return tl::make_unexpected(chosen.error());
    std::erase_if(*chosen, [&](const auto& fault) { return told(*fault); });
    if (std::exchange(first_, false)) {
      for (const auto& fault : list->records) static_cast<void>(told(*fault));  // those beyond the limit are no news
    }
    return chosen->empty() && options_.form != Form::json ? true : tell(std::move(*chosen), *list, snapshot);
  }

 private:
  void begin(const Snapshot& snapshot) {
    Findings findings;
    journal_.emplace(is_made_up(snapshot) ? nullptr : stored_journal(options_, context_, findings));
    place_ = findings.journal;
    note_ = findings.journal_note;
    if (!note_.empty()) context_.remark(note_);
    for (const EventSourceStatus& source : snapshot.event_sources) {
      if (!source.message.empty()) context_.remark(fmt::format("{}: {}", source.name, source.message));
    }
  }

  // Whether it was told as it is now; from now on it was.
  bool told(const FaultRecord& fault) {
    auto& count = told_[fault.id];
    return std::exchange(count, fault.count) == fault.count;
  }

  Result<bool> tell(std::vector<std::shared_ptr<const FaultRecord>> faults, const FaultList& list,
                    const Snapshot& snapshot) {
    if (options_.form == Form::json) {
      if (faults.empty() && shown_) return true;
      shown_ = true;
      return context_.out.write(faults_json({std::move(faults), list.totals, place_, note_}, snapshot, false) + "\n");
    }
    std::string text;
    for (auto fault = faults.rbegin(); fault != faults.rend(); ++fault) {  // the newest last: that is where one looks
      text += render_fault(**fault, snapshot, render_options(context_));
    }
    return context_.out.write(text);
  }

  const FaultsOptions& options_;
  Context& context_;
  std::optional<FaultJournal> journal_;  // from the first snapshot on
  std::string place_;
  std::string note_;
  std::map<std::uint64_t, std::uint64_t> told_;  // of each record, how often it had happened
  bool first_ = true;
  bool shown_ = false;
};

Exit follow(FaultsOptions options, Context& context) {
  constexpr auto kPeriod = std::chrono::seconds(1);
  constexpr std::size_t kUsual = 10;
  if (!options.query.limit) options.query.limit = kUsual;
  const auto interrupts = context.interrupts();  // before any thread is made
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  Follower follower(options, context);
  auto due = context.clock.now();
  const auto end = options.length ? std::optional(due + *options.length) : std::nullopt;
  for (;;) {
    const auto reader = follower.see(*(*feed)->next());
    if (!reader) return tl::make_unexpected(reader.error());
    due = std::max(due + kPeriod, context.clock.now());
    if (!*reader || (*feed)->ended() || (end && due > *end) || !wait_until_due(*interrupts, due)) return 0;
  }
}

Exit show(const FaultsView& view, const Snapshot& snapshot, const FaultsOptions& options, const RenderOptions& render,
          Context& context) {
  if (options.form == Form::json) return print(context, faults_json(view, snapshot, true) + "\n");
  return print(context, render_faults(view, snapshot, options.all, render));
}

}  // namespace

Exit faults(const FaultsOptions& options, Context& context) {
  if (options.form == Form::schema) return print(context, faults_schema());
  if (options.follow) return follow(options, context);
  if (options.asks) {
    const auto told = told_by_daemon(options, context);
    if (!told) return tl::make_unexpected(told.error());
    if (*told) {
      const auto& [daemon, snapshot, view] = **told;
      return show(view, *snapshot, options, render_options(context, *daemon, *snapshot), context);
    }
  }
  const auto found = names_played(options.sources) ? play_through(options, context) : look_now(options, context);
  if (!found) return tl::make_unexpected(found.error());
  auto chosen = choose_faults(*found->list, *found->snapshot, options.query);
  if (!chosen) return tl::make_unexpected(chosen.error());
  const FaultsView view{std::move(*chosen), found->list->totals, found->journal, found->journal_note};
  return show(view, *found->snapshot, options, render_options(context), context);
}

}  // namespace gpukeeper::cli
