#include "faults/fault_record.hpp"

namespace gpukeeper {

void fill_explanation(FaultRecord& record) {
  DeviceEvent event;
  event.kind = record.kind;
  event.code = record.code;
  event.count = record.count;
  event.detail = record.detail;
  Explanation words = explain(event);
  record.title = std::move(words.title);
  record.explanation = std::move(words.explanation);
  record.action = std::move(words.action);
}

}  // namespace gpukeeper
