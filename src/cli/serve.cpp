#include "cli/serve.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <span>
#include <vector>

#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "auth/token_file.hpp"
#include "backend/detect.hpp"
#include "cli/outlets.hpp"
#include "cli/version.hpp"
#include "config/documented_environment.hpp"
#include "config/session_options.hpp"
#include "core/display_text.hpp"
#include "core/log_target.hpp"
#include "service/hands.hpp"
#include "service/options.hpp"
#include "service/service.hpp"

namespace gpukeeper::cli {

using namespace std::chrono_literals;
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

// A listener to events each has a descriptor, and the usual 1,024 are meant for programs that use select(2).
void allow_many_descriptors() {
  constexpr rlim_t kEnough = 65'536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
  ::setrlimit(RLIMIT_NOFILE, &limit);  // what cannot be had is not needed by most
}

// Waits for a signal or for one of the descriptors to be readable, no longer than that. The signal that came; 0 when
// none did.
class Waiter {
 public:
  Waiter() : signals_(make()) {}

  int wait(std::chrono::nanoseconds time, std::span<const int> descriptors = {}) const {
    std::vector<pollfd> all = {{signals_.get(), POLLIN, 0}};
    for (const int descriptor : descriptors) all.push_back({descriptor, POLLIN, 0});  // poll(2) passes over -1
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const timespec timeout{static_cast<std::time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
    if (::ppoll(all.data(), all.size(), &timeout, nullptr) <= 0 || (all.front().revents & POLLIN) == 0) return 0;
    signalfd_siginfo came{};
    return ::read(signals_.get(), &came, sizeof came) == sizeof came ? static_cast<int>(came.ssi_signo) : 0;
  }

 private:
  static service::Descriptor make() {
    const sigset_t set = our_signals();
    return service::Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  const service::Descriptor signals_;
};

// Nothing chosen is the usual places, unless somebody opened others for us.
config::Settings completed(config::Settings settings, const Context& context, bool passed = false) {
  if (settings.listen.empty() && !passed) settings.listen = service::default_listen(context.environment, ::geteuid());
  return settings;
}

std::string usual_state_dir(const Context& context) {
  return StateDirectory::usual_path(context.environment, ::geteuid() == 0).value_or("");
}

std::optional<std::chrono::nanoseconds> period(const config::Effective& config) {
  if (config.origin("sample_interval").layer == config::Layer::standard) return std::nullopt;
  return config.settings.engine.sample_interval;
}

bool writes_to_journal(const Context& context) {
  return is_journal_stream(context.environment("JOURNAL_STREAM").value_or(""), STDERR_FILENO);
}

Result<std::shared_ptr<LogTarget>> open_target(const config::LogSettings& settings, const Context& context) {
  return open_log_target(service::log_target_options(settings, writes_to_journal(context)));
}

// What runs between the first look and the end.
class Server {
 public:
  Server(const ServeOptions& options, Context& context, std::shared_ptr<LogTarget> target)
      : options_(options),
        context_(context),
        config_(*options.config),
        log_(std::make_unique<Log>(*clock_, std::move(target), config_.now().settings.log.level)) {}

  Exit run() {
    auto passed = service::passed_sockets(context_.environment, ::getpid());
    if (!passed) return tl::make_unexpected(passed.error());
    auto started = Service::start({.settings = completed(config_.now().settings, context_, !passed->own.empty()),
                                   .config = options_.config,
                                   .journal = writes_to_journal(context_),
                                   .period = period(config_.now()),
                                   .version = std::string(program_version()),
                                   .machine_root = options_.machine_root,
                                   .usual_state_dir = usual_state_dir(context_),
                                   .speed = options_.speed,
                                   .at = options_.at,
                                   .notify_socket = context_.environment("NOTIFY_SOCKET"),
                                   .passed = std::move(*passed),
                                   .outlets = outlets_of(config_.now().settings, *log_)},
                                  clock_, *log_);
    if (!started) return tl::make_unexpected(started.error());
    Service& service = **started;
    log_->info("gpukeeper {} serves", program_version());
    for (const std::string& sentence : config::unheeded_variables(context_.environment)) log_->warning("{}", sentence);
    if (options_.sign_in_link) say_link(service);
    Result<void> well = service.look();
    while (well) {
      const int signal = waiter_.wait(pause(service), service.descriptors());
      if (signal == SIGTERM || signal == SIGINT) break;
      if (signal == SIGHUP) service.reload();
      well = service.look();
    }
    if (!well) log_->error("{}", well.error().message);
    const bool ended = stop(service);
    if (!ended) {
      // A driver hangs, and a thread of ours in it: neither can be waited for, and what that thread uses stays.
      for (const std::string& sentence : service.hanging()) log_->warning("{}", sentence);
      static_cast<void>(started->release());
    }
    log_->info("stopped");
    if (!ended) static_cast<void>(log_.release());
    if (!well) return tl::make_unexpected(well.error());
    return 0;
  }

 private:
  void say_link(Service& service) {
    const auto link = service.sign_in_link();
    if (!link) return log_->error("no sign-in link: {}", link.error().message);
    static_cast<void>(print(context_, fmt::format("sign in, once, within 10 minutes: {}\n", *link)));
  }

  // Whether all has ended in time.
  bool stop(Service& service) {
    log_->info("stopping");
    service.begin_stop();
    const auto until = clock_->now() + kStopPatience;
    while (!service.ended()) {
      if (clock_->now() >= until) return false;
      const int signal = waiter_.wait(kStopLook);
      if (signal == SIGTERM || signal == SIGINT) std::_Exit(128 + signal);  // asked twice: at once, as a shell says it
    }
    return true;
  }

  std::chrono::nanoseconds pause(const Service& service) const {
    std::chrono::nanoseconds time = service.ready() ? kLookPause : kFirstLookPause;
    if (const auto next = service.next_look())
      time = std::clamp<std::chrono::nanoseconds>(*next - clock_->now(), 0ns, time);
    return time;
  }

  const ServeOptions& options_;
  Context& context_;
  config::LiveConfig& config_;
  const Waiter waiter_;
  const std::shared_ptr<SystemClock> clock_ = std::make_shared<SystemClock>();
  std::unique_ptr<Log> log_;
};

// systemd makes it for a unit (RuntimeDirectory=); by hand nobody has.
void make_run_folder(const std::vector<ListenAddress>& listen) {
  const auto* const standard = "/run/gpukeeper";
  for (const ListenAddress& address : listen) {
    if (address.path == std::string(standard) + "/gpukeeper.sock") ::mkdir(standard, 0755);
  }
}

// Everything that could keep it from starting and can be seen without starting. Addresses are not taken: another
// gpukeeper may be using them, whose next configuration this is.
Result<void> check(const config::Settings& settings, const Context& context) {
  const auto usable = config::session_options(settings, true);
  if (!usable) return tl::make_unexpected(usable.error());
  for (const std::string& source : settings.source) {  // a driver is not bothered: of sources, what is a file
    if (!source.starts_with("simulated:") && !source.starts_with("replay:")) continue;
    const auto opened = open_sources(std::span(&source, 1), std::make_shared<SystemClock>());
    if (!opened) return tl::make_unexpected(opened.error());
  }
  const std::string state = settings.state_dir.value_or(usual_state_dir(context));
  if (!state.empty()) {
    if (const auto tokens = auth::TokenFile(state).read(); !tokens) return tl::make_unexpected(tokens.error());
  }
  if (auto well = service::check_listen(settings, state); !well) return well;
  return service::check_tls(settings, RealFiles());
}

Exit say_whether_well(const ServeOptions& options, const config::Settings& settings, Context& context) {
  if (auto well = check(settings, context); !well) return tl::make_unexpected(well.error());
  const std::string& path = options.config->path();
  return print(context, path.empty() ? "the command line is well\n" : fmt::format("{} is well\n", harmless(path)));
}

// What a daemon took and could not give back, having crashed: systemd asks for it once that one is gone.
Exit restore(const ServeOptions& options, const config::Settings& settings, Context& context) {
  const std::string state = settings.state_dir.value_or(usual_state_dir(context));
  if (state.empty()) return 0;  // then nothing was changed either
  auto target = open_target(settings.log, context);
  if (!target) return tl::make_unexpected(target.error());
  const auto clock = std::make_shared<SystemClock>();
  Log log(*clock, std::move(*target), settings.log.level);
  const auto left = service::restore_hands(
      {.state = state, .machine_root = options.machine_root, .sources = settings.source}, clock, log);
  if (!left) return tl::make_unexpected(left.error());
  if (left->empty()) return 0;
  return fail(Errc::unavailable, harmless(fmt::format("not given back: {}", fmt::join(*left, "; "))));
}

}  // namespace

Exit serve(const ServeOptions& options, Context& context) {
  const config::Settings settings = completed(options.config->now().settings, context);
  if (options.check) return say_whether_well(options, settings, context);
  if (options.restore) return restore(options, settings, context);
  block_signals();
  allow_many_descriptors();
  auto target = open_target(settings.log, context);
  if (!target) return tl::make_unexpected(target.error());
  make_run_folder(settings.listen);
  return Server(options, context, std::move(*target)).run();
}

}  // namespace gpukeeper::cli
