#include "backend/nvml/nvml_backend.hpp"

#include <utility>

#include "backend/nvml/library.hpp"
#include "backend/nvml/nvml_backend_class.hpp"

namespace gpukeeper::nvml {

std::unique_ptr<Backend> make_backend(std::shared_ptr<const Library> library, Loader loader, const Options& options) {
  return std::make_unique<NvmlBackend>(std::move(library), std::move(loader), options);
}

Result<std::unique_ptr<Backend>> open(const Options& options) {
  auto library = load_library(options.library);
  if (!library) return tl::make_unexpected(library.error());
  return make_backend(
      std::move(*library), [path = options.library] { return load_library(path); }, options);
}

}  // namespace gpukeeper::nvml
