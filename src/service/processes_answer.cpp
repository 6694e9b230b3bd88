#include "service/processes_answer.hpp"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "diagnosis/diagnosis.hpp"
#include "diagnosis/report_json.hpp"
#include "format/columns.hpp"
#include "format/process_list.hpp"
#include "format/process_list_text.hpp"
#include "service/authority.hpp"
#include "service/query.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::string_view kList = "processes";
constexpr std::size_t kMostOnAPage = 1000;

struct ProcessQuery {
  std::vector<std::string> devices;
  ProcessFilter filter;
  std::optional<ProcessOrder> order;
  PageWish page;
};

Result<std::optional<ProcessOrder>> order_of(const Request& request) {
  const auto name = parameter(request, "sort");
  if (!name) return std::optional<ProcessOrder>();
  std::vector<std::string_view> names;
  for (const auto& [word, order] : kProcessOrders) {
    if (word == *name) return std::optional(order);
    names.push_back(word);
  }
  return fail(Errc::invalid_argument,
              fmt::format("sort takes one of {}, not '{}'", fmt::join(names, ", "), fit(harmless(*name), 40)));
}

Result<ProcessQuery> query_of(const Request& request) {
  const auto known =
      check_parameters(request, {"device", "user", "container", "class", "pod", "job", "sort", "limit", "cursor"});
  if (!known) return tl::make_unexpected(known.error());
  auto devices = list_parameter(request, "device");
  if (!devices) return tl::make_unexpected(devices.error());
  const auto order = order_of(request);
  if (!order) return tl::make_unexpected(order.error());
  auto page = page_wish(request, kList, kMostOnAPage);
  if (!page) return tl::make_unexpected(page.error());
  if (*order && page->after) {
    return fail(Errc::invalid_argument, "sort and cursor exclude each other: pages go by GPU and pid");
  }
  ProcessQuery query{.devices = std::move(*devices), .filter = {}, .order = *order, .page = std::move(*page)};
  query.filter.user = parameter(request, "user");
  query.filter.container = parameter(request, "container");
  query.filter.pod = parameter(request, "pod");
  query.filter.job = parameter(request, "job");
  if (const auto name = parameter(request, "class")) {
    const auto kind = parse_process_class(*name);
    if (!kind) return tl::make_unexpected(kind.error());
    query.filter.kind = *kind;
  }
  return query;
}

// By which a row is found again in a later snapshot: pages neither lose nor repeat who stays.
using Key = std::tuple<std::string_view, std::int64_t>;

Key key_of(const ProcessRow& row) {
  return {row.device->device->id.text, row.process->pid};
}

std::string text_of(const Key& key) {
  return fmt::format("{} {}", std::get<1>(key), std::get<0>(key));
}

std::optional<Key> key_of_text(std::string_view text) {
  const auto blank = text.find(' ');
  const auto pid = parse_i64(text.substr(0, blank));
  if (!pid || blank == text.npos) return std::nullopt;
  return Key(text.substr(blank + 1), *pid);
}

// What stands on the page, and whether there is more behind it.
bool cut(std::vector<ProcessRow>& rows, const ProcessQuery& query) {
  if (query.order) {
    sort_processes(rows, *query.order, false);
  } else if (query.page.limit || query.page.after) {
    std::ranges::sort(rows, {}, key_of);
  }
  if (const auto after = query.page.after ? key_of_text(*query.page.after) : std::nullopt) {
    std::erase_if(rows, [&](const ProcessRow& row) { return key_of(row) <= *after; });
  }
  const bool more = query.page.limit && rows.size() > *query.page.limit;
  if (more) rows.resize(*query.page.limit);
  return more;
}

// For who may not read them: without the arguments, with which programs may have been given anything.
Snapshot without_command_lines(Snapshot snapshot) {
  auto table = std::make_shared<ProcessTable>();
  for (const DeviceSnapshot& device : snapshot.devices) {
    for (const GpuProcess& process : *device.processes) {
      const ProcessFacts* const known = facts_of(snapshot, device, process);
      if (!known) continue;
      auto facts = std::make_shared<ProcessFacts>(*known);
      facts->command_line = missing(Missing::not_permitted);
      table->add(device.device->parent.value_or(device.device->id), process.pid, std::move(facts));
    }
  }
  snapshot.who = std::move(table);
  return snapshot;
}

}  // namespace

Response processes_answer(const Request& request, const Snapshot& snapshot) {
  const auto query = query_of(request);
  if (!query) return refused_query(query.error());
  if (snapshot.sequence == 0) return starting();
  const auto chosen = select_devices(snapshot, query->devices);
  if (!chosen) return refused_query(chosen.error());
  auto rows = process_rows(*chosen);
  std::erase_if(rows, [&](const ProcessRow& row) { return !query->filter.holds(row); });
  const bool more = cut(rows, *query);
  const auto lines = may_read_command_lines(request.who) ? CommandLines::given : CommandLines::left_out;
  auto response = json_answer(200, processes_json(*chosen, rows, false, lines) + "\n");
  if (more && !query->order) link_next(response, request, kList, text_of(key_of(rows.back())));
  return response;
}

Response why_answer(const Request& request, const Snapshot& snapshot) {
  if (const auto known = check_parameters(request, {"device", "topic"}); !known) return refused_query(known.error());
  const auto devices = list_parameter(request, "device");
  if (!devices) return refused_query(devices.error());
  std::optional<Topic> topic;
  if (const auto name = parameter(request, "topic")) {
    const auto parsed = parse_topic(*name);
    if (!parsed) return refused_query(parsed.error());
    topic = *parsed;
  }
  if (snapshot.sequence == 0) return starting();
  auto chosen = select_devices(snapshot, *devices);
  if (!chosen) return refused_query(chosen.error());
  if (!may_read_command_lines(request.who)) *chosen = without_command_lines(std::move(*chosen));
  return json_answer(200, report_json(*chosen, diagnose(*chosen, topic), false) + "\n");
}

}  // namespace gpukeeper::service
