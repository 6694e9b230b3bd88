#include "classify/classifier.hpp"

// The file itself, put into the binary by the assembler: what a user reads in the repository is what runs.
// GPUKEEPER_RULES_FILE is its path; CMake makes this source depend on it.
__asm__(
    ".pushsection .rodata\n"
    "gpukeeper_rules_begin:\n"
    ".incbin \"" GPUKEEPER_RULES_FILE
    "\"\n"
    "gpukeeper_rules_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const char gpukeeper_rules_begin[];
extern const char gpukeeper_rules_end[];
}

namespace gpukeeper::classify {

std::string_view built_in_rules() {
  return {gpukeeper_rules_begin, gpukeeper_rules_end};
}

}  // namespace gpukeeper::classify
