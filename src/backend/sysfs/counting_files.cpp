#include "backend/sysfs/counting_files.hpp"

namespace gpukeeper {

template <class Access>
auto CountingFiles::counted(const Access& access) const {
  // Counted before it is made: an access that hangs in the driver has cost a call all the same.
  calls_.fetch_add(1, std::memory_order_relaxed);
  const auto start = clock_.now();
  auto result = access();
  const auto taken = std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.now() - start);
  nanoseconds_.fetch_add(taken.count(), std::memory_order_relaxed);
  return result;
}

Result<std::string> CountingFiles::read(std::string_view path) const {
  return counted([&] { return inner_.read(path); });
}

Result<std::vector<std::string>> CountingFiles::list(std::string_view folder) const {
  return counted([&] { return inner_.list(folder); });
}

Result<std::string> CountingFiles::read_link(std::string_view path) const {
  return counted([&] { return inner_.read_link(path); });
}

Result<FileFacts> CountingFiles::stat(std::string_view path) const {
  return counted([&] { return inner_.stat(path); });
}

Result<void> CountingFiles::each_line(std::string_view path, const LineReader& line) const {
  return counted([&] { return inner_.each_line(path, line); });
}

DriverCost CountingFiles::cost() const {
  return DriverCost{calls_.load(std::memory_order_relaxed),
                    std::chrono::nanoseconds(nanoseconds_.load(std::memory_order_relaxed))};
}

}  // namespace gpukeeper
