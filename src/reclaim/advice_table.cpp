#include "reclaim/advice_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/glob.hpp"

namespace gpukeeper::reclaim {
namespace {

struct Row {
  std::string_view program;  // a glob
  std::string_view advice;
};

// From the special to the general: the first that fits counts.
constexpr Row kRows[] = {
    {"ollama*",
     "Unload its models with 'ollama stop MODEL', set OLLAMA_KEEP_ALIVE, or book its memory and register it as a "
     "holder "
     "of kind ollama."},
    {"*vllm*",
     "Start it with --enable-sleep-mode and book its memory; as a holder of kind vllm it can be put to sleep."},
    {"VLLM::*",
     "Start vLLM with --enable-sleep-mode and book its memory; as a holder of kind vllm it can be put to sleep."},
    {"llama-server", "Stop it, or run it behind llama-swap with a ttl, which unloads what nobody uses."},
    {"llama-swap", "Give its models a ttl, or book its memory and register it as a holder of kind llama_swap."},
    {"jupyter*", "Shut down the kernels that nobody uses: an idle notebook keeps all its memory."},
    {"*ipykernel*", "Shut down the notebook's kernel, or call torch.cuda.empty_cache() in it."},
    {"python*",
     "Ask its user to end it, or to call torch.cuda.empty_cache() at a safe point: nobody outside can empty its heap."},
    {"tritonserver", "Unload the models that nobody uses through its model repository API."},
};

}  // namespace

std::string recommendation_for_process(std::string_view name, bool compute) {
  if (!compute || must_run(name)) return "Leave it alone: it draws the screen, or others need it.";
  const auto row = std::ranges::find_if(kRows, [&](const Row& each) { return fits(each.program, name); });
  if (row != std::end(kRows)) return std::string(row->advice);
  return "Ask its user to end it, or to book its memory and to register a holder.";
}

std::string recommendation_for_lease(const Lease& lease) {
  if (lease.state == LeaseState::leaked) {
    return fmt::format("The lease is over ({}), and its memory is still in use: end the process that holds it.",
                       to_string(lease.reason));
  }
  return fmt::format("Register a holder for lease {}, so that it can be asked; or release the lease.",
                     number(lease.id));
}

}  // namespace gpukeeper::reclaim
