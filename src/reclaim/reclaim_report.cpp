#include "reclaim/reclaim_report.hpp"

namespace gpukeeper::reclaim {

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::reap: return "reap";
    case Stage::ask: return "ask";
    case Stage::name: return "name";
    case Stage::suspend: return "suspend";
    case Stage::terminate: return "terminate";
  }
  return "?";
}

std::string_view documented_type(Stage stage) {
  switch (stage) {
    case Stage::reap: return "stale_reclaim";
    case Stage::ask: return "cache_trim";
    case Stage::name: return "";
    case Stage::suspend:
    case Stage::terminate: return "memory_cleanup";
  }
  return "";
}

Metric<Bytes> Deed::returned() const {
  if (!before) return before;
  if (!after) return after;
  return remaining(*before, *after);
}

Bytes StepReport::returned() const {
  Bytes sum{0};
  for (const Deed& deed : deeds) sum = sum + deed.returned().value_or(Bytes(0));
  return sum;
}

Bytes ReclaimReport::returned() const {
  Bytes sum{0};
  for (const StepReport& step : steps) sum = sum + step.returned();
  return sum;
}

}  // namespace gpukeeper::reclaim
