#include "storage/history_store_settings.hpp"

#include <fmt/format.h>

namespace gpukeeper {

std::vector<std::string> check(const HistoryStoreSettings& settings) {
  std::vector<std::string> found;
  const auto no_shorter = [&](std::string_view coarse, std::chrono::nanoseconds its, std::string_view fine,
                              std::chrono::nanoseconds least) {
    if (its >= least) return;
    found.push_back(
        fmt::format("history.store.{} must not be shorter than history.store.{}: the further back, the "
                    "coarser it is kept",
                    coarse, fine));
  };
  no_shorter("keep_10s", settings.keep_ten_seconds, "keep_1s", settings.keep_seconds);
  no_shorter("keep_1m", settings.keep_minutes, "keep_10s", settings.keep_ten_seconds);
  return found;
}

}  // namespace gpukeeper
