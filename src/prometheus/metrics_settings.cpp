#include "prometheus/metrics_settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::prometheus {
namespace {

using Named = std::pair<std::string_view, MetricFamily>;

constexpr std::size_t kLongestPrefix = 64;

// As Prometheus wants the beginning of a name, but for the colon, which is for rules.
bool is_prefix(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > kLongestPrefix || !is_letter(text.front())) return false;
  return std::ranges::all_of(text, [&](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace

FamilySet all_families() {
  return MetricsSettings().family_set();
}

Result<FamilySet> parse_families(std::string_view words) {
  FamilySet families;
  for (const std::string_view word : split(words, ',')) {
    const auto* known = std::ranges::find(kFamilies, trim(word), &Named::first);
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

std::vector<std::string> check(const MetricsSettings& settings) {
  std::vector<std::string> found;
  if (!is_prefix(settings.prefix)) {
    found.push_back(fmt::format(
        "metrics.prefix: '{}' begins no metric's name: that takes letters, digits and _, no digit first, {} "
        "at the most, such as entrenar",
        fit(harmless(settings.prefix), 80), kLongestPrefix));
  }
  if (settings.service_name.empty()) {
    found.emplace_back("metrics.service_name: it is empty; it takes a name such as gpu-optimizer");
  }
  return found;
}

}  // namespace gpukeeper::prometheus
