#include "config/sections.hpp"

#include "device/process_facts.hpp"

namespace gpukeeper::config {
namespace {

constexpr double kHottest = 150;
constexpr double kFarthest = 1e15;  // beyond it a double does not count every one
constexpr double kWeek = 7 * 86'400;
constexpr double kYear = 365 * 86'400;
constexpr std::pair<std::string_view, Vendor> kVendors[] = {
    {"nvidia", Vendor::nvidia}, {"amd", Vendor::amd}, {"intel", Vendor::intel}, {"other", Vendor::other}};

constexpr std::pair<std::string_view, AlertLevel> kAlertLevels[] = {
    {"info", AlertLevel::info}, {"warning", AlertLevel::warning}, {"critical", AlertLevel::critical}};

// Of whatever Owner holds the changes, found by `changes`.
template <class Owner, class Changes>
std::vector<Member<Owner>> change_members(Changes changes) {
  std::vector<Member<Owner>> members;
  const auto add = [&](std::string_view name, auto codec, auto field) {
    members.push_back(
        {.name = name,
         .schema = codec.schema,
         .read = [read = codec.read, field, changes](
                     Owner& owner, const YamlNode& node, const std::string& where,
                     Mistakes& mistakes) { read(changes(owner).*field, node, where, mistakes); },
         .show = [show = codec.show, field, changes](const Owner& owner) { return show(changes(owner).*field); }});
  };
  const auto celsius = maybe(number<Celsius>(1, kHottest));
  const auto percent = maybe(number<Percent>(1, 100));
  add("temp_optimal", celsius, &ThresholdChanges::temp_optimal);
  add("temp_normal", celsius, &ThresholdChanges::temp_normal);
  add("temp_throttle", celsius, &ThresholdChanges::temp_throttle);
  add("temp_critical", celsius, &ThresholdChanges::temp_critical);
  add("memory_optimal", percent, &ThresholdChanges::memory_optimal);
  add("memory_normal", percent, &ThresholdChanges::memory_normal);
  add("memory_critical", percent, &ThresholdChanges::memory_critical);
  add("temp_auto", maybe(flag()), &ThresholdChanges::temp_auto);
  return members;
}

Codec<ThresholdChanges> threshold_changes() {
  return record(change_members<ThresholdChanges>([](auto& changes) -> auto& { return changes; }));
}

}  // namespace

Codec<std::map<Vendor, ThresholdChanges>> vendor_thresholds() {
  using Map = std::map<Vendor, ThresholdChanges>;
  std::vector<Member<Map>> members;
  for (const auto& [name, vendor] : kVendors) {
    const auto codec = threshold_changes();
    members.push_back(
        {.name = name,
         .schema = codec.schema,
         .read = [read = codec.read, vendor = vendor](Map& map, const YamlNode& node, const std::string& where,
                                                      Mistakes& mistakes) { read(map[vendor], node, where, mistakes); },
         .show =
             [show = codec.show, vendor = vendor](const Map& map) {
               const auto found = map.find(vendor);
               return found == map.end() ? "null" : show(found->second);
             }});
  }
  auto codec = record(std::move(members));
  codec.type = "mapping of vendors";
  codec.read = [read = codec.read](Map& target, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
    Map map;  // what is not said of a vendor is as for all
    read(map, node, where, mistakes);
    target = std::move(map);
  };
  return codec;
}

Codec<std::vector<DeviceThresholds>> device_thresholds() {
  std::vector<Member<DeviceThresholds>> members = {
      member<DeviceThresholds>("device", text(), &DeviceThresholds::device, true)};
  for (auto& each : change_members<DeviceThresholds>([](auto& owner) -> auto& { return owner.changes; })) {
    members.push_back(std::move(each));
  }
  return list(record(std::move(members)));
}

Codec<std::set<ProcessClass>> process_classes() {
  constexpr ProcessClass kClasses[] = {ProcessClass::unknown,      ProcessClass::mining, ProcessClass::ml_training,
                                       ProcessClass::ml_inference, ProcessClass::ml,     ProcessClass::video,
                                       ProcessClass::gaming,       ProcessClass::desktop};
  std::pair<std::string_view, ProcessClass> words[std::size(kClasses)];
  for (std::size_t i = 0; i < std::size(kClasses); ++i) words[i] = {to_string(kClasses[i]), kClasses[i]};
  const auto codec = list(word(words));
  return {.type = codec.type,
          .range = codec.range,
          .schema = codec.schema,
          .read =
              [read = codec.read](std::set<ProcessClass>& target, const YamlNode& node, const std::string& where,
                                  Mistakes& mistakes) {
                std::vector<ProcessClass> kinds(target.begin(), target.end());
                read(kinds, node, where, mistakes);
                target = {kinds.begin(), kinds.end()};
              },
          .show =
              [show = codec.show](const std::set<ProcessClass>& kinds) {
                return show({kinds.begin(), kinds.end()});
              }};
}

// Which values a border may have is the rule's matter: check(AndonSettings) knows.
Codec<std::vector<RuleChange>> rule_changes() {
  const auto border = maybe(number<double>(-kFarthest, kFarthest));
  return list(record<RuleChange>({
      member<RuleChange>("rule", text(), &RuleChange::rule, true),
      member<RuleChange>("devices", list(text()), &RuleChange::devices),
      member<RuleChange>("enabled", maybe(flag()), &RuleChange::enabled),
      member<RuleChange>("warning", border, &RuleChange::warning),
      member<RuleChange>("critical", border, &RuleChange::critical),
      member<RuleChange>("sustain", maybe(seconds(0, kWeek)), &RuleChange::sustain),
      member<RuleChange>("clear", border, &RuleChange::clear),
      member<RuleChange>("repeat", maybe(seconds(0, kYear)), &RuleChange::repeat),
  }));
}

Codec<std::vector<UserRule>> user_rules() {
  constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
      {">", Comparison::above}, {">=", Comparison::at_least}, {"<", Comparison::below}, {"<=", Comparison::at_most}};
  const auto border = number<double>(-kFarthest, kFarthest);
  return list(record<UserRule>({
      member<UserRule>("id", text(), &UserRule::id, true),
      member<UserRule>("metric", text(), &UserRule::metric, true),
      member<UserRule>("process", text_or_none(), &UserRule::process),
      member<UserRule>("comparison", word(kComparisons), &UserRule::comparison),
      member<UserRule>("threshold", border, &UserRule::threshold, true),
      member<UserRule>("critical", maybe(border), &UserRule::critical),
      member<UserRule>("duration", seconds(0, kWeek), &UserRule::duration),
      member<UserRule>("clear", border, &UserRule::clear),
      member<UserRule>("repeat", seconds(0, kYear), &UserRule::repeat),
      member<UserRule>("severity", number<int>(0, 100), &UserRule::severity),
      member<UserRule>("message", text_or_none(), &UserRule::message),
      member<UserRule>("remedy", text_or_none(), &UserRule::remedy),
      member<UserRule>("devices", list(text()), &UserRule::devices),
  }));
}

Codec<std::vector<StandingSilence>> silences() {
  return list(record<StandingSilence>({
      member<StandingSilence>("rule", text(), &StandingSilence::rule),
      member<StandingSilence>("device", text(), &StandingSilence::device),
      member<StandingSilence>("level", maybe(word(kAlertLevels)), &StandingSilence::level),
      member<StandingSilence>("comment", text_or_none(), &StandingSilence::comment),
  }));
}

// Which of them a kind has a use for is its own matter: check(SinkList) knows.
Codec<SinkList> sinks() {
  constexpr SinkKind kKinds[] = {SinkKind::log,     SinkKind::command,   SinkKind::webhook,      SinkKind::slack,
                                 SinkKind::discord, SinkKind::pagerduty, SinkKind::alertmanager, SinkKind::email};
  std::pair<std::string_view, SinkKind> kinds[std::size(kKinds)];
  for (std::size_t i = 0; i < std::size(kKinds); ++i) kinds[i] = {to_string(kKinds[i]), kKinds[i]};
  using S = SinkSettings;
  const auto some = text_or_none();
  const auto several = list(text());
  return list(record<S>({
      member<S>("name", text(), &S::name, true),
      member<S>("kind", word(kinds), &S::kind, true),
      member<S>("enabled", flag(), &S::enabled),
      member<S>("min_level", word(kAlertLevels), &S::min_level),
      member<S>("rules", several, &S::rules),
      member<S>("devices", several, &S::devices),
      member<S>("send_resolved", flag(), &S::send_resolved),
      member<S>("url", some, &S::url),
      member<S>("url_file", some, &S::url_file),
      member<S>("url_env", some, &S::url_env),
      member<S>("token_file", some, &S::token_file),
      member<S>("token_env", some, &S::token_env),
      member<S>("user", some, &S::user),
      member<S>("password_file", some, &S::password_file),
      member<S>("password_env", some, &S::password_env),
      member<S>("command", several, &S::command),
      member<S>("headers", several, &S::headers),
      member<S>("body", lines_or_none(), &S::body),
      member<S>("content_type", some, &S::content_type),
      member<S>("from", some, &S::from),
      member<S>("to", several, &S::to),
      member<S>("starttls", maybe(flag()), &S::starttls),
      member<S>("ca_file", some, &S::ca_file),
      member<S>("labels", several, &S::labels),
      member<S>("timeout", seconds(0.1, 120), &S::timeout),
  }));
}

namespace {

// `most` and `most_is_auto` of whatever has both.
template <class Owner>
Codec<Owner> most_of() {
  const auto inner = maybe(size(Bytes(0)));
  return {.type = inner.type,
          .range = "null, or auto for 80 % of the GPU",
          .schema = joined_schema("anyOf", {inner.schema, R"({"const":"auto"})"}),
          .read =
              [inner](Owner& owner, const YamlNode& node, const std::string& where, Mistakes& mistakes) {
                if (node.kind == YamlNode::Kind::scalar && node.text == "auto") {
                  owner.most.reset();
                  owner.most_is_auto = true;
                  return;
                }
                std::optional<Bytes> most;
                Mistakes found;
                inner.read(most, node, where, found);
                if (found.empty()) {
                  owner.most = most;
                  owner.most_is_auto = false;
                }
                mistakes.take_over(found);
              },
          .show =
              [inner](const Owner& owner) {
                return owner.most_is_auto ? std::string(R"("auto")") : inner.show(owner.most);
              }};
}

}  // namespace

Codec<DeviceLimit> most_of_device() {
  return most_of<DeviceLimit>();
}

Codec<std::vector<DeviceLimitChange>> device_limits() {
  using C = DeviceLimitChange;
  const auto most = most_of<C>();
  return list(record<C>({
      member<C>("device", text(), &C::device, true),
      member<C>("headroom", maybe(size(Bytes(0))), &C::headroom),
      {.name = "most", .schema = most.schema, .read = most.read, .show = most.show},
      member<C>("burst_ratio", maybe(number<double>(1, 100)), &C::burst_ratio),
  }));
}

// What does not fit together is the book's matter: check(BookSettings) knows.
Codec<std::vector<ServiceQuota>> service_quotas() {
  using Q = ServiceQuota;
  const auto bytes = maybe(size(Bytes(0)));
  const auto several = list(text());
  return list(record<Q>({
      member<Q>("service", text(), &Q::service, true),
      member<Q>("min_request", bytes, &Q::min_request),
      member<Q>("max_request", bytes, &Q::max_request),
      member<Q>("total", bytes, &Q::total),
      member<Q>("leases", maybe(number<std::uint32_t>(0, 1'000'000)), &Q::leases),
      member<Q>("devices", several, &Q::devices),
      member<Q>("preferred_device", text_or_none(), &Q::preferred_device),
      member<Q>("near", several, &Q::near),
      member<Q>("apart", several, &Q::apart),
      member<Q>("priority", number<std::int32_t>(-kMostPriority, kMostPriority), &Q::priority),
  }));
}

Codec<std::vector<auth::CertificateRule>> certificate_rules() {
  using R = auth::CertificateRule;
  static constexpr std::pair<std::string_view, auth::Role> kRoles[] = {
      {"viewer", auth::Role::viewer}, {"operator", auth::Role::operator_}, {"admin", auth::Role::admin}};
  return list(record<R>({
      member<R>("common_name", text_or_none(), &R::common_name),
      member<R>("san", text_or_none(), &R::san),
      member<R>("fingerprint", text_or_none(), &R::fingerprint),
      member<R>("role", word(kRoles), &R::role, true),
      member<R>("service", text_or_none(), &R::service),
  }));
}

SinkList without_secrets(SinkList sinks) {
  for (SinkSettings& sink : sinks) {
    if (!sink.url.empty()) sink.url = shown_url(sink.url);
    for (std::string& header : sink.headers) header = header.substr(0, header.find(':')) + ": …";
    for (std::size_t i = 1; i < sink.command.size(); ++i) sink.command[i] = "…";
    if (!sink.body.empty()) sink.body = "…";
  }
  return sinks;
}

}  // namespace gpukeeper::config
