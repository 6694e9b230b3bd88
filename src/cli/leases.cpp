#include "cli/leases.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/document.hpp"
#include "cli/leases_page.hpp"
#include "cli/past_of_daemon.hpp"
#include "core/display_text.hpp"
#include "core/files.hpp"
#include "core/replace_file.hpp"
#include "format/leases_json.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::string_view kLeases = "/api/v1/leases";
constexpr std::string_view kQuotas = "/api/v1/quotas";
constexpr std::string_view kSnapshot = "/api/v1/snapshot";

}  // namespace

Result<void> write_file(const std::string& path, std::string_view text) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    return fail(Errc::not_found, fmt::format("write {}: there is no folder {}; make it first", harmless(path),
                                             harmless(folder.string())));
  }
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || S_ISREG(facts.st_mode)) return replace_file(path, text);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail(errc_from_errno(errno), fmt::format("write {}: {}", harmless(path), std::strerror(errno)));
  }
  FileOutput out(descriptor, path);
  auto written = out.write(text);
  ::close(descriptor);
  if (!written) return tl::make_unexpected(written.error());
  return {};
}

Exit leases(const LeasesOptions& options, Context& context) {
  if (options.schema) return print(context, leases_schema());
  if (options.devices.size() > 1) {
    return fail(Errc::invalid_argument, "leases takes one --device; without it all are shown");
  }
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  const std::string target = target_of(kLeases, {{"device", options.devices.empty() ? "" : options.devices.front()},
                                                 {"service", options.service},
                                                 {"all", options.all ? "true" : ""}});
  const auto answer = ask(**desk, {.method = "GET", .target = target}, context);
  if (!answer) return tl::make_unexpected(answer.error());
  if (options.json) return print(context, dump(parse_document(*answer), true) + "\n");
  return print(context, render_leases(*answer, render_options(context)));
}

Exit quota(const QuotaOptions& options, Context& context) {
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  const auto answer = ask(**desk, {.method = "GET", .target = std::string(kQuotas)}, context);
  if (!answer) return tl::make_unexpected(answer.error());
  const auto page = render_quotas(*answer, options.service, render_options(context));
  if (!page) {
    return fail(Errc::not_found, fmt::format("{} has no quota and holds nothing", harmless(options.service)));
  }
  if (options.json) return print(context, quotas_of(*answer, options.service) + "\n");
  return print(context, *page);
}

Exit export_all(const ExportOptions& options, Context& context) {
  auto desk = open_desk(options.desk, context);
  if (!desk) return tl::make_unexpected(desk.error());
  Json document = {{"schema", "gpukeeper.export/1"}};
  for (const auto& [name, target] :
       {std::pair("status", std::string(kSnapshot)), std::pair("leases", std::string(kLeases) + "?all=true"),
        std::pair("quotas", std::string(kQuotas))}) {
    const auto answer = ask(**desk, {.method = "GET", .target = target}, context);
    if (!answer) return tl::make_unexpected(answer.error());
    document[name] = parse_document(*answer);
  }
  const std::string text = dump(document, true) + "\n";
  if (options.file == "-") return print(context, text);
  if (auto written = write_file(options.file, text); !written) return tl::make_unexpected(written.error());
  return print(context, fmt::format("Wrote {}\n", harmless(options.file)));
}

}  // namespace gpukeeper::cli
