#pragma once

#include <string>

#include "events/happening.hpp"
#include "ledger/lease.hpp"
#include "ledger/ledger.hpp"

namespace gpukeeper::events {

/// What became of a lease, for who asked and for everybody else: in short, /api/v1/leases/{id} has the rest.
struct LeaseHappening {
  EventType type = EventType::lease_granted;
  LeaseId id{};
  std::string service;  ///< it may hold anything
  std::string device;   ///< its id; empty while it waits
  std::string reason;   ///< why it is over: "owner_died"; empty of one that is not
  std::string note;     ///< a sentence; mostly empty
};

/// Of what happened to a lease by itself.
LeaseHappening lease_happening(const LedgerEvent& event, const Lease& lease);

/// Of both.
Happening happening_of(const LeaseHappening& lease, WallTime at);

}  // namespace gpukeeper::events
