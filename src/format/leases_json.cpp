#include "format/leases_json.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/rfc3339.hpp"

namespace gpukeeper {
namespace {

Json bytes_or_null(const Metric<Bytes>& bytes) {
  return bytes ? Json(bytes->value()) : Json();
}

template <class Amount>
Json or_null_value(const std::optional<Amount>& amount) {
  return amount ? Json(amount->value()) : Json();
}

// To a millisecond, as in all that people read.
double seconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::round<std::chrono::milliseconds>(time).count()) / 1000;
}

Json id_or_null(LeaseId id) {
  return id == LeaseId{} ? Json() : Json(std::to_string(number(id)));
}

Json owner_object(const Owner& owner) {
  Json object = {{"kind", kind_of(owner)}};
  if (const auto* process = std::get_if<ProcessOwner>(&owner)) object["pid"] = process->pid;
  if (const auto* heartbeat = std::get_if<HeartbeatOwner>(&owner)) object["ttl_seconds"] = seconds(heartbeat->ttl);
  return object;
}

Json metadata_object(const Lease& lease) {
  Json object = Json::object();
  if (!lease.metadata) return object;
  for (const auto& [key, value] : *lease.metadata) object[key] = value;
  return object;
}

Json foreign_list(const std::vector<ForeignProcess>& processes) {
  Json list = Json::array();
  for (const ForeignProcess& process : processes) {
    list.push_back(
        {{"pid", process.pid}, {"name", text_or_null(process.name)}, {"memory_bytes", bytes_or_null(process.memory)}});
  }
  return list;
}

Json lease_list(const std::vector<LeaseView>& leases, MonotonicTime now) {
  Json list = Json::array();
  for (const LeaseView& view : leases) list.push_back(lease_object(view, now));
  return list;
}

Json device_object(const DeviceAccount& device, const DeviceLabel& label) {
  const DeviceAccount::Facts& facts = device.facts();
  return {{"id", device.id().text()},
          {"index", or_null(label.index)},
          {"name", text_or_null(facts.name)},
          {"simulated", label.simulated},
          {"recorded", label.recorded},
          {"available", facts.available},
          {"reason", text_or_null(facts.available ? facts.closed_because : facts.unavailable_because)},
          {"total_bytes", bytes_or_null(facts.total)},
          {"reserved_bytes", bytes_or_null(facts.reserved)},
          {"used_bytes", bytes_or_null(facts.used)},
          {"capacity_bytes", bytes_or_null(device.capacity())},
          {"headroom_bytes", facts.total ? Json(device.headroom().value()) : Json()},
          {"booked_bytes", device.booked().value()},
          {"charged_bytes", device.charged().value()},
          {"draining_bytes", device.draining().value()},
          {"unmanaged_bytes", bytes_or_null(device.unmanaged())},
          {"available_bytes", bytes_or_null(device.available())},
          {"leases", device.leases()},
          {"exclusive", device.exclusive()},
          {"foreign", foreign_list(facts.foreign)}};
}

Json in_the_way_object(const InTheWay& lease) {
  return {{"id", std::to_string(number(lease.id))},
          {"service", lease.service},
          {"owner", owner_object(lease.owner)},
          {"state", to_string(lease.state)},
          {"charge_bytes", lease.charge.value()},
          {"ends_in_seconds", lease.ends_in ? Json(seconds(*lease.ends_in)) : Json()}};
}

Json device_refusal_object(const DeviceRefusal& device) {
  Json in_the_way = Json::array();
  for (const InTheWay& lease : device.leases) in_the_way.push_back(in_the_way_object(lease));
  return {{"device", device.device},
          {"index", device.index},
          {"bar", to_string(device.bar)},
          {"detail", text_or_null(device.detail)},
          {"available_bytes", device.available.value()},
          {"capacity_bytes", device.capacity.value()},
          {"short_by_bytes", device.short_by.value()},
          {"unmanaged_bytes", device.unmanaged.value()},
          {"draining_bytes", device.draining.value()},
          {"reclaimable_bytes", device.reclaimable.value()},
          {"behind", id_or_null(device.behind)},
          {"in_the_way", std::move(in_the_way)},
          {"more_leases", device.more_leases},
          {"foreign", foreign_list(device.foreign)}};
}

}  // namespace

Json lease_object(const LeaseView& view, MonotonicTime now) {
  const Lease& lease = view.lease;
  const bool ends = lease.deadline != MonotonicTime::max();
  return {{"id", std::to_string(number(lease.id))},
          {"group", std::to_string(number(lease.group))},
          {"group_size", lease.group_size},
          {"generation", lease.generation},
          {"fencing_token", lease.fencing_token},
          {"service", lease.service.text()},
          {"device", text_or_null(lease.device.text())},
          {"index", or_null(view.device.index)},
          {"simulated", view.device.simulated},
          {"recorded", view.device.recorded},
          {"name", text_or_null(lease.name)},
          {"request_id", text_or_null(lease.request_id)},
          {"state", to_string(lease.state)},
          {"reason", lease.reason == EndReason::none ? Json() : Json(to_string(lease.reason))},
          {"min_bytes", lease.min.value()},
          {"max_bytes", lease.max.value()},
          {"observed_bytes", bytes_or_null(lease.observed)},
          {"peak_bytes", lease.peak.value()},
          {"charge_bytes", holds_memory(lease.state) ? charge_of(lease).value() : 0},
          {"owner", owner_object(lease.owner)},
          {"uid", lease.uid},
          {"user", text_or_null(view.user)},
          {"priority", lease.priority},
          {"exclusive", lease.exclusive},
          {"overused", lease.overused},
          {"surface", lease.surface == Surface::native ? "native" : "documented"},
          {"created", rfc3339(lease.created)},
          {"changed", rfc3339(lease.changed)},
          {"ends_in_seconds",
           ends ? Json(seconds(std::max(lease.deadline - now, MonotonicTime::duration::zero()))) : Json()},
          {"metadata", metadata_object(lease)}};
}

Json lease_document(const std::vector<LeaseView>& leases, MonotonicTime now, bool repeated, const std::string& note) {
  return {{"schema", "gpukeeper.lease/1"},
          {"leases", lease_list(leases, now)},
          {"repeated", repeated},
          {"note", text_or_null(note)}};
}

Json leases_document(const LeaseBook& book) {
  Json devices = Json::array();
  for (const auto& [account, label] : book.devices) devices.push_back(device_object(account, label));
  Json waiting = Json::array();
  for (const LeaseId id : book.waiting) waiting.push_back(std::to_string(number(id)));
  Json document = {{"schema", "gpukeeper.leases/1"},
                   {"taken_at", rfc3339(book.taken_at)},
                   {"closed", book.closed ? Json(book.closed->message) : Json()},
                   {"devices", std::move(devices)},
                   {"leases", lease_list(book.leases, book.now)},
                   {"waiting", std::move(waiting)}};
  if (book.ended) document["ended"] = lease_list(*book.ended, book.now);
  return document;
}

Json ending_document(LeaseId id, const Ending& ending, std::optional<Bytes> observed, const std::string& note) {
  return {
      {"schema", "gpukeeper.ending/1"}, {"id", std::to_string(number(id))},          {"state", to_string(ending.state)},
      {"already", ending.already},      {"observed_bytes", or_null_value(observed)}, {"note", text_or_null(note)}};
}

Json endings_document(std::size_t ended) {
  return {{"schema", "gpukeeper.endings/1"}, {"ended", ended}};
}

Json quota_object(const ServiceQuota& quota) {
  return {{"min_request_bytes", or_null_value(quota.min_request)},
          {"max_request_bytes", or_null_value(quota.max_request)},
          {"total_bytes", or_null_value(quota.total)},
          {"leases", or_null(quota.leases)},
          {"devices", quota.devices},
          {"preferred_device", text_or_null(quota.preferred_device)},
          {"near", quota.near},
          {"apart", quota.apart},
          {"priority", quota.priority}};
}

Json quotas_document(const std::vector<ServiceAccount>& services) {
  Json list = Json::array();
  for (const ServiceAccount& service : services) {
    list.push_back({{"service", service.name.text()},
                    {"quota", service.quota ? quota_object(*service.quota) : Json()},
                    {"booked_bytes", service.booked.value()},
                    {"leases", service.leases}});
  }
  return {{"schema", "gpukeeper.quotas/1"}, {"services", std::move(list)}};
}

Json refusal_object(const Refusal& refusal) {
  Json devices = Json::array();
  for (const DeviceRefusal& device : refusal.devices) devices.push_back(device_refusal_object(device));
  return {{"cause", to_string(refusal.cause)}, {"may_come", refusal.may_come}, {"devices", std::move(devices)}};
}

}  // namespace gpukeeper
