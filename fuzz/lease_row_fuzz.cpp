// A lease of any contents is read back as it was written, and a row of which any one column was changed is taken for
// damaged.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/text.hpp"
#include "storage/lease_row.hpp"
#include "storage/sqlite.hpp"

namespace {

using namespace gpukeeper;

// The input from its beginning to its end; zeros behind that.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  template <class Number>
  Number number() {
    Number value{};
    const auto taken = take(sizeof value);
    std::memcpy(&value, taken.data(), taken.size());
    return value;
  }
  std::string text() { return std::string(take(number<std::uint8_t>())); }
  bool over() const { return rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest_;
};

Owner owner_of(Input& in) {
  switch (in.number<std::uint8_t>() % 3) {
    case 0: return StandingOwner{};
    case 1: {
      const auto pid = in.number<std::int64_t>();
      return ProcessOwner{pid, in.number<std::uint64_t>()};
    }
    default: return HeartbeatOwner{std::chrono::nanoseconds(in.number<std::int64_t>())};
  }
}

Lease lease_of(Input& in) {
  Lease lease;
  lease.id = LeaseId{in.number<std::uint64_t>()};
  lease.group = LeaseId{in.number<std::uint64_t>()};
  lease.group_size = in.number<std::uint32_t>();
  lease.generation = in.number<std::uint32_t>();
  lease.fencing_token = in.number<std::uint64_t>();
  lease.service = Symbol(in.text());
  lease.device = Symbol(in.text());
  lease.name = in.text();
  lease.request_id = in.text();
  lease.min = Bytes(in.number<std::uint64_t>());
  lease.max = Bytes(in.number<std::uint64_t>());
  lease.peak = Bytes(in.number<std::uint64_t>());
  lease.at_end = Bytes(in.number<std::uint64_t>());
  lease.owner = owner_of(in);
  lease.priority = in.number<std::int32_t>();
  lease.uid = in.number<std::uint32_t>();
  lease.state = static_cast<LeaseState>(in.number<std::uint8_t>() % 7);
  lease.reason = static_cast<EndReason>(in.number<std::uint8_t>() % 9);
  lease.surface = static_cast<Surface>(in.number<std::uint8_t>() % 2);
  lease.exclusive = in.number<std::uint8_t>() % 2 == 1;
  lease.created = WallTime(WallTime::duration(in.number<std::int64_t>()));
  lease.changed = WallTime(WallTime::duration(in.number<std::int64_t>()));
  lease.lifetime = std::chrono::nanoseconds(in.number<std::int64_t>());
  Metadata metadata;
  for (int i = in.number<std::uint8_t>() % 4; i > 0; --i) {
    std::string key = in.text();
    metadata.emplace_back(std::move(key), in.text());
  }
  if (!metadata.empty()) lease.metadata = std::make_shared<const Metadata>(std::move(metadata));
  return lease;
}

sqlite::Outcome<KeptLease> read(sqlite::Database& database) {
  auto row = database.prepare("SELECT * FROM leases").value();
  if (!row.step().value()) std::abort();
  return read_lease(row);
}

void must(const sqlite::Outcome<void>& outcome) {
  if (!outcome) std::abort();
}

bool same(const KeptLease& a, const KeptLease& b) {
  return a.lease == b.lease && a.boot_id == b.boot_id;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const KeptLease written{lease_of(in), in.text()};
  auto database = sqlite::Database::open(":memory:", sqlite::Database::Access::own).value();
  must(database.execute(fmt::format("CREATE TABLE leases ({})", kLeaseColumns).c_str()));
  auto insert = database.prepare(fmt::format("INSERT INTO leases VALUES ({})", kLeaseMarks)).value();
  bind_lease(insert, written.lease, written.boot_id);
  must(insert.run());
  const auto kept = read(database);
  if (!kept || !same(*kept, written)) std::abort();

  const auto columns = split(kLeaseColumns, ',');
  const auto column = trim(columns[in.number<std::uint8_t>() % columns.size()]);
  auto update = database.prepare(fmt::format("UPDATE leases SET {} = ?", column.substr(0, column.find(' ')))).value();
  if (in.number<std::uint8_t>() % 2 == 0) {
    update.bind(in.number<std::int64_t>());
  } else {
    update.bind(std::string_view(in.text()));
  }
  must(update.run());
  const auto changed = read(database);
  if (changed && !same(*changed, written)) std::abort();
  return 0;
}
