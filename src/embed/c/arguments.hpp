#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "embed/c/handle.hpp"
#include "embed/c/last_error.hpp"

// What every function of the C interface does alike.
namespace gpukeeper::embed::c {

/// Runs `work` on the keeper; whatever it throws becomes a code.
template <class Work>
gk_result guarded(Work work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail_with(GK_FAILED, "out of memory");
  } catch (const std::exception& error) {
    return fail_with(GK_FAILED, fmt::format("a mistake of gpukeeper: {}", error.what()));
  } catch (...) {
    return fail_with(GK_FAILED, "a mistake of gpukeeper: something was thrown that is no std::exception");
  }
}

template <class Work>
gk_result with(gk_keeper* handle, Work work) noexcept {
  return guarded([&] {
    const Call call(handle);
    return call ? work(call.keeper()) : call.refuse();
  });
}

inline gk_result invalid(std::string_view message) {
  return fail_with(GK_INVALID, message);
}

inline std::string text(const char* given) {
  return given ? std::string(given) : std::string();
}

/// A structure of the caller's, of which it may know fewer members, or more.
template <class Struct>
bool has_size(const Struct* given) {
  return given && given->size >= sizeof given->size;
}

template <class Struct>
gk_result no_size(const Struct* given, std::string_view name) {
  if (!given) return invalid(fmt::format("{0} is NULL: give a {0}", name));
  return invalid(fmt::format("{0}.size is {1}: set it to sizeof({0})", name, given->size));
}

/// As much of ours as the caller knows; what else it has stays as it is.
template <class Struct>
void give(const Struct& ours, Struct* theirs) {
  const std::size_t size = theirs->size;
  std::memcpy(theirs, &ours, std::min(size, sizeof ours));
  theirs->size = size;
}

/// The caller's, with zeroes for what it does not know.
template <class Struct>
Struct taken(const Struct* given) {
  Struct ours{};
  std::memcpy(&ours, given, std::min(given->size, sizeof ours));
  ours.size = sizeof ours;
  return ours;
}

/// A copy for gk_free(). Null when there is no memory.
inline char* copy_for_caller(std::string_view text) {
  auto* const copy = static_cast<char*>(std::malloc(text.size() + 1));  // NOLINT(cppcoreguidelines-no-malloc): for C
  if (!copy) throw std::bad_alloc();
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

}  // namespace gpukeeper::embed::c
