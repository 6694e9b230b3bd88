#include "prometheus/metrics_text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "prometheus/family_gpukeeper.hpp"

namespace gpukeeper::prometheus {
namespace {

// What a GPU takes with everything in it, and what the rest does.
constexpr std::size_t kBytesOfDevice = 32 << 10;
constexpr std::size_t kBytesOfRest = 16 << 10;

}  // namespace

FamilySet all_families() {
  FamilySet all;
  for (const auto& [name, family] : kFamilies) all.insert(family);
  return all;
}

Result<FamilySet> parse_families(std::string_view words) {
  FamilySet families;
  for (const std::string_view word : split(words, ',')) {
    const auto* known = std::ranges::find(kFamilies, trim(word), &std::pair<std::string_view, MetricFamily>::first);
    if (known == std::end(kFamilies)) {
      std::vector<std::string_view> names;
      for (const auto& [name, family] : kFamilies) names.push_back(name);
      return fail(Errc::invalid_argument, fmt::format("there is no family of metrics '{}': known are {}",
                                                      fit(harmless(word), 40), fmt::join(names, ", ")));
    }
    families.insert(known->second);
  }
  return families;
}

std::string metrics_text(const MetricFacts& facts, const FamilySet& families, Syntax syntax) {
  Exposition out(syntax, kBytesOfRest + facts.snapshot->devices.size() * kBytesOfDevice);
  if (families.contains(MetricFamily::gpukeeper)) write_gpukeeper(out, facts);
  return std::move(out).finish();
}

}  // namespace gpukeeper::prometheus
