#pragma once

/// Marks what the shared library shows; everything else in it is hidden.
///
/// All names of the C++ interface stand in the inline namespace `gpukeeper::v0`: programs write `gpukeeper::Lease`, and
/// the linker sees `gpukeeper::v0::Lease`, which meets no type of the library's own. A change that breaks programs will
/// be `v1`.
#define GPUKEEPER_API __attribute__((visibility("default")))
