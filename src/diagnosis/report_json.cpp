#include "diagnosis/report_json.hpp"

#include "format/human.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

Json answer_json(const Diagnosis& answer) {
  return {{"topic", to_string(answer.topic)}, {"tone", to_string(answer.tone)}, {"brief", text_or_null(answer.brief)},
          {"verdict", answer.verdict},        {"evidence", answer.evidence},    {"other_causes", answer.other_causes},
          {"advice", answer.advice}};
}

}  // namespace

std::string report_json(const Snapshot& snapshot, const DiagnosisReport& report, bool indented) {
  Json devices = Json::array();
  for (const DeviceDiagnosis& device : report.devices) {
    Json answers = Json::array();
    for (const Diagnosis& answer : device.answers) answers.push_back(answer_json(answer));
    devices.push_back({{"gpu", device.index},
                       {"uuid", device.uuid},
                       {"name", device.name},
                       {"simulated", device.simulated},
                       {"recorded", device.recorded},
                       {"answers", std::move(answers)}});
  }
  return dump({{"schema", "gpukeeper.why/1"},
               {"taken_at", rfc3339(snapshot.taken_at)},
               {"host", snapshot.host},
               {"tone", to_string(report.tone)},
               {"summary", report.summary},
               {"warnings", report.warnings},
               {"devices", std::move(devices)}},
              indented);
}

}  // namespace gpukeeper
