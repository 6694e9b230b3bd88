#include "cli/optimizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/allocate.hpp"
#include "cli/document.hpp"
#include "cli/leases.hpp"
#include "cli/optimize.hpp"
#include "cli/past_of_daemon.hpp"
#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "core/text.hpp"
#include "report/advice.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::string_view kSnapshot = "/api/v1/snapshot";
constexpr std::string_view kLeases = "/api/v1/leases";
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::string_view kAbsent = "N/A";

/// What of an action stands behind it.
struct Action {
  std::string_view name;
  std::string_view words;  // as usage has them
  std::size_t count;
};
constexpr std::array kActions = {Action{"status", "", 0},
                                 Action{"optimize", " SERVICE", 1},
                                 Action{"allocate", " SERVICE MEMORY [--device N]", 2},
                                 Action{"deallocate", " SERVICE DEVICE", 2},
                                 Action{"loop", " [--interval SECONDS]", 0},
                                 Action{"export", " OUTPUT", 1},
                                 Action{"report", "", 0}};

// "24,564"
std::string commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string megabytes(const std::optional<std::uint64_t>& bytes) {
  return bytes ? commas(*bytes / kMiB) + "MB" : std::string(kAbsent);
}

std::string whole(const std::optional<double>& number, std::string_view unit) {
  return number ? fmt::format("{}{}", static_cast<std::int64_t>(*number), unit) : std::string(kAbsent);
}

std::string percent(const std::optional<double>& number) {
  return number ? fmt::format("{:.1f}%", *number) : std::string(kAbsent);
}

std::optional<double> share(const std::optional<std::uint64_t>& part, const std::optional<std::uint64_t>& all) {
  if (!part || !all || *all == 0) return std::nullopt;
  return 100.0 * static_cast<double>(*part) / static_cast<double>(*all);
}

/// Of all GPUs together, those whose memory is known.
struct Memory {
  std::uint64_t total = 0;
  std::uint64_t used = 0;
  std::uint64_t free = 0;
  double percent() const { return total == 0 ? 0 : 100.0 * static_cast<double>(used) / static_cast<double>(total); }
};

std::optional<std::uint64_t> free_of(const Json& metrics) {
  if (const auto free = count_in(metrics, "memory_free_bytes")) return free;
  const auto total = count_in(metrics, "memory_total_bytes");
  const auto used = count_in(metrics, "memory_used_bytes");
  return total && used && *used <= *total ? std::optional(*total - *used) : std::nullopt;
}

Memory memory_of(const Json& status) {
  Memory memory;
  for (const Json& device : list_in(status, "devices")) {
    const Json& metrics = member(device, "metrics");
    memory.total += count_in(metrics, "memory_total_bytes").value_or(0);
    memory.used += count_in(metrics, "memory_used_bytes").value_or(0);
    memory.free += free_of(metrics).value_or(0);
  }
  return memory;
}

std::vector<const Json*> allocations_of(const Json& book) {
  std::vector<const Json*> held;
  for (const Json& lease : list_in(book, "leases")) {
    const std::string state = text_in(lease, "state");
    if (state == "starting" || state == "active" || state == "suspended") held.push_back(&lease);
  }
  return held;
}

std::string gpu_of(const Json& object) {
  const auto index = count_in(object, "index");
  return index ? std::to_string(*index) : std::string(kAbsent);
}

std::string devices_text(const Json& status) {
  std::string text;
  for (const Json& device : list_in(status, "devices")) {
    const Json& metrics = member(device, "metrics");
    const auto used = count_in(metrics, "memory_used_bytes");
    const auto total = count_in(metrics, "memory_total_bytes");
    text += fmt::format("  GPU {}: {}\n", gpu_of(device), harmless(text_in(device, "name")));
    text += fmt::format("    Memory: {} / {} ({})\n", megabytes(used), megabytes(total), percent(share(used, total)));
    text += fmt::format("    Utilization: {}\n", percent(number_in(metrics, "utilization_percent")));
    text += fmt::format("    Temperature: {}\n", whole(number_in(metrics, "temperature_celsius"), "°C"));
    text += fmt::format("    Power: {}\n\n", whole(number_in(metrics, "power_watts"), "W"));
  }
  return text;
}

std::string allocations_text(const Json& book) {
  std::string text;
  for (const Json* lease : allocations_of(book)) {
    text += fmt::format("  {} -> GPU {} (required: {}MB)\n", harmless(text_in(*lease, "service")), gpu_of(*lease),
                        count_in(*lease, "min_bytes").value_or(0) / kMiB);
  }
  return text;
}

// In the order in which they are served; nothing when nobody waits.
std::string waiting_text(const Json& book) {
  std::string text;
  for (const Json& id : list_in(book, "waiting")) {
    for (const Json& lease : list_in(book, "leases")) {
      if (member(lease, "id") != id) continue;
      text += fmt::format("  {} (required: {}MB, since {})\n", harmless(text_in(lease, "service")),
                          count_in(lease, "min_bytes").value_or(0) / kMiB, harmless(text_in(lease, "created")));
    }
  }
  return text.empty() ? text : fmt::format("Waiting Requests: {}\n{}\n", list_in(book, "waiting").size(), text);
}

std::string recommendations(const Json& status, const Json& book) {
  const Memory memory = memory_of(status);
  std::string text;
  if (memory.percent() > 80) text += "  ⚠️  High memory utilization detected - consider memory optimization\n";
  if (memory.total > 0 && memory.percent() < 20)
    text += "  ℹ️  Low memory utilization - consider consolidating services\n";
  const auto active = allocations_of(book).size();
  text += active == 0 ? "  ℹ️  No active allocations - all GPUs are available\n"
                      : fmt::format("  ℹ️  {} active allocations\n", active);
  for (const report::Advice& each : report::advice_on_memory(dump(book, false))) {
    text += fmt::format("  {}  {}\n", each.weight == report::Advice::Weight::bad ? "⚠️" : "ℹ️",
                        harmless(each.sentence));
  }
  return text;
}

// In whole MiB, watts, degrees and MHz, as the documents have them.
Json floored(const std::optional<double>& number, double unit = 1) {
  return number ? Json(static_cast<std::int64_t>(std::floor(*number / unit))) : Json();
}

Json in_megabytes(const std::optional<std::uint64_t>& bytes) {
  return bytes ? Json(*bytes / kMiB) : Json();
}

// How full it is; how busy its controller is is another number.
std::optional<double> filled_percent(const Json& metrics) {
  const auto total = count_in(metrics, "memory_total_bytes");
  const auto used = count_in(metrics, "memory_used_bytes");
  if (!used || total.value_or(0) == 0) return std::nullopt;
  return Memory{.total = *total, .used = *used}.percent();
}

Json gpu_info(const Json& device, bool clocks) {
  const Json& metrics = member(device, "metrics");
  Json info = {{"device_id", member(device, "index")},
               {"name", member(device, "name")},
               {"memory_total_mb", in_megabytes(count_in(metrics, "memory_total_bytes"))},
               {"memory_used_mb", in_megabytes(count_in(metrics, "memory_used_bytes"))},
               {"memory_free_mb", in_megabytes(free_of(metrics))},
               {"memory_utilization_percent", floored(filled_percent(metrics))},
               {"memory_controller_percent", floored(number_in(metrics, "utilization_memory_percent"))},
               {"gpu_utilization_percent", floored(number_in(metrics, "utilization_percent"))},
               {"temperature_celsius", floored(number_in(metrics, "temperature_celsius"))},
               {"power_usage_watts", floored(number_in(metrics, "power_watts"))}};
  if (!clocks) return info;
  info["uuid"] = member(device, "uuid");
  info["graphics_clock_mhz"] = floored(number_in(metrics, "clock_graphics_mhz"));
  info["memory_clock_mhz"] = floored(number_in(metrics, "clock_memory_mhz"));
  return info;
}

double unix_seconds(const std::string& rfc3339) {
  const auto time = parse_rfc3339(rfc3339);
  return time ? std::chrono::duration<double>(time->time_since_epoch()).count() : 0;
}

/// Both documents that the texts are made of.
struct Documents {
  std::string status;
  std::string leases;
};

Result<Documents> documents(LeaseDesk& desk, const Context& context) {
  auto status = ask(desk, {.method = "GET", .target = std::string(kSnapshot)}, context);
  if (!status) return tl::make_unexpected(status.error());
  auto leases = ask(desk, {.method = "GET", .target = std::string(kLeases)}, context);
  if (!leases) return tl::make_unexpected(leases.error());
  return Documents{std::move(*status), std::move(*leases)};
}

// Whether memory is given back by itself: only a daemon can, and only where its configuration wants it.
Result<bool> loop_runs(LeaseDesk& desk, const Context& context) {
  if (!desk.of_daemon()) return false;
  const auto reports = ask(desk, {.method = "GET", .target = "/api/v1/reclaim"}, context);
  if (!reports) return tl::make_unexpected(reports.error());
  return flag_in(parse_document(*reports), "by_itself");
}

// What failed inside an action: the documented line, and an exit status that says so.
Exit failed(const Error& error, Context& context) {
  return print(context, fmt::format("Error: {}\n", error.message), 1);
}

Exit allocate(LeaseDesk& desk, const OptimizerOptions& options, Context& context) {
  const auto memory = parse_u64(options.words[1]);
  if (!memory || *memory == 0) {
    return fail(Errc::invalid_argument,
                fmt::format("optimizer allocate takes MEMORY as a number of MB, not '{}'", harmless(options.words[1])));
  }
  std::string text =
      fmt::format("Allocating GPU for service: {}\nRequired Memory: {}MB\n", harmless(options.words[0]), *memory);
  if (!options.device.empty()) text += fmt::format("Preferred Device: GPU {}\n", harmless(options.device));
  const BookingOptions booking{
      .service = options.words[0], .memory = std::to_string(*memory), .device = options.device};
  const auto reply = book(desk, booking, "standing", context);
  if (!reply) {
    if (auto printed = print(context, text); !printed) return printed;
    return failed(reply.error(), context);
  }
  const Json document = parse_document(reply->body);
  const Json& leases = list_in(document, "leases");
  if (reply->good() && !leases.empty()) {
    return print(context, text + fmt::format("Successfully allocated GPU {}\n", gpu_of(leases.front())));
  }
  const RenderOptions page = render_options(context);
  context.remark(refusal_of(*reply, page.width, page.utf8).message);
  return print(context, text + "Failed to allocate GPU - no suitable device available\n", 1);
}

Exit deallocate(LeaseDesk& desk, const OptimizerOptions& options, Context& context) {
  const std::string text =
      fmt::format("Deallocating GPU {} from service: {}\n", harmless(options.words[1]), harmless(options.words[0]));
  const auto reply =
      desk.ask({.method = "DELETE",
                .target = target_of(kLeases, {{"service", options.words[0]}, {"device", options.words[1]}})});
  if (!reply) {
    if (auto printed = print(context, text); !printed) return printed;
    return failed(reply.error(), context);
  }
  if (reply->good() && count_in(parse_document(reply->body), "ended").value_or(0) > 0) {
    return print(context, text + "Successfully deallocated GPU\n");
  }
  if (!reply->good() && reply->status != 404) {
    const RenderOptions page = render_options(context);
    if (auto printed = print(context, text); !printed) return printed;
    return failed(refusal_of(*reply, page.width, page.utf8), context);
  }
  return print(context, text + "Failed to deallocate GPU - allocation not found\n", 1);
}

Exit export_status(LeaseDesk& desk, const OptimizerOptions& options, Context& context) {
  const std::string& path = options.words[0];
  if (auto printed = print(context, fmt::format("Exporting status to: {}\n", harmless(path))); !printed) return printed;
  const auto both = documents(desk, context);
  if (!both) return failed(both.error(), context);
  const auto running = loop_runs(desk, context);
  if (!running) return failed(running.error(), context);
  const auto written = write_file(path, optimizer_export(both->status, both->leases, *running) + "\n");
  if (!written) return failed(written.error(), context);
  return print(context, "Status exported successfully\n");
}

Exit optimize_service(LeaseDesk& desk, const OptimizerOptions& options, Context& context) {
  const std::string& service = options.words[0];
  const std::string text = fmt::format("Optimizing memory usage for service: {}\n", harmless(service));
  if (auto printed = print(context, text); !printed) return printed;
  const auto report = reclaim(desk, dump({{"service", service}}, false), context);
  if (!report) return failed(report.error(), context);
  return print(context, optimizer_results(service, *report));
}

Exit optimize_in_a_loop(LeaseDesk& desk, Interrupts& interrupts, const OptimizerOptions& options, Context& context) {
  const auto seconds = std::chrono::duration<double>(options.interval).count();
  const std::string text =
      fmt::format("Starting GPU resource optimization loop (interval: {:g}s)\nPress Ctrl+C to stop\n", seconds);
  if (auto printed = print(context, text); !printed) return printed;
  for (auto due = context.clock.now();;) {
    const auto report = reclaim(desk, "{}", context);
    if (!report) context.remark(report.error().message);  // the documented loop goes on, too
    due = std::max(due + options.interval, context.clock.now());
    if (!wait_until_due(interrupts, due)) return print(context, "\nOptimization loop stopped\n");
  }
}

Result<void> check_words(const OptimizerOptions& options) {
  for (const Action& action : kActions) {
    if (action.name != options.action) continue;
    if (options.words.size() == action.count) return {};
    return fail(Errc::invalid_argument, fmt::format("usage: gpukeeper optimizer {}{}", action.name, action.words));
  }
  return fail(Errc::invalid_argument, fmt::format("optimizer has no '{}'", harmless(options.action)));
}

}  // namespace

std::string optimizer_status(std::string_view status_text, std::string_view leases) {
  const Json status = parse_document(status_text);
  const Json book = parse_document(leases);
  const Memory memory = memory_of(status);
  std::string text = "=== GPU Resource Status ===\n\nGPU Devices:\n" + devices_text(status);
  text += fmt::format("Active Allocations: {}\n{}\n", allocations_of(book).size(), allocations_text(book));
  text += waiting_text(book);
  text += fmt::format("Memory Summary:\n  Total Memory: {}\n  Used Memory: {}\n  Free Memory: {}\n",
                      megabytes(memory.total), megabytes(memory.used), megabytes(memory.free));
  return text + fmt::format("  Average Utilization: {:.1f}%\n", memory.percent());
}

std::string optimizer_results(std::string_view service, std::string_view text) {
  const Json report = parse_document(text);
  std::map<std::string, std::string> indices;
  for (const Json& device : list_in(report, "devices")) indices[text_in(device, "id")] = gpu_of(device);
  std::map<std::pair<std::string, std::string>, std::uint64_t> freed;  // by GPU and type
  for (const Json& step : list_in(report, "steps")) {
    for (const Json& holder : list_in(step, "holders")) {
      if (!text_in(holder, "problem").empty()) continue;
      const std::string id = text_in(holder, "device");
      const std::string gpu = indices.contains(id) ? indices[id] : harmless(id);
      freed[{gpu, harmless(text_in(step, "type"))}] += count_in(holder, "returned_bytes").value_or(0);
    }
  }
  std::string result =
      fmt::format("Optimization Results:\n  Service: {}\n  Memory Freed: {}MB\n  Optimizations Applied: {}\n",
                  harmless(service), count_in(report, "returned_bytes").value_or(0) / kMiB, freed.size());
  for (const auto& [what, bytes] : freed) {
    result += fmt::format("    GPU {}: Freed {}MB ({})\n", what.first, bytes / kMiB, what.second);
  }
  return result;
}

std::string optimizer_report(std::string_view status_text, std::string_view leases, bool running) {
  const Json status = parse_document(status_text);
  const Json book = parse_document(leases);
  const Memory memory = memory_of(status);
  std::string text = "=== GPU Resource Report ===\n\nSystem Overview:\n";
  text += fmt::format("  Total GPUs: {}\n  Active Allocations: {}\n  Optimization Running: {}\n\n",
                      list_in(status, "devices").size(), allocations_of(book).size(), running ? "True" : "False");
  text += fmt::format(
      "Memory Analysis:\n  Total Memory: {}\n  Used Memory: {}\n  Free Memory: {}\n  Utilization: {:.1f}%\n\n",
      megabytes(memory.total), megabytes(memory.used), megabytes(memory.free), memory.percent());
  text += "GPU Details:\n" + devices_text(status);
  text += "Allocation Details:\n" + allocations_text(book) + "\n";
  return text + "Recommendations:\n" + recommendations(status, book);
}

std::string optimizer_export(std::string_view status_text, std::string_view leases, bool running) {
  const Json status = parse_document(status_text);
  const Json book = parse_document(leases);
  const Memory memory = memory_of(status);
  Json allocations = Json::array();
  for (const Json* lease : allocations_of(book)) {
    allocations.push_back({{"service_name", member(*lease, "service")},
                           {"device_id", member(*lease, "index")},
                           {"allocated_at", unix_seconds(text_in(*lease, "created"))},
                           {"required_memory_mb", in_megabytes(count_in(*lease, "min_bytes"))}});
  }
  Json gpus = Json::array();
  Json infos = Json::array();
  for (const Json& device : list_in(status, "devices")) {
    gpus.push_back(gpu_info(device, false));
    infos.push_back(gpu_info(device, true));
  }
  const auto count = allocations.size();
  return dump({{"running", running},
               {"allocation_status", {{"total_allocations", count}, {"allocations", std::move(allocations)}}},
               {"memory_report",
                {{"timestamp", unix_seconds(text_in(status, "taken_at"))},
                 {"gpus", std::move(gpus)},
                 {"total_memory_mb", memory.total / kMiB},
                 {"total_used_mb", memory.used / kMiB},
                 {"total_free_mb", memory.free / kMiB},
                 {"average_utilization_percent", memory.total == 0 ? Json(0) : Json(memory.percent())}}},
               {"gpu_info", std::move(infos)}},
              true);
}

Result<std::string> documented_report(LeaseDesk& desk, const Context& context) {
  const auto both = documents(desk, context);
  if (!both) return tl::make_unexpected(both.error());
  const auto running = loop_runs(desk, context);
  if (!running) return tl::make_unexpected(running.error());
  return optimizer_report(both->status, both->leases, *running);
}

Exit optimizer(const OptimizerOptions& options, Context& context) {
  if (auto good = check_words(options); !good) return tl::make_unexpected(good.error());
  const auto interrupts = options.action == "loop" ? context.interrupts() : nullptr;  // before any thread
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  if (options.verbose) {
    context.remark((*desk)->of_daemon() ? "asking the daemon" : "no daemon is asked: looking with this process");
  }
  if (options.action == "allocate") return allocate(**desk, options, context);
  if (options.action == "deallocate") return deallocate(**desk, options, context);
  if (options.action == "export") return export_status(**desk, options, context);
  if (options.action == "optimize") return optimize_service(**desk, options, context);
  if (options.action == "loop") return optimize_in_a_loop(**desk, *interrupts, options, context);
  if (options.action == "report") {
    const auto text = documented_report(**desk, context);
    if (!text) return tl::make_unexpected(text.error());
    return print(context, *text);
  }
  const auto both = documents(**desk, context);
  if (!both) return tl::make_unexpected(both.error());
  return print(context, optimizer_status(both->status, both->leases));
}

}  // namespace gpukeeper::cli
