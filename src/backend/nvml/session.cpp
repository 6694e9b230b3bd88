#include "backend/nvml/session.hpp"

namespace gpukeeper::nvml {

abi::Code Session::open() {
  const abi::Code code = call(library_->init);
  open_ = code == abi::kSuccess;
  return code;
}

Session::~Session() {
  if (open_) {
    if (events) call(library_->event_set_free, events);
    call(library_->shutdown);
  }
  library_.reset();  // so that a new version of the library can be loaded once this is over
  end_.set_value();
}

}  // namespace gpukeeper::nvml
