#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "actuators/process_freezer.hpp"
#include "core/files.hpp"
#include "core/result.hpp"
#include "reclaim/holder.hpp"
#include "sinks/transport.hpp"

namespace gpukeeper::reclaim {

/// Through what holders are spoken to.
struct HolderWorld {
  Transport& http;
  Signals& signals;
  const Files& files;     ///< tokens, sockets' owners, /proc
  std::uint32_t uid = 0;  ///< the lease's user: a socket must be his, or root's
  std::stop_token stop{};
};

/// How one kind of holder is asked; a row of the table.
struct Recipe {
  HolderKind kind = HolderKind::webhook;
  std::string_view help;   ///< a sentence: what asking it does
  bool may_move = false;   ///< it can be told to go to another device
  bool may_scrub = false;  ///< it can be asked to overwrite what it gives back
  Result<HolderReply> (*ask)(const Holder&, const HolderRequest&, const HolderWorld&) = nullptr;
  Result<void> (*wake)(const Holder&, const HolderWorld&) = nullptr;  ///< null: nothing is to be undone
};

std::span<const Recipe> recipes();

/// Asks a holder, and returns its receipt. Waits up to the request's deadline.
/// Errors: those of Transport and Signals; unavailable for an answer that is a refusal or that is not understood;
/// not_supported where it cannot do what is asked.
Result<HolderReply> ask(const Holder& holder, const HolderRequest& request, const HolderWorld& world);

/// Undoes what asking it did, as far as it needs that (vLLM sleeps until it is woken). Errors: as above.
Result<void> wake(const Holder& holder, const HolderWorld& world);

}  // namespace gpukeeper::reclaim
