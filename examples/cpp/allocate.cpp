// Books GPU memory for as long as it is needed. Another program that does the same, in any language, sees it.
//
//   allocate [GIB]
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>

#include <gpukeeper/gpukeeper.hpp>

using namespace gpukeeper;

constexpr std::uint64_t kGiB = 1ULL << 30;

int main(int argc, char** argv) try {
  const Keeper keeper;
  const std::uint64_t wanted = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2) * kGiB;
  if (keeper.device_count() == 0) {
    std::cout << "no GPUs here\n";
    return 0;
  }
  try {
    const Lease lease = keeper.allocate({.bytes = wanted, .service = "example"});
    std::cout << "lease " << lease.id() << ": " << lease.bytes() / kGiB << " GiB of GPU " << lease.device() << ", "
              << keeper.available(lease.device()) / kGiB << " GiB are left\n";
    // The work. The lease ends with this block, by whatever way it is left, and with this process if that is killed.
  } catch (const Error& error) {
    if (error.code() != GK_REFUSED) throw;
    std::cout << "refused: " << error.what() << '\n';  // with the numbers; error.problem() has them for programs
  }
  std::cout << "released\n";
} catch (const std::exception& error) {
  std::cerr << "allocate: " << error.what() << '\n';
  return 1;
}
