#pragma once

#include <map>
#include <set>
#include <vector>

#include "auth/certificate.hpp"
#include "booking/book_settings.hpp"
#include "config/codec.hpp"
#include "policy/andon/andon_settings.hpp"
#include "policy/governor_settings.hpp"
#include "sinks/sink_settings.hpp"

// Codecs of what is more than a value: thresholds of vendors and of devices, rules of alerts. Included by source files
// only.
namespace gpukeeper::config {

Codec<std::map<Vendor, ThresholdChanges>> vendor_thresholds();
Codec<std::vector<DeviceThresholds>> device_thresholds();
Codec<std::set<ProcessClass>> process_classes();
Codec<std::vector<RuleChange>> rule_changes();
Codec<std::vector<UserRule>> user_rules();
Codec<std::vector<StandingSilence>> silences();
Codec<SinkList> sinks();
Codec<DeviceLimit> most_of_device();  ///< of it what can be booked at most: nothing, a size, or the word auto
Codec<std::vector<DeviceLimitChange>> device_limits();
Codec<std::vector<ServiceQuota>> service_quotas();
Codec<std::vector<auth::CertificateRule>> certificate_rules();

/// As they may be shown to anybody: what may be a secret of an address or a header is left out.
SinkList without_secrets(SinkList sinks);

}  // namespace gpukeeper::config
