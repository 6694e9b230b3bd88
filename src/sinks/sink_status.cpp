#include "sinks/sink_status.hpp"

#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {

std::string sinks_json(const std::vector<SinkStatus>& sinks) {
  const auto time = [](const std::optional<WallTime>& at) { return at ? Json(rfc3339(*at)) : Json(); };
  Json list = Json::array();
  for (const SinkStatus& each : sinks) {
    list.push_back({{"name", each.name},
                    {"kind", to_string(each.kind)},
                    {"last_success", time(each.last_success)},
                    {"last_failure", time(each.last_failure)},
                    {"error", text_or_null(each.error)},
                    {"sent", each.sent},
                    {"waiting", each.waiting},
                    {"dropped", each.dropped},
                    {"spool", text_or_null(each.spool)}});
  }
  return dump(Json{{"sinks", list}}, false);
}

}  // namespace gpukeeper
