#include "service/forecast_answer.hpp"

#include "forecast/forecast_json.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {

Response forecast_answer(const Request& request, const Past& past, const Snapshot& snapshot) {
  if (const auto known = check_parameters(request, {"device"}); !known) return refused_query(known.error());
  const auto devices = list_parameter(request, "device");
  if (!devices) return refused_query(devices.error());
  const auto history = past.history();
  if (!history || snapshot.sequence == 0) return starting();
  const auto view = forecast::gather_forecasts(*history, past.older().get(), snapshot, *devices);
  if (!view) return refused_query(view.error());
  return json_answer(200, forecast::forecast_json(*view, false) + "\n");
}

}  // namespace gpukeeper::service
