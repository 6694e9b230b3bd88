#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct AccountOptions {
  enum class Form { text, json, csv, schema };
  Form form = Form::text;
  std::string by = "user";                ///< a word of report::account_key_words()
  std::optional<std::string> since = {};  ///< as given: "24h", or a date
  std::optional<std::string> until = {};  ///< as well
  bool asks = true;                       ///< a daemon, where one is found
  std::string daemon = {};                ///< as given to --daemon; empty: wherever one is found
};

/// `gpukeeper account`: who used how much, by what is asked for. A running daemon tells; without one, the file tells in
/// which one has kept it.
Exit account(const AccountOptions& options, Context& context);

}  // namespace gpukeeper::cli
