#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "client/daemon.hpp"
#include "client/trust.hpp"
#include "core/listen_address.hpp"
#include "core/result.hpp"

namespace gpukeeper::client {

struct Question {
  std::string_view method;
  std::string_view target;
  std::string_view json;        ///< empty for none
  std::string_view token = {};  ///< to be known by; empty for none
  std::string_view accept = "application/json";
  std::string_view known = {};   ///< the ETag of the answer that is there already; empty for none
  const Trust* trust = nullptr;  ///< for an address with TLS; null: the machine's authorities, the address as the name
};

struct Reply {
  unsigned status = 0;
  std::string content_type;
  std::string etag;  ///< empty where it has none
  std::string body;
};

/// The code that fits the status of a refusal.
Errc code_of(unsigned status);

/// Whether somebody takes connections at that address.
/// Errors: not_found when nobody does, not_permitted, deadline_exceeded, internal; the message is what connect(2) said.
Result<void> knock(const ListenAddress& address, const Limits& limits);

/// One question and its answer, whatever its status, over a connection of its own. A stop from another thread ends it
/// at once, as an answer that broke off. Errors: as for knock(); deadline_exceeded, resource_exhausted, unavailable
/// when the answer breaks off or is no HTTP, or no TLS is spoken there; unauthenticated when its certificate is not to
/// be believed.
Result<Reply> exchange(const ListenAddress& address, const Question& question, const Limits& limits,
                       std::stop_token stop = {});

/// Takes the pieces of an answer without end as they come, until `stop` or until `take` has had enough and says false.
/// It blocks; a stop from another thread ends it at once.
/// Errors: as for exchange(); one that fits the status where that is not 200, not_supported where the answer is no
/// stream of events; unavailable when the other side ends it, deadline_exceeded when it says nothing for
/// limits.silence.
Result<void> follow(const ListenAddress& address, const Question& question, const Limits& limits, std::stop_token stop,
                    const std::function<bool(std::string_view piece)>& take);

}  // namespace gpukeeper::client
