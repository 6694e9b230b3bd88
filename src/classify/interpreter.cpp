#include "classify/interpreter.hpp"

#include <algorithm>

#include "classify/fold.hpp"

namespace gpukeeper::classify {
namespace {

// Options as `python3 --help` and the others' manuals list them; those that take "=value" need no mention.
constexpr std::string_view kPython[] = {"python", "pythonw", "pypy", "ipython"};
constexpr std::string_view kPythonValue[] = {"-W", "-X", "--check-hash-based-pycs"};
constexpr std::string_view kCodeC[] = {"-c"};
constexpr std::string_view kModuleM[] = {"-m"};
constexpr std::string_view kNode[] = {"node", "nodejs", "bun", "deno"};
constexpr std::string_view kNodeValue[] = {"-r", "--require", "--import", "--loader"};
constexpr std::string_view kCodeE[] = {"-e", "-E", "-p", "--eval", "--print"};
constexpr std::string_view kJava[] = {"java", "javaw"};
constexpr std::string_view kJavaValue[] = {"-cp",           "-classpath",    "--class-path", "-p",
                                           "--module-path", "--add-modules", "--add-opens",  "--add-exports"};
constexpr std::string_view kAlways[] = {""};
constexpr std::string_view kShell[] = {"sh", "bash", "dash", "zsh", "fish", "ksh", "busybox"};
constexpr std::string_view kShellValue[] = {"-o", "-O", "--rcfile", "--init-file"};
constexpr std::string_view kPerl[] = {"perl"};
constexpr std::string_view kRuby[] = {"ruby"};
constexpr std::string_view kR[] = {"rscript"};
constexpr std::string_view kJulia[] = {"julia"};
constexpr std::string_view kDotnet[] = {"dotnet", "mono", "mono-sgen"};
constexpr std::string_view kWine[] = {"wine", "wine64", "wine-preloader", "wine64-preloader", "wineloader"};
constexpr std::string_view kLoader[] = {"ld-linux-x86-64.so", "ld-linux-aarch64.so", "ld.so", "ld-linux.so"};
constexpr std::string_view kLoaderValue[] = {"--library-path", "--argv0", "--inhibit-rpath", "--preload"};

constexpr Interpreter kInterpreters[] = {
    {"python", kPython, kPythonValue, kCodeC, kModuleM},
    {"node", kNode, kNodeValue, kCodeE},
    {"java", kJava, kJavaValue, {}, kAlways},
    {"shell", kShell, kShellValue, kCodeC},
    {"perl", kPerl, {}, kCodeE},
    {"ruby", kRuby, {}, kCodeE},
    {"r", kR, {}, kCodeE},
    {"julia", kJulia, {}, kCodeE},
    {"dotnet", kDotnet},
    {"wine", kWine},
    {"loader", kLoader, kLoaderValue},
};

}  // namespace

std::span<const Interpreter> interpreters() {
  return kInterpreters;
}

const Interpreter* find_interpreter(std::string_view base_name) {
  if (base_name.ends_with(".exe")) base_name.remove_suffix(4);
  const auto plain = without_version(base_name);
  for (const Interpreter& each : kInterpreters) {
    for (const auto name : each.names) {
      if (name == base_name || name == plain) return &each;
    }
  }
  return nullptr;
}

std::string_view without_version(std::string_view name) {
  const auto last = name.find_last_not_of("0123456789.");
  if (last == std::string_view::npos || last + 1 == name.size() || name.back() == '.') return name;
  auto rest = name.substr(0, last + 1);
  if (rest.size() > 2 && rest.back() == 'v' && !is_letter(rest[rest.size() - 2])) rest.remove_suffix(1);
  while (!rest.empty() && (rest.back() == '-' || rest.back() == ' ')) rest.remove_suffix(1);
  return rest.size() < 2 ? name : rest;
}

}  // namespace gpukeeper::classify
