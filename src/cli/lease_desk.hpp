#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "desk/lease_desk.hpp"

namespace gpukeeper::cli {

using desk::DeskQuestion;
using desk::DeskReply;
using desk::LeaseDesk;

struct DeskOptions {
  std::string daemon;                ///< as given to --daemon
  std::vector<std::string> sources;  ///< that were named for this command: then no daemon is asked
};

/// Finds a daemon where none of the sources was named, as `alerts` and `history` do; else this process answers.
/// Errors: of a daemon that was named and does not answer, or that does not let this user in; of the sources.
Result<std::unique_ptr<LeaseDesk>> open_desk(const DeskOptions& options, Context& context);

/// Of a reply that is not good, what it says, set for a page of that width. invalid_argument for 400, else what fits.
Error refusal_of(const DeskReply& reply, std::size_t width, bool utf8);

/// Asks, and takes what is not good for an error.
Result<std::string> ask(LeaseDesk& desk, const DeskQuestion& question, const Context& context);

}  // namespace gpukeeper::cli
