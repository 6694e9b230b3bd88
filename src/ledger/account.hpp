#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "device/metric.hpp"
#include "ledger/lease.hpp"
#include "ledger/ledger_settings.hpp"
#include "ledger/reality.hpp"
#include "ledger/symbol.hpp"

namespace gpukeeper {

/// A process that uses a device without a lease.
struct ForeignProcess {
  std::int64_t pid = 0;
  std::string name;  ///< it may hold anything
  Metric<Bytes> memory = missing(Missing::not_supported);
  bool compute = true;
  friend bool operator==(const ForeignProcess&, const ForeignProcess&) = default;
};

/// The account of one device: what its driver says, what its leases cost, and so what can still be granted.
///
///     available = total − reserved − headroom − Σ max(guaranteed, observed) − draining − unmanaged
///
/// where unmanaged is what is used beyond what is observed of leases: foreign processes, leaks, and whatever the driver
/// cannot say whose it is. The sums are kept as leases come and go, so that a question costs a few additions.
class DeviceAccount {
 public:
  explicit DeviceAccount(Symbol id) : id_(std::move(id)) {}

  const Symbol& id() const { return id_; }

  /// What the driver said last. The ledger alone changes it.
  struct Facts {
    std::uint32_t index = 0;
    std::string name;
    bool available = false;
    std::string unavailable_because = "it has not been seen since the start";
    std::string closed_because;
    Metric<Bytes> total = missing(Missing::not_yet_read);
    Metric<Bytes> reserved = missing(Missing::not_supported);
    Metric<Bytes> used = missing(Missing::not_yet_read);
    bool unified = false;
    Metric<Celsius> temperature = missing(Missing::not_supported);
    Metric<Percent> load = missing(Missing::not_supported);
    bool lists_processes = false;         ///< whether it is known what a process uses
    std::vector<ForeignProcess> foreign;  ///< the largest first
  };
  const Facts& facts() const { return facts_; }

  void set_limit(const DeviceLimit& limit, const DocumentedLimit& documented, bool bookkeeping_only);
  void take(Facts facts);

  /// A lease of this device as it is now, added to the sums or taken out of them; always in pairs around a change.
  void add(const Lease& lease) { change(lease, 1); }
  void remove(const Lease& lease) { change(lease, -1); }

  /// What can be booked at all: total less reserved less headroom, and no more than the limit.
  const Metric<Bytes>& capacity() const { return bounds_.capacity; }
  Bytes headroom() const;

  /// What can be granted now; 0 where more is charged than there is. Absent where it cannot be known.
  const Metric<Bytes>& available() const { return available_; }

  /// What the documented surface may still have: min(limit, total − reserve) less what it holds.
  const Metric<Bytes>& documented_limit() const { return bounds_.documented; }
  Metric<Bytes> documented_available() const;

  /// How large the sum of all maxima may be, and what can still be added to it.
  const Metric<Bytes>& burst_capacity() const { return bounds_.burst; }
  Metric<Bytes> burst_room() const;

  Bytes booked() const { return Bytes(sums_.booked); }      ///< Σ guaranteed of what is held
  Bytes charged() const { return Bytes(sums_.charged); }    ///< Σ max(guaranteed, observed) of what is held
  Bytes draining() const { return Bytes(sums_.draining); }  ///< the same of what is over and not given back yet
  Bytes documented() const { return Bytes(sums_.documented); }
  /// Σ observed of leases, and of what grew since where the driver does not say whose it is.
  Bytes observed() const { return Bytes(sums_.observed + inferred()); }
  /// What is used beyond that. observed() + unmanaged() is what the driver says, unless it says less than its own
  /// processes' sum.
  Metric<Bytes> unmanaged() const;

  std::uint32_t leases() const { return static_cast<std::uint32_t>(sums_.held); }  ///< that are held
  bool occupied() const { return sums_.held + sums_.ending > 0; }                  ///< by held or draining ones
  bool exclusive() const { return sums_.exclusive > 0; }
  bool has_foreign_compute() const;
  bool sees_processes() const { return facts_.lists_processes; }

  /// All sums at once, to be compared with those that are counted anew.
  struct Sums {
    std::uint64_t booked = 0, charged = 0, burst = 0, draining = 0, observed = 0, unseen = 0, documented = 0;
    std::int64_t held = 0, ending = 0, exclusive = 0;

    void change(const Lease& lease, int sign);
    friend bool operator==(const Sums&, const Sums&) = default;
  };
  const Sums& sums() const { return sums_; }

 private:
  // What follows from the facts and the limits alone: computed when these change, as every request asks for it.
  struct Bounds {
    Bytes room{0};  // total less reserved less headroom
    Metric<Bytes> capacity = missing(Missing::not_yet_read);
    Metric<Bytes> burst = missing(Missing::not_yet_read);
    Metric<Bytes> documented = missing(Missing::not_yet_read);
  };
  void set_bounds();
  void set_available();
  void change(const Lease& lease, int sign);
  Bytes whole() const { return facts_.total.value_or(Bytes(0)); }
  std::uint64_t inferred() const { return std::min(inferred_, sums_.unseen); }

  Symbol id_;
  Facts facts_;
  DeviceLimit limit_;
  DocumentedLimit documented_limit_;
  bool bookkeeping_only_ = false;
  Bounds bounds_;
  Metric<Bytes> available_ = missing(Missing::not_yet_read);  // asked of all devices at each grant, changed on one
  Sums sums_;
  /// Of the leases of which nobody says what they use: how far the device's use grew since they came. They are believed
  /// up to what they booked; what was there before them is not theirs.
  std::uint64_t inferred_ = 0;
  std::optional<std::uint64_t> last_used_;
};

}  // namespace gpukeeper
