#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "top/lease_book.hpp"

// A daemon may answer anything. What is refused says why, and no lease is made up.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto book = gpukeeper::top::parse_lease_book({reinterpret_cast<const char*>(data), size});
  if (!book && book.error().message.empty()) std::abort();
  if (book && book->leases.size() > size) std::abort();
  return 0;
}
