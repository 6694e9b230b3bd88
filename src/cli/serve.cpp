#include "cli/serve.hpp"

#include <csignal>
#include <cstdlib>
#include <ctime>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/version.hpp"
#include "core/log_target.hpp"
#include "service/config.hpp"
#include "service/service.hpp"
#include "yaml/tree.hpp"

namespace gpukeeper::cli {

using namespace std::chrono_literals;
using service::Config;
using service::Service;

namespace {

constexpr auto kFirstLookPause = 20ms;  // until the sources are open
constexpr auto kLookPause = 1s;
constexpr auto kStopPatience = 1900ms;  // of the two seconds that a stop may take
constexpr auto kStopLook = 10ms;

sigset_t our_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  return set;
}

// Blocked from here on, in every thread that is made later: no handler runs, no driver call is interrupted.
void block_signals() {
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// The signal that came within that time; 0 when none did.
int wait_for_signal(std::chrono::nanoseconds time) {
  const sigset_t set = our_signals();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const timespec timeout{static_cast<std::time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
  const int signal = ::sigtimedwait(&set, nullptr, &timeout);
  return signal > 0 ? signal : 0;
}

Result<Config> from_command_line(const ServeOptions& options) {
  Config config;
  config.source = options.sources;
  for (const std::string& text : options.listen) {
    auto address = service::parse_listen_address(text);
    if (!address) return tl::make_unexpected(address.error());
    config.listen.push_back(std::move(*address));
  }
  if (options.insecure_listen) config.insecure_listen = true;
  if (!options.state_dir.empty()) config.state_dir = options.state_dir;
  if (!options.rules.empty()) config.rules = options.rules;
  if (!options.log_file.empty()) config.log.file = options.log_file;
  if (!options.log_level.empty()) {
    const auto level = service::parse_log_level(options.log_level);
    if (!level) return tl::make_unexpected(level.error());
    config.log.level = *level;
  }
  if (!options.log_format.empty()) {
    const auto format = service::parse_log_format(options.log_format);
    if (!format) return tl::make_unexpected(format.error());
    config.log.format = *format;
  }
  return config;
}

Result<Config> from_file(const std::string& path) {
  if (path.empty()) return Config();
  const auto text = read_file(path, yaml::kMaxYamlBytes);
  if (!text) return tl::make_unexpected(text.error());
  return service::parse_config(*text, path);
}

// Command line, then file, then environment, then what is usual.
Result<Config> effective(const ServeOptions& options, const Context& context) {
  auto command_line = from_command_line(options);
  if (!command_line) return command_line;
  auto file = from_file(options.config);
  if (!file) return file;
  Config rest;
  rest.source = options.fallback_sources;
  if (const auto rules = context.environment("GPUKEEPER_RULES").value_or(""); !rules.empty()) rest.rules = rules;
  rest.listen = service::default_listen(context.environment, ::geteuid());
  Config config = service::merged(service::merged(std::move(*command_line), std::move(*file)), std::move(rest));
  const auto exposure = service::check_exposure(config.listen, config.insecure_listen.value_or(false));
  if (!exposure) return tl::make_unexpected(exposure.error());
  return config;
}

Result<std::shared_ptr<LogTarget>> open_target(const Config& config, const Context& context) {
  const std::string journal = context.environment("JOURNAL_STREAM").value_or("");
  return open_log_target(service::log_target_options(config, is_journal_stream(journal, STDERR_FILENO)));
}

// What runs between the first look and the end.
class Server {
 public:
  Server(const ServeOptions& options, Context& context, Config config, std::shared_ptr<LogTarget> target)
      : options_(options),
        context_(context),
        config_(std::move(config)),
        log_(*clock_, std::move(target), config_.log.level.value_or(LogLevel::info)) {}

  Exit run() {
    auto started = Service::start(
        {.config = config_,
         .version = std::string(program_version()),
         .machine_root = options_.machine_root,
         .usual_state_dir = StateDirectory::usual_path(context_.environment, ::geteuid() == 0).value_or(""),
         .speed = options_.speed,
         .at = options_.at,
         .notify_socket = context_.environment("NOTIFY_SOCKET")},
        clock_, log_);
    if (!started) return tl::make_unexpected(started.error());
    Service& service = **started;
    log_.info("gpukeeper {} serves", program_version());
    Result<void> well = service.look();
    while (well) {
      const int signal = wait_for_signal(service.ready() ? kLookPause : kFirstLookPause);
      if (signal == SIGTERM || signal == SIGINT) break;
      if (signal == SIGHUP) reload();
      well = service.look();
    }
    if (!well) log_.error("{}", well.error().message);
    const bool ended = stop(service);
    if (!ended) {
      // A driver hangs, and a thread of ours in it: neither can be waited for.
      static_cast<void>(started->release());
      log_.warning("stopped while a driver did not answer");
    }
    log_.info("stopped");
    if (!well) return tl::make_unexpected(well.error());
    return 0;
  }

 private:
  // Whether all has ended in time.
  bool stop(Service& service) {
    log_.info("stopping");
    service.begin_stop();
    const auto until = clock_->now() + kStopPatience;
    while (!service.ended()) {
      if (clock_->now() >= until) return false;
      const int signal = wait_for_signal(kStopLook);
      if (signal == SIGTERM || signal == SIGINT) std::_Exit(128 + signal);  // asked twice: at once, as a shell says it
    }
    return true;
  }

  void reload() {
    const auto next = effective(options_, context_);
    if (!next) return log_.error("the configuration was not read again: {}", next.error().message);
    auto target = open_target(*next, context_);
    if (!target) return log_.error("the log stays where it was: {}", target.error().message);
    log_.set_target(std::move(*target));
    log_.set_level(next->log.level.value_or(LogLevel::info));
    for (const std::string_view key : service::changes_for_restart(config_, *next)) {
      log_.warning("'{}' has changed: that takes effect with a restart", key);
    }
    log_.info("the configuration was read again, the log opened anew");
  }

  const ServeOptions& options_;
  Context& context_;
  const Config config_;
  const std::shared_ptr<SystemClock> clock_ = std::make_shared<SystemClock>();
  Log log_;
};

// systemd makes it for a unit (RuntimeDirectory=); by hand nobody has.
void make_run_folder(const Config& config) {
  const auto* const standard = "/run/gpukeeper";
  for (const auto& address : config.listen) {
    if (address.path == std::string(standard) + "/gpukeeper.sock") ::mkdir(standard, 0755);
  }
}

}  // namespace

Exit serve(const ServeOptions& options, Context& context) {
  auto config = effective(options, context);
  if (!config) return tl::make_unexpected(config.error());
  if (options.check_config) {
    if (const auto rules = service::load_rules(*config); !rules) return tl::make_unexpected(rules.error());
    return print(context,
                 options.config.empty() ? "the command line is well\n" : fmt::format("{} is well\n", options.config));
  }
  block_signals();
  auto target = open_target(*config, context);
  if (!target) return tl::make_unexpected(target.error());
  make_run_folder(*config);
  return Server(options, context, std::move(*config), std::move(*target)).run();
}

}  // namespace gpukeeper::cli
