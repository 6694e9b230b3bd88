#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper::report {

/// What somebody should do, or that something is worth knowing: a sentence, which follows from what was measured.
/// Names in it may hold anything.
struct Advice {
  enum class Weight { bad, notice, good };
  Weight weight = Weight::notice;
  std::string sentence;
  friend bool operator==(const Advice&, const Advice&) = default;
};

std::string_view to_string(Advice::Weight weight);

/// Of the memory as it is now, out of gpukeeper.leases/1; what is no such document gives none. The gravest first, and
/// nothing where all is well.
std::vector<Advice> advice_on_memory(std::string_view leases);

}  // namespace gpukeeper::report
