#include "service/devices_answer.hpp"

#include <string>
#include <vector>

#include "format/columns.hpp"
#include "format/devices_json.hpp"
#include "format/states_json.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {
namespace {

Response told(const std::vector<std::string>& selectors, const Snapshot& snapshot, const Files& files) {
  if (snapshot.sequence == 0) return starting();
  const auto chosen = select_devices(snapshot, selectors);
  if (!chosen) return refused_query(chosen.error());
  return json_answer(200, devices_json(*chosen, connections(*chosen, files), false) + "\n");
}

// ?device=, the one parameter.
Result<std::vector<std::string>> selectors_of(const Request& request) {
  if (const auto known = check_parameters(request, {"device"}); !known) return tl::make_unexpected(known.error());
  return list_parameter(request, "device");
}

}  // namespace

Response devices_answer(const Request& request, const Snapshot& snapshot, const Files& files) {
  const auto selectors = selectors_of(request);
  return selectors ? told(*selectors, snapshot, files) : refused_query(selectors.error());
}

Response device_answer(const Request& request, const Snapshot& snapshot, const Files& files) {
  if (const auto known = check_parameters(request, {}); !known) return refused_query(known.error());
  return told({request.parameters.at("device")}, snapshot, files);
}

Response states_answer(const Request& request, const Snapshot& snapshot) {
  const auto selectors = selectors_of(request);
  if (!selectors) return refused_query(selectors.error());
  if (snapshot.sequence == 0) return starting();
  const auto chosen = select_devices(snapshot, *selectors);
  if (!chosen) return refused_query(chosen.error());
  return json_answer(200, states_json(*chosen) + "\n");
}

}  // namespace gpukeeper::service
