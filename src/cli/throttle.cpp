#include "cli/throttle.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/notes.hpp"
#include "cli/stretch.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "format/columns.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

using Action = ThrottleOptions::Action;
using Form = ThrottleOptions::Form;
using Report = Result<ThrottleReport>;

constexpr auto kLook = std::chrono::seconds(1);  // from look to look of --wait
constexpr auto kUsualLength = std::chrono::seconds(60);
constexpr std::string_view kTarget = "/api/v1/throttle";
constexpr std::string_view kOneLook =
    "No daemon runs here: this is what one look shows. Pauses and cooldowns of before are known to 'gpukeeper serve'.";

// For a query; what a selector may hold beside letters and digits, ":" and "." of a PCI address, needs it too.
std::string encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

/// Where reports come from.
class Reports {
 public:
  virtual ~Reports() = default;
  virtual Report next() = 0;
  virtual bool ended() { return false; }
  virtual std::string_view note() const { return {}; }
};

class OwnReports final : public Reports {
 public:
  OwnReports(std::unique_ptr<Feed> feed, const ThrottleOptions& options) : feed_(std::move(feed)), options_(options) {}

  Report next() override {
    const auto snapshot = feed_->next();
    live_ = std::ranges::none_of(snapshot->devices,
                                 [](const DeviceSnapshot& d) { return d.device->simulated || d.device->recorded; });
    const auto chosen = select_devices(*snapshot, options_.devices);
    if (!chosen) return tl::make_unexpected(chosen.error());
    return throttle_report(*chosen);
  }
  bool ended() override { return feed_->ended(); }
  std::string_view note() const override { return live_ && !options_.wait ? kOneLook : std::string_view(); }

 private:
  const std::unique_ptr<Feed> feed_;
  const ThrottleOptions& options_;
  bool live_ = false;
};

// A simulated machine has a begin: what is so at its first moment tells little, so a while of it is played.
class PlayedReports final : public Reports {
 public:
  PlayedReports(const ThrottleOptions& options, Context& context) : options_(options), context_(context) {}

  Report next() override {
    const auto session = watch_stretch(
        {.sources = options_.sources, .length = options_.length.value_or(kUsualLength), .attribute = true}, context_);
    if (!session) return tl::make_unexpected(session.error());
    const auto chosen = select_devices(*(*session)->engine().snapshot(), options_.devices);
    if (!chosen) return tl::make_unexpected(chosen.error());
    return throttle_report(*chosen);
  }

 private:
  const ThrottleOptions& options_;
  Context& context_;
};

class DaemonReports final : public Reports {
 public:
  DaemonReports(AskDaemon ask, const ThrottleOptions& options) : ask_(std::move(ask)), options_(options) {}

  Report next() override {
    const auto answer = ask_("GET", kTarget, "");
    if (!answer) return tl::make_unexpected(answer.error());
    auto report = parse_throttle_report(*answer);
    if (!report || options_.devices.empty()) return report;
    return chosen(std::move(*report));
  }

 private:
  // The daemon knows how selectors are meant, and takes one at a time.
  Report chosen(ThrottleReport all) {
    std::vector<std::string> uuids;
    for (const std::string& selector : options_.devices) {
      const auto answer = ask_("GET", fmt::format("{}?device={}", kTarget, encoded(selector)), "");
      if (!answer) return tl::make_unexpected(answer.error());
      const auto one = parse_throttle_report(*answer);
      if (!one) return one;
      for (const auto& device : one->devices) uuids.push_back(device.uuid);
    }
    const auto is_other = [&](const auto& each) { return std::ranges::find(uuids, each.uuid) == uuids.end(); };
    std::erase_if(all.devices, is_other);
    std::erase_if(all.changes, is_other);
    all.speed = 1;
    for (const auto& device : all.devices) all.speed = std::min(all.speed, device.speed);
    return all;
  }

  const AskDaemon ask_;
  const ThrottleOptions& options_;
};

Result<std::unique_ptr<Reports>> open_reports(const ThrottleOptions& options, const FindDaemon& find_daemon,
                                              Context& context) {
  if (!options.here) {
    auto daemon = find_daemon();
    if (daemon) return std::unique_ptr<Reports>(std::make_unique<DaemonReports>(std::move(*daemon), options));
    if (options.daemon_named) return tl::make_unexpected(daemon.error());
  }
  const auto is_simulated = [](const std::string& source) { return source.starts_with("simulated:"); };
  if (!options.wait && !options.sources.empty() && std::ranges::all_of(options.sources, is_simulated)) {
    return std::unique_ptr<Reports>(std::make_unique<PlayedReports>(options, context));
  }
  auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  return std::unique_ptr<Reports>(std::make_unique<OwnReports>(std::move(*feed), options));
}

std::string_view speed_words(double speed) {
  if (speed <= 0) return "pause";
  if (speed <= 0.5) return "half speed";
  return speed < 1 ? "80 % speed" : "full speed";
}

Ink speed_ink(double speed) {
  if (speed <= 0) return Ink::bad;
  if (speed <= 0.5) return Ink::warn;
  return Ink::good;
}

std::string_view origin(const ThrottleReport::Device& device) {
  return device.simulated ? "simulated" : device.recorded ? "recorded" : "";
}

// What all of them together should do.
std::string verdict(const ThrottleReport& report) {
  if (report.devices.empty()) return "No GPU was found: nothing holds work back.";
  std::vector<std::string> slowest;
  for (const auto& device : report.devices) {
    if (device.speed == report.speed) slowest.push_back(device.index);
  }
  const std::string who = report.devices.size() == 1 || slowest.size() == report.devices.size()
                              ? ""
                              : fmt::format(" because of GPU {}", fmt::join(slowest, ", "));
  std::string words(advice_words(report.speed));
  words.front() = 'W';
  return words + who + ".";
}

std::string request_words(const ThrottleReport::Request& request, WallTime now) {
  std::string text = fmt::format("{}: {}", request.cause, request.reason);
  if (request.until) {
    const auto left = std::max<WallTime::duration>(*request.until - now, {});
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(left);
    text += seconds < std::chrono::minutes(2) ? fmt::format("; for {} s more", seconds.count())
                                              : fmt::format("; for {} more", age_text(left));
  }
  return text;
}

// "power limit: 350 W, was 700 W", "freeze /sys/fs/cgroup/jobs: frozen, was running"; or why nothing is held.
std::string change_words(const ThrottleReport::Change& change) {
  std::string text = change.kind;
  std::ranges::replace(text, '_', ' ');
  if (change.kind == "freeze") text += ' ' + change.place;
  if (!change.set.empty()) {
    text += ": " + change.set;
    if (!change.effective.empty() && change.effective != change.set)
      text += fmt::format(" (now: {})", change.effective);
    text += ", was " + change.found;
  }
  if (!change.problem.empty()) text += ": " + change.problem;
  return text;
}

// Of --wait: what it waits for, without the numbers that change with every look.
std::vector<std::pair<std::string, double>> outline(const ThrottleReport& report) {
  std::vector<std::pair<std::string, double>> result;
  for (const auto& device : report.devices) {
    const std::string cause = device.requests.empty() ? "" : device.requests.front().cause;
    result.emplace_back(device.uuid + ' ' + cause, device.speed);
  }
  return result;
}

class Throttle {
 public:
  Throttle(const ThrottleOptions& options, Context& context) : options_(options), context_(context) {}

  Exit show(Reports& reports) {
    const auto report = reports.next();
    if (!report) return tl::make_unexpected(report.error());
    return end(*report, reports);
  }

  Exit wait(Reports& reports, Interrupts& interrupts) {
    decltype(outline({})) said;
    for (MonotonicTime due = context_.clock.now();;) {
      const auto report = reports.next();
      if (!report) return tl::make_unexpected(report.error());
      if (!report->should_throttle() || reports.ended()) return end(*report, reports);
      if (options_.form == Form::page && std::exchange(said, outline(*report)) != said) {
        const auto page = print(context_, render_throttle(*report, {}, render_options(context_)) + "\n");
        if (!page) return page;
      }
      due = std::max(due + kLook, context_.clock.now());
      if (!awaits(interrupts, due)) return kShouldThrottle;
    }
  }

 private:
  // False when the person at the terminal has had enough.
  static bool awaits(Interrupts& interrupts, MonotonicTime due) {
    for (;;) {
      switch (interrupts.wait_until(due)) {
        case Interrupts::Event::due: return true;
        case Interrupts::Event::stop: return false;
        case Interrupts::Event::suspend: interrupts.suspend(); break;
        case Interrupts::Event::resized: break;
      }
    }
  }

  Exit end(const ThrottleReport& report, const Reports& reports) {
    const int status = report.should_throttle() ? kShouldThrottle : 0;
    if (options_.form == Form::json) return print(context_, throttle_report_json(report, true) + "\n", status);
    return print(context_, render_throttle(report, reports.note(), render_options(context_)), status);
  }

  const ThrottleOptions& options_;
  Context& context_;
};

Exit set(const ThrottleOptions& options, const AskDaemon& ask, Context& context) {
  Json wish = {{"speed_multiplier", options.speed_multiplier}};
  if (options.length) wish["seconds"] = std::chrono::duration<double>(*options.length).count();
  if (!options.devices.empty()) wish["devices"] = options.devices;
  const auto answer = ask("PUT", kTarget, dump(wish, false));
  if (!answer) return tl::make_unexpected(answer.error());
  const std::string whom =
      options.devices.empty() ? "every GPU" : fmt::format("GPU {}", fmt::join(options.devices, ", "));
  const std::string length =
      options.length ? fmt::format(" for {}", age_text(*options.length)) : " until 'gpukeeper throttle clear'";
  return print(context, fmt::format("{} on {}{}.\n",
                                    options.speed_multiplier <= 0     ? "Work should pause"
                                    : options.speed_multiplier <= 0.5 ? "Half speed"
                                                                      : "80 % speed",
                                    harmless(whom), length));
}

Exit clear(const ThrottleOptions& options, const AskDaemon& ask, Context& context) {
  if (options.devices.empty()) {
    const auto answer = ask("DELETE", kTarget, "");
    if (!answer) return tl::make_unexpected(answer.error());
    return print(context, "Nobody asks for less any more.\n");
  }
  for (const std::string& device : options.devices) {
    const auto answer = ask("DELETE", fmt::format("{}?device={}", kTarget, encoded(device)), "");
    if (!answer) return tl::make_unexpected(answer.error());
  }
  return print(context, fmt::format("Nobody asks for less on GPU {} alone any more.\n",
                                    harmless(fmt::format("{}", fmt::join(options.devices, ", ")))));
}

}  // namespace

std::string render_throttle(const ThrottleReport& report, std::string_view note, const RenderOptions& options) {
  std::string text;
  const std::string host = report.host.empty() ? "" : (options.utf8 ? " · " : " - ") + harmless(report.host);
  text +=
      paint({{"gpukeeper", Ink::strong}, {host}, {"  "}, {local_time(report.taken_at, options.utc_offset), Ink::faint}},
            options) +
      "\n";
  text += paint({{verdict(report), speed_ink(report.speed)}}, options) + "\n";
  Table table({{.header = "GPU"},
               {.header = "NAME", .shrinks_to = 14},
               {.header = "ORIGIN", .only_if_filled = true},
               {.header = "STATE"},
               {.header = "SPEED"}});
  for (const auto& device : report.devices) {
    table.add_row({Cell(harmless(device.index)), Cell(harmless(device.name, options.utf8)),
                   Cell(std::string(origin(device)), Ink::warn), Cell(harmless(device.state)),
                   Cell(std::string(speed_words(device.speed)), speed_ink(device.speed))});
    const auto say = [&](const std::string& line, Ink ink) {
      const std::size_t room = options.width > 15 ? options.width - 5 : 10;
      for (std::string& part : wrap(harmless(spelled(line, options.utf8), options.utf8), room)) {
        table.add_line({{"     "}, {std::move(part), ink}});
      }
    };
    if (!device.reason.empty()) say(device.reason, Ink::faint);
    for (const auto& request : device.requests) say(request_words(request, report.taken_at), Ink::plain);
    for (const auto& change : report.changes) {
      if (change.uuid == device.uuid) say(change_words(change), change.problem.empty() ? Ink::plain : Ink::warn);
    }
  }
  if (!report.devices.empty()) {
    text += '\n';
    for (const std::string& line : table.render(options)) text += line + '\n';
  }
  for (const auto& change : report.changes) {
    if (std::ranges::find(report.devices, change.uuid, &ThrottleReport::Device::uuid) != report.devices.end()) continue;
    const std::string line = fmt::format("{}, which is not there: {}", change.uuid, change_words(change));
    for (const std::string& part : wrapped({}, {harmless(spelled(line, options.utf8)), Ink::warn}, options)) {
      text += part + '\n';
    }
  }
  if (!note.empty()) {
    text += '\n';
    for (const std::string& line : wrapped({}, {std::string(note), Ink::faint}, options)) text += line + '\n';
  }
  return text;
}

Exit throttle(const ThrottleOptions& options, const FindDaemon& find_daemon, Context& context) {
  if (options.form == Form::schema) return print(context, throttle_report_schema());
  if (options.action != Action::show) {
    const auto daemon = find_daemon();
    if (!daemon) return tl::make_unexpected(daemon.error());
    return options.action == Action::set ? set(options, *daemon, context) : clear(options, *daemon, context);
  }
  const auto interrupts = options.wait ? context.interrupts() : nullptr;
  const auto reports = open_reports(options, find_daemon, context);
  if (!reports) return tl::make_unexpected(reports.error());
  Throttle command(options, context);
  return options.wait ? command.wait(**reports, *interrupts) : command.show(**reports);
}

}  // namespace gpukeeper::cli
