#pragma once

/// @mainpage
/// The C interface is gpukeeper.h; what there is in C++ stands in the namespace gpukeeper. Begin with
/// gpukeeper::Keeper, gpukeeper::GpuMonitor, gpukeeper::GpuMonitorCallback and gpukeeper::PrometheusExporter;
/// docs/embedding.md is the guide.

/// @file
/// Everything there is in C++. Each header may be included alone, too.
#include "gpukeeper/andon_system.hpp"
#include "gpukeeper/error.hpp"
#include "gpukeeper/gpu.hpp"
#include "gpukeeper/gpu_alert.hpp"
#include "gpukeeper/gpu_andon_system.hpp"
#include "gpukeeper/gpu_backend.hpp"
#include "gpukeeper/gpu_metrics.hpp"
#include "gpukeeper/gpu_metrics_buffer.hpp"
#include "gpukeeper/gpu_monitor.hpp"
#include "gpukeeper/gpu_monitor_callback.hpp"
#include "gpukeeper/gpu_panel.hpp"
#include "gpukeeper/keeper.hpp"
#include "gpukeeper/lease.hpp"
#include "gpukeeper/metrics_registry.hpp"
#include "gpukeeper/mock_gpu_backend.hpp"
#include "gpukeeper/operation.hpp"
#include "gpukeeper/past.hpp"
#include "gpukeeper/prometheus_exporter.hpp"
#include "gpukeeper/sparkline.hpp"
#include "gpukeeper/subscription.hpp"
