// gpukeeper-pod-resources: asks the kubelet of this node which pods have which GPUs, and prints it as one JSON
// document.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include <getopt.h>

#include <fmt/format.h>
#include <grpc/support/log.h>

#include "document.hpp"
#include "kubelet.hpp"

namespace {

using gpukeeper::Errc;
using gpukeeper::fail;
using gpukeeper::Result;

constexpr auto* kUsage =
    "usage: gpukeeper-pod-resources [--socket PATH] [--timeout SECONDS]\n"
    "Prints which pods of this node have which GPUs, as the kubelet tells it at its pod-resources socket.\n"
    "  --socket PATH      the socket; /var/lib/kubelet/pod-resources/kubelet.sock unless given\n"
    "  --timeout SECONDS  for the kubelet to answer: 1 to 60; 5 unless given\n"
    "Exit status: 0, and one JSON document; 1 and a sentence on standard error when there is no answer; 2 for a "
    "mistake in "
    "the arguments.\n";

struct Options {
  std::string socket = "/var/lib/kubelet/pod-resources/kubelet.sock";
  std::chrono::seconds timeout{5};
  bool help = false;
};

std::optional<std::chrono::seconds> seconds(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 60) return std::nullopt;
  return std::chrono::seconds(value);
}

Result<Options> parse(int argc, char** argv) {
  static constexpr option kOptions[] = {{"socket", required_argument, nullptr, 's'},
                                        {"timeout", required_argument, nullptr, 't'},
                                        {"help", no_argument, nullptr, 'h'},
                                        {}};
  Options options;
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    if (letter == 'h') {
      options.help = true;
    } else if (letter == 's') {
      options.socket = ::optarg;
    } else if (letter == 't') {
      const auto timeout = seconds(::optarg);
      if (!timeout) return fail(Errc::invalid_argument, fmt::format("--timeout is 1 to 60, not '{}'", ::optarg));
      options.timeout = *timeout;
    } else {
      return fail(Errc::invalid_argument, "");  // getopt has said it
    }
  }
  if (::optind < argc) return fail(Errc::invalid_argument, fmt::format("'{}' is no option", argv[::optind]));
  return options;
}

int complain(const std::string& message, int status) {
  if (!message.empty()) fmt::print(stderr, "{}\n", message);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse(argc, argv);
  if (!options) return complain(options.error().message, 2);
  if (options->help) return std::fputs(kUsage, stdout) < 0 ? 1 : 0;
  ::gpr_set_log_function([](gpr_log_func_args*) {});  // standard error has one sentence: ours
  const auto response = gpukeeper::pod_resources::list(options->socket, options->timeout);
  if (!response) return complain(response.error().message, 1);
  const std::string document = gpukeeper::pod_resources::document(*response) + "\n";
  const bool written = std::fwrite(document.data(), 1, document.size(), stdout) == document.size();
  return written && std::fflush(stdout) == 0 ? 0 : complain("standard output does not take the document", 1);
}
