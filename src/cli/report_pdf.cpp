#include "cli/report_pdf.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/leases.hpp"
#include "core/display_text.hpp"
#include "core/files.hpp"
#include "core/text.hpp"

namespace gpukeeper::cli {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);
constexpr std::size_t kLargestPdf = std::size_t{64} << 20;

Result<std::string> find_browser(const Programs& programs) {
  constexpr std::array kNames = {"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"};
  for (const char* name : kNames) {
    if (auto path = programs.find(name, {})) return path;
  }
  return fail(Errc::not_found,
              "--pdf prints the page by Chromium, and neither chromium nor google-chrome is in PATH: install it, or "
              "write the page with --html and print it from a browser");
}

// A folder of our own, which goes with all that is in it: a browser leaves a profile.
class Folder {
 public:
  static Result<Folder> make() {
    std::string path = std::filesystem::temp_directory_path() / "gpukeeper-pdf-XXXXXX";
    if (::mkdtemp(path.data())) return Folder(std::move(path));
    return fail(errc_from_errno(errno), fmt::format("make a folder {}: {}", path, std::strerror(errno)));
  }
  explicit Folder(std::string path) : path_(std::move(path)) {}
  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code nothing_to_be_done;
    if (!path_.empty()) std::filesystem::remove_all(path_, nothing_to_be_done);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Root must switch Chromium's sandbox off, which is for pages of others: this one is ours, without a script.
std::vector<std::string> arguments_for(const std::string& folder) {
  std::vector<std::string> arguments = {"--headless",
                                        "--disable-gpu",
                                        "--no-first-run",
                                        "--disable-extensions",
                                        "--disable-background-networking",
                                        "--no-pdf-header-footer",
                                        "--user-data-dir=" + folder + "/profile",
                                        "--print-to-pdf=" + folder + "/report.pdf"};
  if (::geteuid() == 0) arguments.emplace_back("--no-sandbox");
  arguments.push_back("file://" + folder + "/report.html");
  return arguments;
}

}  // namespace

Result<std::string> pdf_of(const std::string& html, Programs& programs) {
  const auto browser = find_browser(programs);
  if (!browser) return browser;
  const auto folder = Folder::make();
  if (!folder) return tl::make_unexpected(folder.error());
  if (auto written = write_file(folder->path() + "/report.html", html); !written) {
    return tl::make_unexpected(written.error());
  }
  const auto output =
      programs.run({.path = *browser, .arguments = arguments_for(folder->path()), .deadline = kPatience}, {});
  if (!output) return tl::make_unexpected(output.error());
  auto pdf = read_file(folder->path() + "/report.pdf", kLargestPdf);
  if (pdf && pdf->starts_with("%PDF")) return pdf;
  const std::string said = harmless(trim(output->err).substr(0, 300));
  return fail(Errc::internal, fmt::format("{} printed no PDF (exit status {}){}", *browser, output->exit_status,
                                          said.empty() ? "" : ": " + said));
}

Exit write_page_to(const std::string& path, const std::string& page, Context& context) {
  if (path == "-") return print(context, page);
  if (auto written = write_file(path, page); !written) return tl::make_unexpected(written.error());
  return print(context, fmt::format("Wrote {}\n", harmless(path)));
}

}  // namespace gpukeeper::cli
