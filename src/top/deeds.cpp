#include "top/deeds.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "core/text.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"
#include "top/process_lines.hpp"
#include "top/words.hpp"

namespace gpukeeper::top {
namespace {

Dialog cannot(std::string title, std::string why) {
  return {.title = std::move(title), .text = {std::move(why)}};
}

// Why the daemon cannot be asked for it; empty when it can.
std::string no_daemon(const Model& model, May needed) {
  const News& news = model.news();
  if (!model.has_snapshot()) return "Nothing is known of the GPUs yet.";
  if (news.way == Way::replay) return "This is a recording: nothing of it can be changed.";
  if (news.way == Way::direct) {
    return "This view looks at the GPUs itself, and no daemon is asked. Start 'gpukeeper serve', then 'gpukeeper top' "
           "without "
           "--source.";
  }
  if (news.may == May::look) {
    return "The daemon lets this user only look. An operator or an admin may do that (docs/security.md).";
  }
  if (needed == May::all && news.may != May::all) return "That takes an admin (docs/security.md).";
  return {};
}

const LeaseLine* chosen_lease(const Model& model, const Ui& ui) {
  const auto& book = model.news().leases;
  const std::size_t row = ui.row[static_cast<std::size_t>(Pane::leases)];
  return book && row < book->leases.size() ? &book->leases[row] : nullptr;
}

const Alert* chosen_alert(const Model& model, const Ui& ui) {
  const auto alerts = model.alerts();
  const std::size_t row = ui.row[static_cast<std::size_t>(Pane::alerts)];
  return row < alerts.size() ? alerts[row] : nullptr;
}

const ProcessRow* chosen_process(const Model& model, const Ui& ui) {
  const auto found = std::ranges::find_if(model.processes(), [&](const ProcessRow& row) {
    return ui.process && row.process->pid == ui.process->second && row.device->device->id.text == ui.process->first;
  });
  return found == model.processes().end() ? nullptr : &*found;
}

template <class Value>
std::optional<Value> given(const Metric<Value>& metric) {
  return metric ? std::optional(*metric) : std::nullopt;
}

Deed asking(std::string method, std::string target, std::string body, std::string done) {
  return {.method = std::move(method), .target = std::move(target), .body = std::move(body), .done = std::move(done)};
}

std::string lease_words(const LeaseLine& lease) {
  return fmt::format("lease {} of {}: {} on GPU {}", lease.id, lease.service, size_text(lease.least.value()),
                     lease.gpu.empty() ? std::string(kAbsent) : lease.gpu);
}

}  // namespace

Dialog signal_dialog(const Model& model, const Ui& ui) {
  const std::string title = "signal a process";
  const ProcessRow* row = chosen_process(model, ui);
  if (row == nullptr) return cannot(title, "No process is chosen.");
  const Device& device = *row->device->device;
  if (const auto origin = origin_word(device); !origin.empty()) {
    return cannot(title, fmt::format("Process {} is {}: it is none of this machine.", row->process->pid, origin));
  }
  if (!model.news().here) {
    return cannot(title,
                  fmt::format("Process {} runs on {}. Signal it there.", row->process->pid, model.news().origin));
  }
  if (row->facts == nullptr || (!row->facts->start_ticks && !row->facts->started)) {
    return cannot(title,
                  fmt::format("Since when process {} runs is not known, so it could not be told from a later one with "
                              "its number.",
                              row->process->pid));
  }
  Dialog dialog{.title = title,
                .text = {fmt::format("Process {} of {}: {}", row->process->pid, user_of(*row), command_of(*row))}};
  constexpr std::tuple<int, std::string_view, std::string_view> kSignals[] = {
      {SIGTERM, "TERM", "asks it to end"},  {SIGINT, "INT", "as Ctrl-C does"},
      {SIGKILL, "KILL", "ends it at once"}, {SIGHUP, "HUP", "mostly: reads its settings again"},
      {SIGSTOP, "STOP", "stands still"},    {SIGCONT, "CONT", "goes on after STOP"}};
  for (const auto& [number, name, help] : kSignals) {
    dialog.choices.push_back({fmt::format("{:<5} {}", name, help),
                              {.kind = Deed::Kind::signal,
                               .pid = row->process->pid,
                               .signal = number,
                               .start_ticks = given(row->facts->start_ticks),
                               .started = given(row->facts->started),
                               .done = fmt::format("{} was sent to process {}", name, row->process->pid)}});
  }
  return dialog;
}

Dialog release_dialog(const Model& model, const Ui& ui) {
  const std::string title = "give a lease back";
  if (const auto why = no_daemon(model, May::operate); !why.empty()) return cannot(title, why);
  const LeaseLine* lease = chosen_lease(model, ui);
  if (lease == nullptr) return cannot(title, "No lease is chosen.");
  return {
      .title = title,
      .text = {lease_words(*lease), "Its memory can be booked by others as soon as the driver shows that it is free."},
      .choices = {{"give it back", asking("DELETE", "/api/v1/leases/" + lease->id, "",
                                          fmt::format("lease {} is given back", lease->id))}},
      .confirming = true};
}

Dialog revoke_dialog(const Model& model, const Ui& ui) {
  const std::string title = "take a lease away";
  if (const auto why = no_daemon(model, May::all); !why.empty()) return cannot(title, why);
  const LeaseLine* lease = chosen_lease(model, ui);
  if (lease == nullptr) return cannot(title, "No lease is chosen.");
  return {.title = title,
          .text = {lease_words(*lease),
                   "Its holder is not asked. Processes that use its memory are not ended, and count as foreign."},
          .choices = {{"take it away", asking("POST", "/api/v1/leases/" + lease->id + "/revoke", "",
                                              fmt::format("lease {} is taken away", lease->id))}},
          .confirming = true};
}

Dialog care_dialog(const Model& model, const Ui& ui) {
  const std::string title = "take care of an alert";
  if (const auto why = no_daemon(model, May::operate); !why.empty()) return cannot(title, why);
  const Alert* alert = chosen_alert(model, ui);
  if (alert == nullptr) return cannot(title, "No alert is chosen.");
  const std::string target = "/api/v1/alerts/" + alert->id + "/ack";
  if (!alert->acknowledged_by.empty()) {
    return {.title = title,
            .text = {alert->message, fmt::format("{} takes care of it.", alert->acknowledged_by)},
            .choices = {{"nobody does any more", asking("DELETE", target, "", "nobody takes care of it any more")}},
            .confirming = true};
  }
  return {.title = title,
          .text = {alert->message},
          .choices = {{"as long as it lasts", asking("POST", target, "{}", "you take care of it")},
                      {"for 2 hours", asking("POST", target, R"({"for": "2h"})", "you take care of it for 2 hours")},
                      {"for a day", asking("POST", target, R"({"for": "1d"})", "you take care of it for a day")}}};
}

Dialog silence_dialog(const Model& model, const Ui& ui) {
  const std::string title = "silence an alert";
  if (const auto why = no_daemon(model, May::operate); !why.empty()) return cannot(title, why);
  const Alert* alert = chosen_alert(model, ui);
  if (alert == nullptr) return cannot(title, "No alert is chosen.");
  Dialog dialog{.title = title,
                .text = {alert->message,
                         fmt::format("All alerts of the rule '{}'{} keep quiet so long.", alert->rule,
                                     alert->device_index ? fmt::format(" of GPU {}", *alert->device_index) : "")}};
  for (const auto& [words, time] : {std::pair("for an hour", "1h"), std::pair("for 8 hours", "8h"),
                                    std::pair("for a day", "1d"), std::pair("for 30 days", "30d")}) {
    Json body{{"rule", alert->rule}, {"for", time}};
    if (alert->device) body["device"] = alert->device->text;
    dialog.choices.push_back(
        {words, asking("POST", "/api/v1/silences", dump(body, false), fmt::format("silenced {}", words))});
  }
  return dialog;
}

Dialog optimize_dialog(const Model& model, const Ui& ui) {
  const std::string title = "ask for memory back (optimize)";
  if (const auto why = no_daemon(model, May::all); !why.empty()) return cannot(title, why);
  if (ui.gpu >= model.gpus().size()) return cannot(title, "There is no GPU.");
  const DeviceSnapshot& device = *model.gpus()[ui.gpu].device;
  const Json body{{"device", device.device->id.text}};
  return {.title = title,
          .text = {fmt::format(
              "Holders of leases on GPU {} that can give memory back are asked for what they do not need, in the order "
              "of their priority. What comes back is measured.",
              index_word(device))},
          .choices = {{"ask them", asking("POST", "/api/v1/reclaim", dump(body, false), "memory was asked back")}},
          .confirming = true};
}

Dialog threshold_dialog(const Model& model, const Ui& ui) {
  const std::string title = "change a threshold";
  if (const auto why = no_daemon(model, May::all); !why.empty()) return cannot(title, why);
  if (ui.gpu >= model.gpus().size()) return cannot(title, "There is no GPU.");
  const double now = model.gpus()[ui.gpu].device->throttling.thresholds.temp_throttle.value();
  return {.title = title,
          .text = {fmt::format("From how many °C on shall work slow down (temp_throttle)? It is {:.0f} now, and holds "
                               "for all GPUs that have "
                               "none of their own, until gpukeeper starts again.",
                               now)},
          .choices = {{"set it to {} °C",
                       asking("PATCH", "/api/v1/config", R"({"temp_throttle": {}})", "temp_throttle is {} °C now")}},
          .input = "",
          .least = 30,
          .most = 120};
}

Dialog confirm(const Dialog& before, const Choice& choice) {
  Dialog dialog{.title = before.title, .text = before.text, .choices = {choice}, .confirming = true};
  return dialog;
}

std::optional<Deed> typed_deed(const Dialog& dialog) {
  if (!dialog.input || dialog.choices.empty()) return std::nullopt;
  const auto number = parse_double(*dialog.input);
  if (!number || *number < dialog.least || *number > dialog.most) return std::nullopt;
  Deed deed = dialog.choices.front().deed;
  const std::string text = fmt::format("{:g}", *number);
  for (std::string* each : {&deed.body, &deed.done}) {
    if (const auto at = each->find("{}"); at != std::string::npos) each->replace(at, 2, text);
  }
  return deed;
}

}  // namespace gpukeeper::top
