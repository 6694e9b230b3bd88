#include "service/documented/gpu_memory.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "format/lease_request_json.hpp"
#include "service/documented/gpu_objects.hpp"
#include "service/elsewhere.hpp"
#include "service/later.hpp"
#include "service/lease_authority.hpp"
#include "service/parameters.hpp"

namespace gpukeeper::service::documented {
namespace {

// What is to be made on the server's thread, for another thread to hand over.
Response on_the_servers_thread(Later::Make make) {
  Response response;
  response.later = std::make_shared<Later>();
  response.later->give(std::move(make));
  return response;
}

// The service under which all of them are booked, for quotas and for whoever looks at the leases.
constexpr std::string_view kService = "gpu_manager";

constexpr std::string_view kAllocateFields = "Missing required fields: allocation_id, required_mb";
constexpr std::string_view kDeallocateField = "Missing required field: allocation_id";
constexpr std::string_view kNotAllocated = "Memory allocation failed - insufficient memory or invalid request";
constexpr std::string_view kNotFound = "Deallocation failed - allocation not found";

bool has(const Json& body, const char* key) {
  return body.is_object() && body.contains(key) && !body[key].is_null();
}

// A text of some length, or a number, which counts as its digits.
Result<std::string> allocation_id(const Json& value) {
  if (value.is_number_integer()) return value.dump();
  if (value.is_string() && !value.get_ref<const std::string&>().empty() &&
      value.get_ref<const std::string&>().size() <= kLongestName) {
    return value.get<std::string>();
  }
  return fail(Errc::invalid_argument,
              fmt::format("allocation_id takes a text of 1 to {} bytes, or a whole number", kLongestName));
}

Result<Bytes> required(const Json& value) {
  const double bytes = value.is_number() ? std::ceil(value.get<double>() * 0x1p20) : -1;
  if (bytes > 0 && bytes <= static_cast<double>(kMostLeaseBytes)) return Bytes(static_cast<std::uint64_t>(bytes));
  return fail(Errc::invalid_argument, "required_mb takes a number of MiB above 0");
}

// Nothing for what is no whole number.
std::optional<std::int64_t> gpu_id(const Json& body) {
  if (!body.contains("gpu_id")) return 0;
  const Json& value = body["gpu_id"];
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) return -1;
  return value.get<std::int64_t>();
}

Response no_whole_number() {
  return failed(400, "gpu_id takes a whole number: the index of a GPU");
}

Response closed(std::string_view why) {
  auto response = failed(503, why);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response not_allocated(const Refusal& refusal) {
  const bool is_closed = refusal.cause == RefusalCause::closed;
  return is_closed ? closed(refusal.text()) : failed(400, kNotAllocated, refusal.text());
}

// The asker's lease of that name which came in by this door.
std::optional<LeaseId> find_lease(const Bookkeeper& book, const DeviceId& device, const std::string& name,
                                  const Request& request, uid_t own_uid) {
  std::optional<LeaseId> id;
  book.look([&](const Ledger& ledger) {
    const Lease* const lease = ledger.find(device.text, name);
    if (!lease || lease->surface != Surface::documented) return;
    if (is_admin(request) || is_own(request, *lease, own_uid)) id = lease->id;
  });
  return id;
}

// 0.0 for a GPU that there is not, as documented; null where it is not known.
Json available_on(const Snapshot& snapshot, const AllocationsByDevice& allocations, std::int64_t gpu_id) {
  const DeviceSnapshot* const device = find_gpu(snapshot, gpu_id);
  if (!device) return 0.0;
  const auto found = allocations.find(device->device->id.text);
  return found == allocations.end() ? Json() : still_available(found->second);
}

}  // namespace

std::shared_ptr<const AllocationsByDevice> GpuMemory::look(std::uint64_t sequence) const {
  const Bookkeeper* const book = sights_->book();
  return book ? known_->look(*book, sequence) : std::make_shared<const AllocationsByDevice>();
}

std::shared_ptr<const AllocationsByDevice> GpuMemory::known(std::uint64_t sequence) const {
  const auto allocations = known_->as_of(sequence);
  return allocations ? allocations : look(sequence);
}

Response GpuMemory::with(const Request& request, Make make) const {
  const auto snapshot = sights_->snapshot();
  if (snapshot->sequence == 0) return starting();
  if (const auto known = known_->as_of(snapshot->sequence)) return make(snapshot, known);
  if (!sights_->at_the_desk || !sights_->book()) return make(snapshot, look(snapshot->sequence));
  return elsewhere(
      [self = shared_from_this(), snapshot, make = std::move(make)](const Request&) {
        return on_the_servers_thread(
            [snapshot, make, known = self->look(snapshot->sequence)] { return make(snapshot, known); });
      },
      sights_->at_the_desk)(request);
}

Response GpuMemory::allocate(const Request& request) const {
  const auto body = body_of(request);
  if (!body) return body.error();
  if (!has(*body, "allocation_id") || !has(*body, "required_mb")) return failed(400, kAllocateFields);
  const auto gpu = gpu_id(*body);
  if (!gpu) return no_whole_number();
  auto name = allocation_id((*body)["allocation_id"]);
  if (!name) return failed(400, kNotAllocated, name.error().message);
  const auto size = required((*body)["required_mb"]);
  if (!size) return failed(400, kNotAllocated, size.error().message);
  const auto snapshot = sights_->snapshot();
  Bookkeeper* const book = sights_->book();
  if (snapshot->sequence == 0 || !book) return starting();
  const DeviceSnapshot* const device = find_gpu(*snapshot, *gpu);
  if (!device) return failed(400, kNotAllocated, fmt::format("there is no GPU {}", *gpu));

  LeaseRequest wanted;
  wanted.service = request.who.service.value_or(std::string(kService));
  wanted.name = std::move(*name);
  wanted.min = *size;
  wanted.owner = StandingOwner{};
  wanted.uid = user_of(request, sights_->own_uid);
  wanted.surface = Surface::documented;
  wanted.device = device->device->id.text;
  wanted.require_device = true;
  const auto booking = book->reserve(wanted);
  if (!booking) return not_allocated(booking.error());
  const auto left = look(snapshot->sequence);
  return succeeded({{"allocation_id", (*body)["allocation_id"]},
                    {"allocated_mb", (*body)["required_mb"]},
                    {"available_mb", available_on(*snapshot, *left, *gpu)}});
}

Response GpuMemory::deallocate(const Request& request) const {
  const auto body = body_of(request);
  if (!body) return body.error();
  if (!has(*body, "allocation_id")) return failed(400, kDeallocateField);
  const auto gpu = gpu_id(*body);
  if (!gpu) return no_whole_number();
  const auto name = allocation_id((*body)["allocation_id"]);
  const auto snapshot = sights_->snapshot();
  Bookkeeper* const book = sights_->book();
  if (snapshot->sequence == 0 || !book) return starting();
  const DeviceSnapshot* const device = find_gpu(*snapshot, *gpu);
  const auto lease =
      name && device ? find_lease(*book, device->device->id, *name, request, sights_->own_uid) : std::nullopt;
  if (!lease) return failed(404, kNotFound);
  const auto ending = book->release(*lease);
  if (!ending) return closed(ending.error().message);
  if (ending->already) return failed(404, kNotFound);  // another client was faster
  const auto left = look(snapshot->sequence);
  return succeeded(
      {{"allocation_id", (*body)["allocation_id"]}, {"available_mb", available_on(*snapshot, *left, *gpu)}});
}

std::vector<Route> gpu_memory_routes(const std::shared_ptr<GpuMemory>& memory) {
  return {
      described({"GET", "/api/gpu/memory/available",
                 "How much memory may still be allocated on a GPU, for clients of the GPU manager; ?gpu_id=.",
                 [memory](const Request& request) {
                   return memory->with(request, [id = gpu_in_query(request)](const auto& snapshot, const auto& known) {
                     return succeeded({{"gpu_id", id}, {"available_mb", available_on(*snapshot, *known, id)}});
                   });
                 }},
                {.tag = kGpuManager, .query = {kGpuId}, .gives = "documented.gpu_memory"}),
      described(
          {"POST", "/api/gpu/memory/allocate",
           R"(Books memory, for clients of the GPU manager: {"allocation_id": "llm", "required_mb": 2048, "gpu_id": 0}.)",
           elsewhere([memory](const Request& request) { return memory->allocate(request); }, memory->desk()), false,
           false, auth::Role::operator_, Own::service},
          {.tag = kGpuManager, .takes = "documented.allocation", .gives = "documented.allocated"}),
      described({"POST", "/api/gpu/memory/deallocate",
                 R"(Gives it back, for clients of the GPU manager: {"allocation_id": "llm", "gpu_id": 0}.)",
                 elsewhere([memory](const Request& request) { return memory->deallocate(request); }, memory->desk()),
                 false, false, auth::Role::operator_, Own::service},
                {.tag = kGpuManager, .takes = "documented.deallocation", .gives = "documented.deallocated"}),
  };
}

}  // namespace gpukeeper::service::documented
