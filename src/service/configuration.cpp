#include "service/configuration.hpp"

#include <utility>

#include "config/json_patch.hpp"
#include "config/report.hpp"
#include "core/text.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {

using config::Change;
using config::Difference;
using config::LiveConfig;

namespace {

// An editor writes, renames and removes within some milliseconds: it is read once.
constexpr auto kSettle = std::chrono::milliseconds(100);

Response refused(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, "invalid_configuration", error.message);
    case Errc::not_supported:
    case Errc::already_exists: return problem(409, "cannot_be_saved", error.message);
    default: return problem(500, "not_saved", error.message);
  }
}

// Whether ?save=true stands there; nothing for any other query.
std::optional<bool> wants_saving(const Request& request) {
  if (request.query.empty()) return false;
  const auto& [name, value] = *request.query.begin();
  if (request.query.size() > 1 || name != "save" || (value != "true" && value != "false")) return std::nullopt;
  return value == "true";
}

}  // namespace

Configuration::Configuration(std::shared_ptr<LiveConfig> config, Apply apply, Log& log)
    : config_(std::move(config)), apply_(std::move(apply)), log_(log), watch_(config_->path()) {
  publish();
}

void Configuration::publish() {
  report_.publish(std::make_shared<const std::string>(config::report(config_->now(), config_->path())));
}

Response Configuration::answer() const {
  auto response = json_answer(200, "");
  response.body = report_.read();
  return response;
}

Response Configuration::change(const Request& request) {
  const auto save = wants_saving(request);
  if (!save) return problem(400, "unknown_parameter", "the one parameter known here is save: ?save=true");
  return set(request.body, *save, request.method == "PUT", [](const Result<std::string>& changed) {
    return changed ? json_answer(200, *changed) : refused(changed.error());
  });
}

// `alone`: nothing else is to be set at run time.
Response Configuration::set(std::string_view json, bool save, bool alone, Respond respond) {
  auto assignments = config::assignments_of_json(json);
  if (!assignments) return respond(tl::make_unexpected(assignments.error()));
  const auto later = std::make_shared<Later>();
  const bool taken =
      work_.post([this, assignments = std::move(*assignments), save, alone, later, respond = std::move(respond)] {
        later->give([respond, changed = perform(assignments, save, alone)] { return respond(changed); });
      });
  if (!taken) return problem(503, "busy", "too many changes wait: try again in a second");
  Response response;
  response.later = later;
  return response;
}

Result<std::string> Configuration::perform(const std::vector<config::Assignment>& assignments, bool save, bool alone) {
  const auto changed = alone ? config_->replace(assignments, save) : config_->set(assignments, save);
  if (!changed) return tl::make_unexpected(changed.error());
  take(*changed);
  if (save) log_.info("configuration: written to {}", config_->path());
  return config::report(changed->differences, save);
}

void Configuration::take(const LiveConfig::Changed& changed) {
  publish();
  apply_(config_->now().settings);  // first: what is said then stands in the log that is configured
  for (const Difference& each : changed.differences) {
    if (each.key->change == Change::restart) {
      log_.warning("configuration: {}", to_string(each));
    } else {
      log_.info("configuration: {}", to_string(each));
    }
  }
}

void Configuration::look(MonotonicTime now) {
  work_.run();
  if (watch_.take()) settled_at_ = now + kSettle;
  if (!settled_at_ || now < *settled_at_) return;
  settled_at_.reset();
  watch_ = FileWatch(config_->path());  // a link may lead elsewhere now
  if (config_->file_changed()) reload();
}

void Configuration::reload() {
  const auto changed = config_->reload();
  if (!changed) return complain(changed.error());
  take(*changed);
  log_.info("the configuration was read again, the log opened anew");
}

// A mistake a line.
void Configuration::complain(const Error& error) {
  const auto sentences = lines(error.message);
  log_.error("the configuration was not read again: {}", sentences.front());
  for (std::size_t i = 1; i < sentences.size(); ++i) log_.error("{}", trim(sentences[i]));
}

}  // namespace gpukeeper::service
