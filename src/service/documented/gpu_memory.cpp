#include "service/documented/gpu_memory.hpp"

#include <utility>

#include "service/documented/gpu_objects.hpp"
#include "service/elsewhere.hpp"
#include "service/later.hpp"

namespace gpukeeper::service::documented {
namespace {

// What is to be made on the server's thread, for another thread to hand over.
Response on_the_servers_thread(Later::Make make) {
  Response response;
  response.later = std::make_shared<Later>();
  response.later->give(std::move(make));
  return response;
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

std::vector<Route> gpu_memory_routes(const std::shared_ptr<GpuMemory>& memory) {
  return {
      {"GET", "/api/gpu/memory/available",
       "How much memory may still be allocated on a GPU, for clients of the GPU manager; ?gpu_id=.",
       [memory](const Request& request) {
         return memory->with(request, [id = gpu_in_query(request)](const auto& snapshot, const auto& known) {
           return succeeded({{"gpu_id", id}, {"available_mb", available_on(*snapshot, *known, id)}});
         });
       }},
  };
}

}  // namespace gpukeeper::service::documented
