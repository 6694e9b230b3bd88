#include "cli/backup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backup/backup.hpp"
#include "cli/version.hpp"
#include "core/display_text.hpp"
#include "core/machine_name.hpp"
#include "core/rfc3339.hpp"

namespace gpukeeper::cli {
namespace {

std::string listed(const backup::Manifest& manifest) {
  std::vector<std::string> parts;
  for (const backup::Member& member : manifest.members) {
    parts.push_back(fmt::format("{} ({} bytes)", member.name, member.size));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

Result<void> check(const BackupOptions& options) {
  if (!options.folder.empty()) return {};
  return fail(Errc::invalid_argument, "no state directory is known: name that of gpukeeper serve with --state-dir");
}

}  // namespace

Exit backup(const BackupOptions& options, Context& context) {
  if (auto well = check(options); !well) return tl::make_unexpected(well.error());
  const auto made = backup::back_up({.file = options.file,
                                     .state = options.folder,
                                     .configuration = options.configuration,
                                     .program = std::string(program_version()),
                                     .host = machine_name(),
                                     .now = context.clock.wall()});
  if (!made) return tl::make_unexpected(made.error());
  return print(context, harmless(fmt::format("{} has {}", options.file, listed(*made))) + "\n");
}

Exit restore(const BackupOptions& options, Context& context) {
  if (auto well = check(options); !well) return tl::make_unexpected(well.error());
  const auto done =
      backup::restore({.file = options.file, .state = options.folder, .configuration = options.configuration});
  if (!done) return tl::make_unexpected(done.error());
  return print(context, harmless(fmt::format("{} has again what {} had at {}: {}; what was there is in before-restore/",
                                             options.folder, done->host, rfc3339(done->made), listed(*done))) +
                            "\n");
}

}  // namespace gpukeeper::cli
