#include "cli/run.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include <sys/resource.h>

#include <fmt/format.h>

#include "cli/child_process.hpp"
#include "cli/document.hpp"
#include "cli/run_cgroup.hpp"
#include "cli/run_meter.hpp"
#include "cli/run_watch.hpp"
#include "cli/visible_devices.hpp"
#include "core/display_text.hpp"
#include "ledger/lease_request.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto kTick = 50ms;  // of who holds a command up: a twentieth of the period of stands_still()
constexpr auto kNever = 24h * 365;
constexpr int kCannotRun = 126;  // as POSIX has it of shells
constexpr int kNotFound = 127;

/// What was booked.
struct Booked {
  std::vector<RunLease> leases;
  std::string service;
  Bytes bytes{0};
  bool made_up = false;  ///< on devices that are simulated or recorded
};

Booked booked_of(const std::string& document) {
  Booked booked;
  const Json json = parse_document(document);
  for (const Json& lease : list_in(json, "leases")) {
    booked.leases.push_back({text_in(lease, "id"), text_in(lease, "device")});
    booked.service = text_in(lease, "service");
    booked.bytes = booked.bytes + Bytes(count_in(lease, "min_bytes").value_or(0));
    booked.made_up |= flag_in(lease, "simulated") || flag_in(lease, "recorded");
  }
  return booked;
}

// The program's name, as a service's.
std::string service_of(const std::string& program) {
  std::string name = harmless(program.substr(program.rfind('/') + 1));
  if (name.size() > kLongestName) name = "command";
  return name.empty() ? "command" : name;
}

Vendor vendor_of(std::string_view word) {
  for (const Vendor vendor : {Vendor::nvidia, Vendor::amd, Vendor::intel}) {
    if (to_string(vendor) == word) return vendor;
  }
  return Vendor::other;
}

void add_devices(const Json& devices, const Booked& booked, std::vector<VisibleDevice>& result) {
  for (const Json& device : devices) {
    const std::string id = text_in(device, "uuid");
    const bool ours = std::ranges::find(booked.leases, id, &RunLease::device) != booked.leases.end();
    result.push_back({id, vendor_of(text_in(device, "vendor")), text_in(device, "pci_address"), ours});
    add_devices(list_in(device, "partitions"), booked, result);
  }
}

// What the command's environment says of its GPUs and its lease.
Result<EnvironmentChange> environment_of(LeaseDesk& desk, const Booked& booked, const Context& context) {
  const auto snapshot = ask(desk, {.method = "GET", .target = "/api/v1/snapshot"}, context);
  if (!snapshot) return tl::make_unexpected(snapshot.error());
  const Json document = parse_document(*snapshot);
  std::vector<VisibleDevice> devices;
  add_devices(list_in(document, "devices"), booked, devices);
  EnvironmentChange change = visible(devices);
  change.set.emplace_back("GPUKEEPER_LEASE", booked.leases.front().id);
  return change;
}

// Whatever happens to it: should this fail, the lease ends with this process.
void give_back(const RunOptions& options, const Booked& booked, Context& context) {
  const auto desk = open_desk(options.desk, context);
  for (const RunLease& lease : booked.leases) {
    const auto answer = desk ? ask(**desk, {.method = "DELETE", .target = "/api/v1/leases/" + lease.id}, context)
                             : Result<std::string>(tl::make_unexpected(desk.error()));
    if (answer) continue;
    context.remark(
        fmt::format("lease {} could not be released and ends with this command: {}", lease.id, answer.error().message));
  }
}

struct Ended {
  ChildEnd end;
  nanoseconds wall{};
  nanoseconds held{};
  bool had_terminal = false;
};

// Waits for the end, and holds it up where the governor wants that.
Ended accompany(ChildProcess& child, const RunWatch* governor, const Clock& clock) {
  const auto begin = clock.now();
  Ended ended;
  std::optional<ChildEnd> end;
  for (auto last = begin; !end;) {
    end = child.wait_until(clock, governor ? clock.now() + kTick : clock.now() + kNever);
    const auto now = clock.now();
    if (child.paused()) ended.held += now - last;
    last = now;
    if (!governor || end) continue;
    stands_still(governor->speed(), now - begin) ? child.pause() : child.go_on();
  }
  ended.end = *end;
  ended.wall = clock.now() - begin;
  ended.had_terminal = child.had_terminal();
  return ended;
}

// A shell ends its loop when who it waited for died of Ctrl-C, and only then.
void die_of_it(int signal) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

std::string why_memory_is_unknown(const Booked& booked, const RunUse& use) {
  if (booked.made_up) return "as the GPU is made up";
  if (use.looks < 2) return "as it ended too soon";
  return "as the driver does not say what its processes hold";
}

Exit run_it(const RunOptions& options, const Booked& booked, const EnvironmentChange& environment, Context& context,
            std::optional<Ended>& ended) {
  const HeldSignals signals;  // before any thread that lives as long as the command
  const RunCgroup cgroup = RunCgroup::make();
  auto child = ChildProcess::start(
      {.words = options.command, .set = environment.set, .unset = environment.unset, .cgroup = cgroup.path()}, signals);
  if (!child) {
    context.remark(fmt::format("run {}", child.error().message));
    give_back(options, booked, context);
    return child.error().code == Errc::not_found ? kNotFound : kCannotRun;
  }
  const SystemClock clock;
  std::optional<RunWatch> watch;
  if (options.summary || options.governed) {
    watch.emplace([&] { return open_desk(options.desk, context); }, booked.leases, clock);
  }
  ended = accompany(**child, options.governed ? &*watch : nullptr, clock);
  child->reset();  // the terminal is ours again
  const RunUse use = watch ? watch->end() : RunUse();
  give_back(options, booked, context);
  if (!options.summary) return ended->end.status;
  RunAccount account{.command = options.command,
                     .leases = {},
                     .service = booked.service,
                     .status = ended->end.status,
                     .signal = ended->end.signal,
                     .wall = ended->wall,
                     .held = ended->held,
                     .governed = options.governed,
                     .booked = booked.bytes,
                     .memory_unknown = why_memory_is_unknown(booked, use),
                     .use = use};
  for (const RunLease& lease : booked.leases) account.leases.push_back(lease.id);
  RenderOptions page = render_options(context);
  context.aside(options.json ? run_json(account) + "\n" : render_run(account, page));
  return ended->end.status;
}

}  // namespace

Exit run_under_lease(const RunOptions& options, Context& context) {
  if (options.command.empty()) {
    return fail(Errc::invalid_argument, "run needs a command: gpukeeper run --memory 6GiB -- python3 train.py");
  }
  if (options.booking.memory.empty()) {
    return fail(Errc::invalid_argument, "run needs to know how much memory to book: --memory 6GiB");
  }
  BookingOptions booking = options.booking;
  if (booking.service.empty()) booking.service = service_of(options.command.front());
  Booked booked;
  EnvironmentChange environment;
  {
    auto desk = open_desk(options.desk, context);
    if (!desk) return tl::make_unexpected(desk.error());
    const auto reply = book(**desk, booking, "process", context);
    if (!reply) return tl::make_unexpected(reply.error());
    if (!reply->good()) {
      const RenderOptions page = render_options(context);
      return tl::make_unexpected(refusal_of(*reply, page.width, page.utf8));
    }
    booked = booked_of(reply->body);
    if (booked.leases.empty()) return fail(Errc::internal, "the ledger granted nothing and refused nothing");
    auto change = environment_of(**desk, booked, context);
    if (!change) return tl::make_unexpected(change.error());
    environment = std::move(*change);
  }  // its threads end here: the command's signals must not reach them
  std::optional<Ended> ended;
  auto status = run_it(options, booked, environment, context, ended);
  if (ended && ended->had_terminal && (ended->end.signal == SIGINT || ended->end.signal == SIGQUIT)) {
    die_of_it(ended->end.signal);
  }
  return status;
}

}  // namespace gpukeeper::cli
