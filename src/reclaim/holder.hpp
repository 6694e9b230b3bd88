#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"
#include "ledger/lease.hpp"

namespace gpukeeper::reclaim {

/// How the one who holds a lease is asked to give memory back. Each is a row of the table in recipes.hpp.
enum class HolderKind : std::uint8_t {
  signal,      ///< a signal to the lease's process
  webhook,     ///< a POST of JSON
  ollama,      ///< models are unloaded by keep_alive 0
  vllm,        ///< the engine is put to sleep, and can be woken
  llama_swap,  ///< models are unloaded
  pytorch,     ///< a POST of JSON over a unix socket, which the SDK answers inside the process
};

std::string_view to_string(HolderKind kind);
std::optional<HolderKind> parse_holder_kind(std::string_view word);

/// Whom to ask for a lease's memory. What a kind has no use for is left empty.
struct Holder {
  HolderKind kind = HolderKind::webhook;
  std::string url;                  ///< of webhook the whole address, of servers their root: "http://127.0.0.1:11434"
  std::string socket;               ///< of pytorch: the path of a unix socket, which must be the lease's user's
  int signal = 0;                   ///< of signal: its number
  std::string token_file;           ///< a file whose first line is a bearer token
  std::vector<std::string> models;  ///< of ollama and llama_swap: only these; empty: all that are loaded
  int level = 1;                    ///< of vllm: 1 keeps the weights in the host's memory, 2 drops them
  friend bool operator==(const Holder&, const Holder&) = default;
};

/// What it is asked.
struct HolderRequest {
  LeaseId lease{};
  std::string service;
  std::string device;
  std::optional<ProcessOwner> process;  ///< that owns the lease
  Metric<Bytes> observed = missing(Missing::not_yet_read);
  Bytes guaranteed{0};
  std::optional<Bytes> wanted;  ///< so much would do; as much as it can where nothing is said
  std::string move_to;          ///< a device's id: go there as a whole; empty: stay and give back
  bool scrub = false;           ///< overwrite what is given back first
  std::chrono::nanoseconds deadline = std::chrono::seconds(10);
};

/// Its receipt. What it promises is its own word; what came back is what the driver shows.
struct HolderReply {
  std::optional<Bytes> promised;
  std::optional<bool> scrubbed;  ///< nothing where it does not say
  std::string note;              ///< a phrase: "2 models were unloaded"; it may hold anything
};

/// The holder judged by itself: what is wrong with it and what would be right. `hosts` are globs of other machines that
/// may be asked. Errors: invalid_argument; not_permitted for another machine.
Result<void> check(const Holder& holder, const std::vector<std::string>& hosts);

}  // namespace gpukeeper::reclaim
