#include "ledger/account.hpp"

#include <utility>

namespace gpukeeper {
namespace {

std::uint64_t percent_of(Bytes whole, std::uint64_t percent) {
  return whole.value() / 100 * percent;
}

// What draws on a screen holds a little on every desktop machine; what computes with this much is somebody's work.
constexpr Bytes kNegligible = 1_MiB;

}  // namespace

void DeviceAccount::Sums::change(const Lease& lease, int sign) {
  if (!holds_memory(lease.state)) return;
  const auto add = [sign](std::uint64_t& sum, Bytes bytes) {
    sum = sign > 0 ? sum + bytes.value() : sum - bytes.value();
  };
  if (lease.observed) {
    add(observed, *lease.observed);
  } else {
    add(unseen, lease.min);
  }
  if (lease.state == LeaseState::draining) {
    ending += sign;
    add(draining, charge_of(lease));
    return;
  }
  held += sign;
  if (lease.exclusive) exclusive += sign;
  add(charged, charge_of(lease));
  if (lease.state == LeaseState::suspended) return;
  add(booked, lease.min);
  add(burst, lease.max);
  if (lease.surface == Surface::documented) add(documented, lease.min);
}

void DeviceAccount::set_limit(const DeviceLimit& limit, const DocumentedLimit& documented, bool bookkeeping_only) {
  limit_ = limit;
  documented_limit_ = documented;
  bookkeeping_only_ = bookkeeping_only;
  set_bounds();
}

void DeviceAccount::set_bounds() {
  bounds_ = Bounds{};
  if (!facts_.total) {
    bounds_.capacity = bounds_.burst = bounds_.documented = facts_.total;
    set_available();
    return;
  }
  const Bytes eighty_percent(percent_of(whole(), 80));
  bounds_.room = remaining(remaining(*facts_.total, facts_.reserved.value_or(Bytes(0))), headroom());
  bounds_.capacity = std::min(bounds_.room, limit_.most_is_auto ? eighty_percent : limit_.most.value_or(bounds_.room));
  bounds_.burst =
      Bytes(static_cast<std::uint64_t>(static_cast<double>(bounds_.capacity->value()) * limit_.burst_ratio));
  const Bytes reserve = documented_limit_.reserve;
  bounds_.documented = documented_limit_.limit ? std::min(*documented_limit_.limit, remaining(*facts_.total, reserve))
                                               : remaining(eighty_percent, reserve);
  set_available();
}

void DeviceAccount::take(Facts facts) {
  if (facts.used) {
    // What is used at the first look is that of the leases that an earlier process granted, as far as they booked.
    const std::uint64_t now = facts.used->value();
    const std::uint64_t before = last_used_.value_or(0);
    if (now > before) inferred_ = inferred() + (now - before);
    last_used_ = now;
  }
  facts_ = std::move(facts);
  inferred_ = inferred();
  if (facts_.used) inferred_ = std::min(inferred_, remaining(*facts_.used, Bytes(sums_.observed)).value());
  set_bounds();
}

Bytes DeviceAccount::headroom() const {
  if (limit_.headroom) return *limit_.headroom;
  if (facts_.unified) return Bytes(percent_of(whole(), 40));
  return std::max(Bytes(percent_of(whole(), 2)), 256_MiB);
}

void DeviceAccount::change(const Lease& lease, int sign) {
  sums_.change(lease, sign);
  set_available();
}

void DeviceAccount::set_available() {
  const auto& most = capacity();
  if (!most) {
    available_ = most;
  } else if (bookkeeping_only_) {
    available_ = remaining(*most, booked());
  } else if (const auto foreign = unmanaged(); !foreign) {
    available_ = foreign;
  } else {
    // A limit bounds what is booked; the device bounds what is booked and used.
    const Bytes leases = charged() + draining();
    available_ = std::min(remaining(*most, leases), remaining(bounds_.room, leases + *foreign));
  }
}

Metric<Bytes> DeviceAccount::documented_available() const {
  if (!documented_limit()) return documented_limit();
  return remaining(*documented_limit(), documented());
}

Metric<Bytes> DeviceAccount::burst_room() const {
  if (!burst_capacity()) return burst_capacity();
  return remaining(*burst_capacity(), Bytes(sums_.burst));
}

Metric<Bytes> DeviceAccount::unmanaged() const {
  if (!facts_.used) return facts_.used;
  return remaining(*facts_.used, observed());
}

bool DeviceAccount::has_foreign_compute() const {
  return std::ranges::any_of(facts_.foreign, [](const ForeignProcess& process) {
    return process.compute && process.memory.value_or(kNegligible) >= kNegligible;
  });
}

}  // namespace gpukeeper
