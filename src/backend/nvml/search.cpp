#include "backend/nvml/search.hpp"

#include <utility>

namespace gpukeeper::nvml {

using namespace abi;

void search(const std::shared_ptr<Session>& session, const SystemFacts& system, unsigned from, unsigned to,
            const std::shared_ptr<Search>& search) {
  for (unsigned index = from; index < to; ++index) {
    Search::Answer answer;
    Handle handle = nullptr;
    answer.code = session->call(session->library().handle_by_index, index, &handle);
    if (answer.code == kSuccess) answer.code = find_device(*session, handle, system, answer.found);
    if (answer.code == kSuccess && answer.found.mig_mode == 1) {
      answer.partitions = find_partitions(*session, handle, answer.found.device, answer.found.calls);
    }
    std::scoped_lock lock(search->mutex);
    if (search->given_up) return;
    search->answers.push_back(std::move(answer));
    search->progress.notify_one();
  }
}

}  // namespace gpukeeper::nvml
