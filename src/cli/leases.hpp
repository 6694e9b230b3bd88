#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"
#include "cli/lease_desk.hpp"

// Commands that look at the ledger.
namespace gpukeeper::cli {

struct LeasesOptions {
  std::vector<std::string> devices;  ///< selectors; at most one
  std::string service;
  bool all = false;  ///< those that are over, too
  bool json = false;
  bool schema = false;  ///< of json; nothing is looked at
  DeskOptions desk = {};
};
Exit leases(const LeasesOptions& options, Context& context);

struct QuotaOptions {
  std::string service;  ///< empty for all
  bool json = false;
  DeskOptions desk = {};
};
Exit quota(const QuotaOptions& options, Context& context);

/// Everything that status, leases and quota know, in a file: gpukeeper.export/1.
struct ExportOptions {
  std::string file;  ///< "-": standard output
  DeskOptions desk = {};
};
Exit export_all(const ExportOptions& options, Context& context);

/// Writes a file anew, all of it or nothing; into a pipe or a device as it is. Errors: as the kernel says;
/// not_found where its folder is not there, which is made for nobody: a name mistyped would make another.
Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace gpukeeper::cli
