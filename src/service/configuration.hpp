#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/live_config.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/published.hpp"
#include "service/file_watch.hpp"
#include "service/http.hpp"
#include "service/work_queue.hpp"

namespace gpukeeper::service {

/// The configuration of a running service, and every way in which it changes: a request, a signal, its file.
///
/// Threads: the main thread's, but for answer() and change(), which belong to the server's: it may not wait for a disk,
/// so that a change is made by the main thread, which is woken for it.
class Configuration {
 public:
  /// Does what the settings now say; after every change that was taken.
  using Apply = std::function<void(const config::Settings&)>;

  Configuration(std::shared_ptr<config::LiveConfig> config, Apply apply, Log& log);

  /// GET /api/v1/config: every key, its value, and where that came from.
  Response answer() const;

  /// PATCH /api/v1/config: a JSON Merge Patch (RFC 7396) of keys; PUT: the same object is all that is to be set at run
  /// time, and what else was set is taken back. ?save=true for the file, too. Answers with what has changed; 400 with
  /// everything that is wrong. Who asks may change things: that was looked at before.
  Response change(const Request& request);

  /// Makes the answer to a change, on the server's thread: out of what has changed, as change() answers, or out of
  /// everything that is wrong.
  using Respond = std::function<Response(const Result<std::string>&)>;

  /// As change(), of a JSON object of keys that somebody else than the route of PATCH was given.
  Response set(std::string_view json, bool save, Respond respond) { return set(json, save, false, std::move(respond)); }

  /// Takes requests and changes of the file. Call it when a descriptor is readable, and when next_look() is over.
  void look(MonotonicTime now);

  /// When there is something to look at though no descriptor is readable; nothing: there is not.
  std::optional<MonotonicTime> next_look() const { return settled_at_; }

  /// Reads the file again, and has everything done anew that the settings say.
  void reload();

  int work_descriptor() const { return work_.descriptor(); }
  int file_descriptor() const { return watch_.descriptor(); }

 private:
  Response set(std::string_view json, bool save, bool alone, Respond respond);
  Result<std::string> perform(const std::vector<config::Assignment>& assignments, bool save, bool alone);
  void take(const config::LiveConfig::Changed& changed);
  void publish();
  void complain(const Error& error);

  const std::shared_ptr<config::LiveConfig> config_;
  const Apply apply_;
  Log& log_;
  WorkQueue work_;
  FileWatch watch_;
  std::optional<MonotonicTime> settled_at_;  // of a file that something happened to
  Published<std::string> report_;
};

}  // namespace gpukeeper::service
