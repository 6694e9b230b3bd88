#include "service/services_answer.hpp"

#include <utility>
#include <vector>

#include "format/services_json.hpp"
#include "service/parameters.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {
namespace {

Response answer(const Request& request, Bookkeeper* book, const Snapshot& snapshot) {
  if (const auto known = check_parameters(request, {}); !known) return refused_query(known.error());
  if (!book) return starting();
  std::vector<ServiceView> services;
  book->look([&](const Ledger& ledger) { services = service_views(ledger); });
  return json_answer(200, services_json(services, snapshot, book->clock().wall()) + "\n");
}

}  // namespace

Route services_route(std::function<Bookkeeper*()> book, std::function<std::shared_ptr<const Snapshot>()> snapshot) {
  return described({"GET", "/api/v1/services", "What every service may, has and waits for of the GPUs' memory.",
                    [book = std::move(book), snapshot = std::move(snapshot)](const Request& request) {
                      return answer(request, book(), *snapshot());
                    }},
                   {.tag = kLeases, .gives = "services"});
}

}  // namespace gpukeeper::service
