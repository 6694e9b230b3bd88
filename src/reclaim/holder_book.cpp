#include "reclaim/holder_book.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/files.hpp"
#include "core/replace_file.hpp"
#include "core/text.hpp"
#include "ledger/lease_request.hpp"
#include "reclaim/holder_json.hpp"

namespace gpukeeper::reclaim {
namespace {

constexpr std::string_view kSchema = "gpukeeper.holders/1";
constexpr std::size_t kLargestFile = std::size_t{64} << 20;

Result<void> check_name(std::string_view name) {
  const bool plain =
      std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
  if (!name.empty() && name.size() <= kLongestName && plain && harmless(name) == name) return {};
  return fail(Errc::invalid_argument,
              fmt::format("the name of a part has 1 to {} bytes of UTF-8 without control characters", kLongestName));
}

}  // namespace

Bytes sum_of(const Parts& parts) {
  Bytes sum{0};
  for (const auto& [name, bytes] : parts) sum = sum + bytes;
  return sum;
}

void HolderBook::open(std::string path) {
  std::scoped_lock writing(writing_);
  path_ = std::move(path);
  if (path_.empty()) return;
  auto found = read(path_);
  if (!found) {
    trouble_ = found.error();
    return;
  }
  std::scoped_lock lock(mutex_);
  entries_ = std::move(*found);
}

Result<HolderBook::Entries> HolderBook::read(const std::string& path) {
  const auto text = read_file(path, kLargestFile);
  if (!text && text.error().code == Errc::not_found) return Entries();
  if (!text) return tl::make_unexpected(text.error());
  const auto damaged = [&] {
    return fail(
        Errc::unavailable,
        fmt::format("{} is no list of holders of gpukeeper's; move it away to begin a new one", harmless(path)));
  };
  const Json document = Json::parse(*text, nullptr, false);
  const bool ours = document.is_object() && document.contains("schema") && document["schema"] == kSchema &&
                    document.contains("leases") && document["leases"].is_array();
  if (!ours) return damaged();
  Entries entries;
  for (const Json& each : document["leases"]) {
    const auto id = each.is_object() && each.contains("id") && each["id"].is_string()
                        ? parse_u64(each["id"].get<std::string>())
                        : std::nullopt;
    if (!id) return damaged();
    Entry& entry = entries[LeaseId{*id}];
    if (each.contains("holder")) {
      auto holder = holder_of(each["holder"]);
      if (!holder) return damaged();
      entry.holder = std::move(*holder);
    }
    if (!each.contains("parts")) continue;
    if (!each["parts"].is_object()) return damaged();
    for (const auto& [name, bytes] : each["parts"].items()) {
      if (!bytes.is_number_unsigned()) return damaged();
      entry.parts.emplace(name, Bytes(bytes.get<std::uint64_t>()));
    }
  }
  return entries;
}

std::string HolderBook::text(const Entries& entries) {
  Json leases = Json::array();
  for (const auto& [id, entry] : entries) {
    Json& lease = leases.emplace_back();
    lease["id"] = std::to_string(number(id));
    if (entry.holder) lease["holder"] = to_json(*entry.holder);
    for (const auto& [name, bytes] : entry.parts) lease["parts"][name] = bytes.value();
  }
  return dump({{"schema", std::string(kSchema)}, {"leases", std::move(leases)}}, true) + "\n";
}

HolderBook::Entries HolderBook::entries() const {
  std::scoped_lock lock(mutex_);
  return entries_;
}

// A change is made to a copy, which is written first and believed then.
Result<void> HolderBook::change(LeaseId lease, const std::function<Result<void>(Entry&)>& how) {
  std::scoped_lock writing(writing_);
  if (trouble_) return tl::make_unexpected(*trouble_);
  Entries entries = this->entries();
  if (entries.size() >= kMostKept && !entries.contains(lease)) {
    return fail(Errc::resource_exhausted, fmt::format("{} leases have holders or parts; no more are kept", kMostKept));
  }
  Entry& entry = entries[lease];
  if (auto done = how(entry); !done) return done;
  if (entry.empty()) entries.erase(lease);
  if (!path_.empty()) {
    if (auto written = replace_file(path_, text(entries), 0600); !written) return written;
  }
  std::scoped_lock lock(mutex_);
  entries_.swap(entries);
  return {};
}

Result<void> HolderBook::set_holder(LeaseId lease, Holder holder) {
  return change(lease, [&](Entry& entry) -> Result<void> {
    entry.holder = std::move(holder);
    return {};
  });
}

Result<bool> HolderBook::remove_holder(LeaseId lease) {
  if (!holder(lease)) return false;
  bool was_there = false;
  auto done = change(lease, [&](Entry& entry) -> Result<void> {
    was_there = entry.holder.has_value();
    entry.holder.reset();
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return was_there;
}

std::optional<Holder> HolderBook::holder(LeaseId lease) const {
  std::scoped_lock lock(mutex_);
  const auto found = entries_.find(lease);
  return found == entries_.end() ? std::nullopt : found->second.holder;
}

std::map<LeaseId, Holder> HolderBook::holders() const {
  std::scoped_lock lock(mutex_);
  std::map<LeaseId, Holder> all;
  for (const auto& [id, entry] : entries_) {
    if (entry.holder) all.emplace(id, *entry.holder);
  }
  return all;
}

Result<void> HolderBook::set_part(const Lease& lease, const std::string& name, Bytes bytes) {
  if (auto fine = check_name(name); !fine) return fine;
  return change(lease.id, [&](Entry& entry) -> Result<void> {
    if (entry.parts.size() >= kMostParts && !entry.parts.contains(name)) {
      return fail(Errc::resource_exhausted,
                  fmt::format("lease {} has {} parts, and may have no more", number(lease.id), kMostParts));
    }
    entry.parts.erase(name);
    const Bytes left = remaining(lease.min, sum_of(entry.parts));
    if (bytes > left) {
      return fail(Errc::resource_exhausted, fmt::format("part {} asks for {}, and of the {} of lease {} {} are left",
                                                        name, mib(bytes), mib(lease.min), number(lease.id), mib(left)));
    }
    entry.parts.emplace(name, bytes);
    return {};
  });
}

Result<bool> HolderBook::remove_part(LeaseId lease, std::string_view name) {
  if (!parts(lease).contains(std::string(name))) return false;
  bool was_there = false;
  auto done = change(lease, [&](Entry& entry) -> Result<void> {
    was_there = entry.parts.erase(std::string(name)) > 0;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return was_there;
}

Parts HolderBook::parts(LeaseId lease) const {
  std::scoped_lock lock(mutex_);
  const auto found = entries_.find(lease);
  return found == entries_.end() ? Parts() : found->second.parts;
}

void HolderBook::keep_only(const std::set<LeaseId>& leases) {
  std::scoped_lock writing(writing_);
  std::scoped_lock lock(mutex_);
  std::erase_if(entries_, [&](const auto& entry) { return !leases.contains(entry.first); });
}

}  // namespace gpukeeper::reclaim
