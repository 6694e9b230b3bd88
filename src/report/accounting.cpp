#include "report/accounting.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "report/findings.hpp"

namespace gpukeeper::report {
namespace {

using account::Party;
using account::Usage;
using Kind = AccountingRow::Kind;

// In the order of AccountKey.
constexpr std::array<std::string_view, 9> kWords = {"user", "service", "container", "pod", "namespace",
                                                    "job",  "lease",   "class",     "gpu"};

// Of "ml/trainer-0" the first; of a pod whose name was never told, nothing.
std::string name_space_of(const account::Account& account, const Party& party) {
  const auto name = account.pods.find(party.pod);
  return name == account.pods.end() ? std::string() : name->second.substr(0, name->second.find('/'));
}

std::string name_of(const account::Account& account, const Party& party, AccountKey by) {
  switch (by) {
    case AccountKey::user: return party.user;
    case AccountKey::service: return service_name(account, party);
    case AccountKey::container: return party.container;
    case AccountKey::pod: return pod_name(account, party.pod);
    case AccountKey::name_space: return name_space_of(account, party);
    case AccountKey::job: return party.job;
    case AccountKey::lease: return party.lease == 0 ? std::string() : std::to_string(party.lease);
    case AccountKey::work: return party.kind == ProcessClass::unknown ? "" : std::string(to_string(party.kind));
    case AccountKey::gpu: break;
  }
  return {};
}

// Adds up slots; by kind and name, so that named rows stand in front.
class Sums {
 public:
  Sums(const account::Account& account, AccountKey by) : account_(account), by_(by) {}

  void add(const account::Slot& slot) {
    for (const auto& [places, usage] : slot.parties) {
      if (by_ == AccountKey::gpu) {
        add_to_gpu(places.first, usage);
      } else {
        const std::string name = name_of(account_, *account_.parties[places.second], by_);
        rows_[{name.empty() ? Kind::none : Kind::named, name}] += usage;
      }
    }
    for (const auto& [place, use] : slot.devices) {
      devices_[place] += use;
      if (by_ == AccountKey::gpu) {
        add_to_gpu(place, use.free);
        add_to_gpu(place, use.unlisted);
      } else {
        rows_[{Kind::free, ""}] += use.free;
        rows_[{Kind::unlisted, ""}] += use.unlisted;
      }
    }
  }

  const std::map<std::uint32_t, account::DeviceUse>& devices() const { return devices_; }

  std::vector<AccountingRow> rows() const {
    std::vector<AccountingRow> result;
    for (const auto& [key, usage] : rows_) {
      if (usage != Usage()) result.push_back({key.first, key.second, usage});
    }
    std::ranges::stable_sort(result, [](const AccountingRow& a, const AccountingRow& b) {
      return std::tuple(a.kind, -a.usage.joules, -a.usage.gpu_seconds) <
             std::tuple(b.kind, -b.usage.joules, -b.usage.gpu_seconds);
    });
    return result;
  }

 private:
  void add_to_gpu(std::uint32_t place, const Usage& usage) {
    const account::AccountedDevice& device = account_.devices[place];
    rows_[{Kind::named, fmt::format("{} {} {}", device.index, device.name, device.id.text)}] += usage;
  }

  const account::Account& account_;
  const AccountKey by_;
  std::map<std::pair<Kind, std::string>, Usage> rows_;
  std::map<std::uint32_t, account::DeviceUse> devices_;
};

// The sentences of a report of these devices.
std::vector<std::string> unknowns(const account::Account& account, const Sums& sums, const Accounting& accounting) {
  Report report{.from = accounting.from, .to = accounting.to};
  for (const auto& [place, use] : sums.devices()) {
    report.devices.push_back({account.devices[place], use, {}});
    report.total += use;
  }
  return unknowns_of(report);
}

}  // namespace

std::string_view to_string(AccountKey key) {
  return kWords.at(static_cast<std::size_t>(key));
}

std::span<const std::string_view> account_key_words() {
  return kWords;
}

Result<AccountKey> parse_account_key(std::string_view word) {
  if (word == "process-class") return AccountKey::work;
  const auto found = std::ranges::find(kWords, word);
  if (found != kWords.end()) return static_cast<AccountKey>(found - kWords.begin());
  return fail(Errc::invalid_argument,
              fmt::format("by takes one of {}, not '{}'", fmt::join(kWords, ", "), fit(harmless(word), 60)));
}

std::string_view to_string(AccountingRow::Kind kind) {
  switch (kind) {
    case Kind::named: return "named";
    case Kind::none: return "none";
    case Kind::unlisted: return "unlisted";
    case Kind::free: return "free";
  }
  return "named";
}

Result<Accounting> account_for(const account::Account& account, const Range& range, AccountKey by,
                               const Sources& sources) {
  const auto stretch = stretch_of(account, range);
  if (!stretch) return tl::make_unexpected(stretch.error());
  Accounting accounting{.host = sources.host, .basis = sources.basis, .by = by, .tariff = sources.tariff};
  accounting.from = accounting.to = stretch->since;
  Sums sums(account, by);
  bool first = true;
  for (const auto& slot : account.slots) {
    if (slot->end() <= stretch->since || slot->begin >= stretch->until) continue;
    if (std::exchange(first, false)) accounting.from = std::max(slot->begin, *account.since);
    accounting.to = std::min(slot->end(), account.until);
    accounting.division += slot->division;
    sums.add(*slot);
  }
  if (first)
    return fail(Errc::unavailable, "no GPU has been looked at twice in that time: there is nothing to account for");
  accounting.rows = sums.rows();
  for (const AccountingRow& row : accounting.rows) accounting.total += row.usage;
  for (const auto& [place, use] : sums.devices()) {
    accounting.simulated |= account.devices[place].simulated;
    accounting.recorded |= account.devices[place].recorded;
  }
  accounting.unknowns = unknowns(account, sums, accounting);
  return accounting;
}

}  // namespace gpukeeper::report
