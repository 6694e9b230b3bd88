#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.hpp"
#include "report/report.hpp"

namespace gpukeeper::report {

/// By what is added up.
enum class AccountKey { user, service, container, pod, name_space, job, lease, work, gpu };

/// As people write it: "user", …, "namespace" (of Kubernetes), "class" for the kind of work.
std::string_view to_string(AccountKey key);
/// All of them, in the order of the help.
std::span<const std::string_view> account_key_words();
/// "process-class" is "class", too. Errors: invalid_argument, which says what there is.
Result<AccountKey> parse_account_key(std::string_view word);

/// What was used under one name.
struct AccountingRow {
  enum class Kind {
    named,
    none,      ///< by somebody, but of no such thing, or its name is not known
    unlisted,  ///< while the processes could not be listed; and memory that none of them was told to hold
    free,      ///< while nobody was on the GPU
  };
  Kind kind = Kind::named;
  std::string name;  ///< of `named` alone
  account::Usage usage;
};
std::string_view to_string(AccountingRow::Kind kind);

/// Who used how much of all GPUs. All rows add up to the total, which is what the GPUs did.
struct Accounting {
  std::string host;
  Basis basis = Basis::daemon;
  bool simulated = false;  ///< any device is made up by a scenario
  bool recorded = false;
  WallTime from{};
  WallTime to{};
  AccountKey by = AccountKey::user;
  account::Tariff tariff;
  std::vector<AccountingRow>
      rows;  ///< named ones by energy, then by time, the largest first; then one of each other kind
  account::Usage total;
  account::Division division;
  std::vector<std::string> unknowns;  ///< what was not measured, a sentence each
};

/// Over whole slots of the account. Of the sources, leases and faults are not looked at. Errors: as for gather().
Result<Accounting> account_for(const account::Account& account, const Range& range, AccountKey by,
                               const Sources& sources);

}  // namespace gpukeeper::report
