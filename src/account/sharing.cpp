#include "account/sharing.hpp"

#include <cmath>

namespace gpukeeper::account {
namespace {

// In proportion; nothing where one of them is not known, or all are zero.
std::optional<std::vector<double>> in_proportion(std::span<const Claim> claims, std::optional<double> Claim::*value) {
  double sum = 0;
  for (const Claim& claim : claims) {
    const auto& known = claim.*value;
    if (!known || !std::isfinite(*known) || *known < 0) return std::nullopt;
    sum += *known;
  }
  if (!(sum > 0) || !std::isfinite(sum)) return std::nullopt;
  std::vector<double> shares;
  shares.reserve(claims.size());
  for (const Claim& claim : claims) shares.push_back(*(claim.*value) / sum);
  return shares;
}

}  // namespace

Shares divide(std::span<const Claim> claims) {
  if (auto shares = in_proportion(claims, &Claim::use)) return {std::move(*shares), SharedBy::use};
  if (auto shares = in_proportion(claims, &Claim::bytes)) return {std::move(*shares), SharedBy::memory};
  if (claims.empty()) return {};
  return {std::vector<double>(claims.size(), 1.0 / static_cast<double>(claims.size())), SharedBy::evenly};
}

}  // namespace gpukeeper::account
