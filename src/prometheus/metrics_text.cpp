#include "prometheus/metrics_text.hpp"

#include "prometheus/family_dcgm.hpp"
#include "prometheus/family_documented.hpp"
#include "prometheus/family_gpukeeper.hpp"
#include "prometheus/family_prefix.hpp"

namespace gpukeeper::prometheus {
namespace {

// What a GPU takes with everything in it, and what the rest does.
constexpr std::size_t kBytesOfDevice = 32 << 10;
constexpr std::size_t kBytesOfRest = 16 << 10;

}  // namespace

std::string metrics_text(const MetricFacts& facts, const FamilySet& families, Syntax syntax) {
  Exposition out(syntax, kBytesOfRest + facts.snapshot->devices.size() * kBytesOfDevice);
  if (families.contains(MetricFamily::gpukeeper)) write_gpukeeper(out, facts);
  if (families.contains(MetricFamily::documented)) write_documented(out, facts);
  const FamilyByPrefix by_prefix(facts.prefix);  // it must outlive what is written of it
  if (families.contains(MetricFamily::prefix)) by_prefix.write(out, *facts.snapshot);
  if (families.contains(MetricFamily::dcgm)) write_dcgm(out, *facts.snapshot);
  return std::move(out).finish();
}

}  // namespace gpukeeper::prometheus
