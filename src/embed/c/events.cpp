// What happens.
#include <optional>

#include "embed/c/arguments.hpp"

using namespace gpukeeper::embed;
using namespace gpukeeper::embed::c;

extern "C" {

gk_result gk_subscribe(gk_keeper* keeper, const char* types, gk_listener listener, void* user, uint64_t* subscription) {
  return with(keeper, [&](Keeper& k) {
    if (!listener) return invalid("listener is NULL: give a function");
    auto wishes = parse_event_wishes(types ? types : "");
    if (!wishes) return fail_with(wishes.error());
    const auto number = k.subscribe(std::move(*wishes), [listener, user](const ToldEvent& told) {
      const gk_event event{.size = sizeof event,
                           .sequence = told.sequence,
                           .type = told.type.c_str(),
                           .device = told.device ? static_cast<int32_t>(*told.device) : GK_ALL_DEVICES,
                           .json = told.json.c_str()};
      listener(&event, user);
    });
    if (!number) return fail_with(number.error());
    if (subscription) *subscription = *number;
    return GK_OK;
  });
}

gk_result gk_unsubscribe(gk_keeper* keeper, uint64_t subscription) {
  return with(keeper, [&](Keeper& k) {
    const auto ended = k.unsubscribe(subscription);
    return ended ? GK_OK : fail_with(ended.error());
  });
}

}  // extern "C"
