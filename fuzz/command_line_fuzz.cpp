// Whatever stands around a secret, it is not shown. The input is a command line as the kernel keeps it; into it secrets
// are planted in the ways in which people pass them.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "attribution/command_line.hpp"
#include "attribution/secrets.hpp"

namespace {

constexpr std::string_view kSecret = "Xyzzy0Plugh";

const std::array<std::vector<std::string>, 16> kPlanted = {{
    {"--password", "Xyzzy0Plugh"},
    {"--password=Xyzzy0Plugh"},
    {"--db-password=with 'quotes\" and Xyzzy0Plugh"},
    {"--api-key", "Xyzzy0Plugh;&|"},
    {"--token", "--secret", "Xyzzy0Plugh"},
    {"HF_TOKEN=Xyzzy0Plugh"},
    {"-DmyPass=Xyzzy0Plugh"},
    {"{\"user\": \"a\", \"clientSecret\" : \"Xyzzy0Plugh\"}"},
    {"Authorization: Bearer Xyzzy0Plugh"},
    {"Authorization:", "Bearer", "Xyzzy0Plugh"},
    {"postgres://me:Xyzzy0Plugh@host/db"},
    {"https://host/path?a=b&access_token=Xyzzy0Plugh&c=d"},
    {"Server=a;Pwd=Xyzzy0Plugh;Database=b"},
    {"hf_Xyzzy0PlughXyzzy0PlughXyzzy0Plugh"},
    {"bash", "-c", "app --password 'my Xyzzy0Plugh' --fast"},
    {"sshpass", "-p", "Xyzzy0Plugh"},
}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto shown = gpukeeper::shown_command_line(gpukeeper::arguments_of(text));
  if (shown.size() > gpukeeper::kMostLineBytes) std::abort();
  if (text.find(kSecret) != std::string_view::npos) return 0;  // then it may stand there without any sign

  const auto around = gpukeeper::arguments_of(text);
  for (const auto& secret : kPlanted) {
    for (const std::size_t at : {std::size_t{0}, around.size() / 2, around.size()}) {
      std::vector<std::string_view> arguments{"app"};
      arguments.insert(arguments.end(), around.begin(), around.begin() + static_cast<std::ptrdiff_t>(at));
      arguments.insert(arguments.end(), secret.begin(), secret.end());
      arguments.insert(arguments.end(), around.begin() + static_cast<std::ptrdiff_t>(at), around.end());
      if (gpukeeper::masked_command_line(arguments).find(kSecret) != std::string::npos) std::abort();
    }
  }
  return 0;
}
