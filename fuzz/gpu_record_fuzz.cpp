// What programs read back through the public headers: the documented record of a GPU, its alerts, what a
// daemon answers.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "gpukeeper/gpu_alert.hpp"
#include "gpukeeper/gpu_metrics.hpp"
#include "gpukeeper/past.hpp"

using namespace gpukeeper;

namespace {

// What was read is written so that it is read again.
template <class T>
void expect_the_same_again(const std::optional<T>& value, const std::string& mistake, auto read) {
  if (!value && mistake.empty()) std::abort();
  if (value && read(to_json(*value), nullptr) != value) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string mistake;
  const auto metrics = read_gpu_metrics(text, &mistake);
  expect_the_same_again(metrics, mistake, read_gpu_metrics);
  mistake.clear();
  const auto alert = read_gpu_alert(text, &mistake);
  expect_the_same_again(alert, mistake, read_gpu_alert);
  mistake.clear();
  const auto gpus = read_snapshot(text, &mistake);
  if (!gpus && mistake.empty()) std::abort();
  if (gpus) {
    for (const GpuMetrics& each : *gpus) {
      if (!read_gpu_metrics(to_json(each))) std::abort();
    }
  }
  mistake.clear();
  const bool no_past = !read_histories(text, &mistake) && !read_trends(text, &mistake);
  if (no_past && mistake.empty()) std::abort();
  return 0;
}
