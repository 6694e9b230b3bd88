#include "storage/lease_row.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "storage/checksum.hpp"
#include "storage/sqlite_script.hpp"

namespace gpukeeper {
namespace {

using sqlite::Failure;
using sqlite::nanoseconds;
using sqlite::Outcome;
using sqlite::Statement;
using sqlite::wall_time;

constexpr std::string_view kNative = "native";
constexpr std::string_view kDocumented = "documented";

// Writes the columns from left to right, and their checksum at last.
class RowWriter {
 public:
  explicit RowWriter(Statement& statement) : statement_(statement) {}
  void put(std::int64_t value) {
    checksum_.add(value);
    statement_.bind(value);
  }
  void put(std::uint64_t value) { put(static_cast<std::int64_t>(value)); }
  void put(std::string_view text) {
    checksum_.add(text);
    statement_.bind(text.data() ? text : std::string_view(""));  // a text of no place would be NULL
  }
  void end() { statement_.bind(checksum_.value()); }

 private:
  Statement& statement_;
  sqlite::Checksum checksum_;
};

class RowReader {
 public:
  explicit RowReader(Statement& row) : row_(row) {}
  std::int64_t integer() {
    const std::int64_t value = row_.integer();
    checksum_.add(value);
    return value;
  }
  std::uint64_t number() { return static_cast<std::uint64_t>(integer()); }
  std::string text() {
    std::string value = row_.text();
    checksum_.add(value);
    return value;
  }
  bool is_whole() { return row_.integer() == checksum_.value(); }

 private:
  Statement& row_;
  sqlite::Checksum checksum_;
};

// "3:key5:value…": sizes and bytes, whatever these are.
std::string written(const Metadata& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) text += fmt::format("{}:{}{}:{}", key.size(), key, value.size(), value);
  return text;
}

std::optional<std::string> next_piece(std::string_view& text) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || digits >= text.size() || text[digits] != ':') return std::nullopt;
  if (size > text.size() - digits - 1) return std::nullopt;
  std::string piece(text.substr(digits + 1, size));
  text.remove_prefix(digits + 1 + size);
  return piece;
}

std::optional<Metadata> read_metadata(std::string_view text) {
  Metadata metadata;
  while (!text.empty()) {
    auto key = next_piece(text);
    auto value = key ? next_piece(text) : std::nullopt;
    if (!value) return std::nullopt;
    metadata.emplace_back(std::move(*key), std::move(*value));
  }
  return metadata;
}

std::optional<Owner> owner_of(std::string_view kind, std::int64_t pid, std::uint64_t start, std::int64_t ttl) {
  if (kind == kind_of(StandingOwner{})) return StandingOwner{};
  if (kind == kind_of(ProcessOwner{})) return ProcessOwner{pid, start};
  if (kind == kind_of(HeartbeatOwner{})) return HeartbeatOwner{std::chrono::nanoseconds(ttl)};
  return std::nullopt;
}

tl::unexpected<Failure> broken(std::uint64_t id) {
  return tl::make_unexpected(Failure{{Errc::internal, fmt::format("the row of lease {} is broken", id)}, true});
}

}  // namespace

void bind_lease(Statement& statement, const Lease& lease, std::string_view boot_id) {
  const auto* process = std::get_if<ProcessOwner>(&lease.owner);
  const auto* heartbeat = std::get_if<HeartbeatOwner>(&lease.owner);
  RowWriter row(statement);
  row.put(number(lease.id));
  row.put(number(lease.group));
  row.put(std::uint64_t{lease.group_size});
  row.put(std::uint64_t{lease.generation});
  row.put(lease.fencing_token);
  row.put(std::string_view(lease.service.text()));
  row.put(std::string_view(lease.device.text()));
  row.put(std::string_view(lease.name));
  row.put(std::string_view(lease.request_id));
  row.put(lease.min.value());
  row.put(lease.max.value());
  row.put(lease.peak.value());
  row.put(lease.at_end.value());
  row.put(kind_of(lease.owner));
  row.put(process ? process->pid : std::int64_t{0});
  row.put(process ? process->start_ticks : std::uint64_t{0});
  row.put(heartbeat ? std::int64_t{heartbeat->ttl.count()} : std::int64_t{0});
  row.put(std::int64_t{lease.priority});
  row.put(std::uint64_t{lease.uid});
  row.put(to_string(lease.state));
  row.put(to_string(lease.reason));
  row.put(lease.surface == Surface::native ? kNative : kDocumented);
  row.put(std::int64_t{lease.exclusive});
  row.put(nanoseconds(lease.created));
  row.put(nanoseconds(lease.changed));
  row.put(std::int64_t{lease.lifetime.count()});
  row.put(lease.metadata ? std::string_view(written(*lease.metadata)) : std::string_view());
  row.put(boot_id);
  row.end();
}

Outcome<KeptLease> read_lease(Statement& statement) {
  RowReader row(statement);
  KeptLease kept;
  Lease& lease = kept.lease;
  lease.id = LeaseId{row.number()};
  lease.group = LeaseId{row.number()};
  lease.group_size = static_cast<std::uint32_t>(row.number());
  lease.generation = static_cast<std::uint32_t>(row.number());
  lease.fencing_token = row.number();
  lease.service = Symbol(row.text());
  lease.device = Symbol(row.text());
  lease.name = row.text();
  lease.request_id = row.text();
  lease.min = Bytes(row.number());
  lease.max = Bytes(row.number());
  lease.peak = Bytes(row.number());
  lease.at_end = Bytes(row.number());
  const std::string kind = row.text();
  const std::int64_t pid = row.integer();
  const std::uint64_t start = row.number();
  const auto owner = owner_of(kind, pid, start, row.integer());
  lease.priority = static_cast<std::int32_t>(row.integer());
  lease.uid = static_cast<std::uint32_t>(row.number());
  const auto state = parse_lease_state(row.text());
  const auto reason = parse_end_reason(row.text());
  lease.surface = row.text() == kDocumented ? Surface::documented : Surface::native;
  lease.exclusive = row.integer() != 0;
  lease.created = wall_time(row.integer());
  lease.changed = wall_time(row.integer());
  lease.lifetime = std::chrono::nanoseconds(row.integer());
  auto metadata = read_metadata(row.text());
  kept.boot_id = row.text();
  if (!row.is_whole() || !owner || !state || !reason || !metadata) return broken(number(lease.id));
  lease.owner = *owner;
  lease.state = *state;
  lease.reason = *reason;
  if (!metadata->empty()) lease.metadata = std::make_shared<const Metadata>(std::move(*metadata));
  return kept;
}

}  // namespace gpukeeper
