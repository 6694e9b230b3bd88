#include "cli/cli.hpp"

#include <cstdio>
#include <span>

#include <fmt/format.h>

#include "device/metric_table.hpp"

namespace gpukeeper::cli {

int run(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() == 2 && std::string_view(arguments[1]) == "metrics") {
    for (const MetricRow& row : metric_table()) fmt::print("{}\t{}\n", row.name, row.help);
    return 0;
  }
  fmt::print(stderr, "gpukeeper: usage: gpukeeper metrics\n");
  return 2;
}

}  // namespace gpukeeper::cli
