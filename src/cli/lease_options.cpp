#include "cli/lease_options.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "format/lease_request_json.hpp"
#include "ledger/ledger_settings.hpp"

namespace gpukeeper::cli {
namespace {

std::string check_gpus(const std::string& text) {
  const auto number = parse_u64(text);
  if (number && *number >= 1 && *number <= kMostLeaseDevices) return {};
  return fmt::format("takes a number from 1 to {}, not '{}'", kMostLeaseDevices, text);
}

std::string check_priority(const std::string& text) {
  const auto number = parse_i64(text);
  if (number && *number >= -kMostPriority && *number <= kMostPriority) return {};
  return fmt::format("takes a number from -{} to {}, not '{}'", kMostPriority, kMostPriority, text);
}

// What to book, of allocate and of run.
void add_booking(CLI::App& app, Arguments& arguments, Declaration& line) {
  LeaseArguments& lease = arguments.lease;
  line.add_text(app, "--max", lease.most, "MEMORY", "As far as it may go where there is room; else what is booked.");
  line.add_text(
      app, "--device", lease.device, "GPU",
      "On this GPU if it has room: its index (0; 0:1 for a partition), UUID or PCI address; another one is said.");
  line.add_flag(app, "--require", lease.require, "On that --device or none.");
  line.add_checked(app, "--gpus", lease.gpus, "N", check_gpus,
                   "On so many GPUs at once, the memory on each; all or none.");
  line.add_flag(app, "--exclusive", lease.exclusive, "Nobody else gets anything on the GPU.");
  line.add_text(app, "--id", lease.name, "NAME", "A name of your own for it, to find it again.");
  line.add_text(app, "--request-id", lease.request_id, "TEXT",
                "Asking again with the same one gives the same lease, not another.");
  line.add_checked(app, "--priority", lease.priority, "N", check_priority,
                   "In the queue: from -100 to 100, higher first.");
  line.add_choice(app, "--strategy", lease.strategy, "HOW", {"most_free", "best_fit", "spread", "pack", "coolest"},
                  "Which GPU of those that have room: most_free, best_fit, spread, pack or coolest.");
  line.add_flag(app, "--wait", arguments.wait, "Wait in the queue until there is room.");
  line.add_checked(app, "--timeout", lease.timeout, "TIME", check_duration, "Wait, and give up after so long.");
  line.add_state_dir(app, arguments);
}

void add_run(Arguments& arguments, Declaration& line) {
  LeaseArguments& lease = arguments.lease;
  auto* run = line.app().add_subcommand(
      "run", "Runs a command with GPU memory booked for it: it sees the GPUs that it got, and gives them back.");
  line.add_text(*run, "--memory", lease.memory, "MEMORY", "What to book: MiB, or with a unit such as 6GiB.");
  line.add_text(*run, "--service", lease.service, "NAME", "For whom; else the program's name.");
  add_booking(*run, arguments, line);
  line.add_flag(*run, "--governed", lease.governed,
                "Have it stand still or go slower when the GPUs are too hot or wanted elsewhere (gpukeeper throttle).");
  auto* summary = line.add_flag(*run, "--summary", lease.summary,
                                "Say in the end what it used, on standard error: time, memory, energy.");
  line.add_flag(*run, "--json", arguments.json, "The summary as JSON.")->needs(summary);
  auto* command = run->add_option("command", lease.command, "The command and its arguments, behind --.");
  line.add(command, {.value = "-- COMMAND...", .file = true});
  run->positionals_at_end();
}

void add_allocate(Arguments& arguments, Declaration& line) {
  LeaseArguments& lease = arguments.lease;
  auto* allocate =
      line.app().add_subcommand("allocate", "Books GPU memory for a service; it stands until it is released.");
  line.add_text(*allocate, "service", lease.service, "SERVICE", "For whom.")->required();
  line.add_text(*allocate, "memory", lease.memory, "MEMORY", "How much: MiB, or with a unit such as 6GiB.")->required();
  add_booking(*allocate, arguments, line);
  line.add_checked(*allocate, "--ttl", lease.lifetime, "TIME", check_duration, "It ends by itself after so long.");
  line.add_flag(*allocate, "--json", arguments.json, "As JSON (docs/api.md).");
}

// Commands that end leases.
void add_ends(Arguments& arguments, Declaration& line) {
  LeaseArguments& lease = arguments.lease;
  auto* deallocate = line.app().add_subcommand("deallocate", "Gives back what a service has booked on a GPU.");
  line.add_text(*deallocate, "service", lease.service, "SERVICE", "Whose.");
  line.add_text(*deallocate, "device", lease.device, "DEVICE", "On which GPU: its index, UUID or PCI address.");
  line.add_text(*deallocate, "--id", lease.name, "NAME", "Only the lease of that name.");
  auto* release = line.app().add_subcommand("release", "Ends a lease by its number; to say it twice does no harm.");
  auto* revoke =
      line.app().add_subcommand("revoke", "Takes a lease away, whosever it is: as root, or the daemon's user.");
  for (CLI::App* each : {release, revoke}) {
    line.add_text(*each, "lease", lease.id, "LEASE", "Its number, as gpukeeper leases shows it.")->required();
  }
  for (CLI::App* each : {deallocate, release, revoke}) {
    line.add_flag(*each, "--json", arguments.json, "As JSON (docs/api.md).");
    line.add_state_dir(*each, arguments);
  }
}

void add_looks_at_leases(Arguments& arguments, Declaration& line) {
  LeaseArguments& lease = arguments.lease;
  auto* leases = line.app().add_subcommand("leases", "Which GPU memory is booked, for whom, and what is left.");
  line.add_flag(*leases, "--all", arguments.all, "Those that are over, too.");
  line.add_device(*leases, arguments);
  line.add_text(*leases, "--service", lease.service, "NAME", "Only those of this service.");
  auto* quota = line.app().add_subcommand("quota", "What each service may book, and what it has booked.");
  line.add_text(*quota, "service", lease.service, "SERVICE", "Only this one.");
  for (CLI::App* each : {leases, quota}) {
    line.add_flag(*each, "--json", arguments.json, "As JSON.");
    line.add_state_dir(*each, arguments);
  }
  line.add_flag(*leases, "--schema", arguments.schema, "The JSON Schema of --json.")->excludes("--json");
  auto* export_all =
      line.app().add_subcommand("export", "Writes all of status, leases and quota into a file, as JSON.");
  line.add_file(*export_all, "file", lease.file, "FILE", "The file to make; '-' is standard output.")->required();
  line.add_state_dir(*export_all, arguments);
}

// Commands that have memory given back, and that say what it would take.
void add_reclaim(Arguments& arguments, Declaration& line) {
  LeaseArguments& lease = arguments.lease;
  auto* optimize = line.app().add_subcommand("optimize", "Has GPU memory given back, and says what really came back.");
  line.add_text(*optimize, "service", lease.service, "SERVICE",
                "Only its leases; else those on GPUs above the threshold.");
  line.add_text(*optimize, "--memory", lease.memory, "MEMORY", "Make room for so much on one GPU, as plan would.");
  line.add_flag(*optimize, "--scrub", lease.scrub, "Ask holders to overwrite what they give back.");
  auto* plan =
      line.app().add_subcommand("plan", "What would have to move or end so that so much memory fits on one GPU.");
  line.add_text(*plan, "memory", lease.memory, "MEMORY", "How much: MiB, or with a unit such as 6GiB.")->required();
  for (CLI::App* each : {optimize, plan}) {
    line.add_checked(*each, "--gpus", lease.gpus, "N", check_gpus, "On so many GPUs at once, so much on each.");
    line.add_device(*each, arguments);
  }
  auto* loop = line.app().add_subcommand("loop", "optimize again and again, until Ctrl-C.");
  line.add_checked(*loop, "--interval", lease.interval, "TIME", check_duration,
                   "From one time to the next; else 300 s.");
  for (CLI::App* each : {optimize, plan, loop}) {
    line.add_flag(*each, "--json", arguments.json, "As JSON (docs/reclaim.md).");
    line.add_state_dir(*each, arguments);
  }
}

void add_optimizer(Arguments& arguments, Declaration& line) {
  LeaseArguments& lease = arguments.lease;
  auto* optimizer = line.app().add_subcommand(
      "optimizer", "The commands and the output of optimize_gpu_resources.py, for scripts that know these.");
  line.add_choice(
      *optimizer, "action", arguments.action, "ACTION",
      {"status", "optimize", "allocate", "deallocate", "loop", "export", "report"},
      "status, optimize SERVICE, allocate SERVICE MEMORY, deallocate SERVICE DEVICE, loop, export OUTPUT or "
      "report.");
  line.add(optimizer->add_option("what", arguments.words, "What the action is about."),
           {.value = "WHAT", .file = true});
  line.add_text(*optimizer, "--device", lease.device, "N", "Of allocate: the GPU that is preferred.");
  line.add_checked(*optimizer, "--interval", lease.interval, "SECONDS", check_duration,
                   "Of loop: from one time to the next; else 300.");
  line.add_flag(*optimizer, "-v,--verbose", lease.verbose, "Say on standard error what is done.");
  line.add_state_dir(*optimizer, arguments);
}

}  // namespace

void declare_lease_commands(Declaration& line, Arguments& arguments) {
  add_run(arguments, line);
  add_allocate(arguments, line);
  add_ends(arguments, line);
  add_looks_at_leases(arguments, line);
  add_reclaim(arguments, line);
  add_optimizer(arguments, line);
}

}  // namespace gpukeeper::cli
