#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "faults/catalogue.hpp"

namespace gpukeeper {

/// One of the errors that NVIDIA's driver numbers.
struct XidRow {
  std::uint64_t number;
  Severity severity;
  std::string_view title;
  std::string_view explanation;
  std::string_view action;
};

/// Every XID that NVIDIA documents, ordered by number. Sources of the facts: NVIDIA's "Xid Errors" (its table for GPUs
/// up to Volta and its catalog for newer ones) and nverror.h of the open kernel modules; the words are ours.
std::span<const XidRow> xid_table();

/// The row of that number; null where NVIDIA documents none.
const XidRow* find_xid(std::uint64_t number);

}  // namespace gpukeeper
