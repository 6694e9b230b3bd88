#include "config/key_table.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "config/codec.hpp"
#include "config/door.hpp"
#include "config/sections.hpp"
#include "core/nearest.hpp"
#include "device/metric_table.hpp"
#include "postgres/database_url.hpp"

namespace gpukeeper::config {
namespace {

using enum Change;

constexpr double kHottest = 150;  // °C
constexpr double kDay = 86'400;
constexpr double kShortest = 0.1;  // drivers renew their values at most so often: see --watch
constexpr double kHour = 3600;
constexpr double kMostHsts = 2 * 365 * kDay;
constexpr double kMostMemory = 1 << 24;  // MiB: 16 TiB
constexpr double kMostSamples = 1000;

constexpr std::pair<std::string_view, LogLevel> kLevels[] = {
    {"error", LogLevel::error}, {"warning", LogLevel::warning}, {"info", LogLevel::info}, {"debug", LogLevel::debug}};
constexpr std::pair<std::string_view, LogFormat> kFormats[] = {{"text", LogFormat::text}, {"json", LogFormat::json}};
constexpr std::pair<std::string_view, Strategy> kStrategies[] = {{"most_free", Strategy::most_free},
                                                                 {"best_fit", Strategy::best_fit},
                                                                 {"spread", Strategy::spread},
                                                                 {"pack", Strategy::pack},
                                                                 {"coolest", Strategy::coolest}};
constexpr std::pair<std::string_view, OverusePolicy> kOveruse[] = {
    {"alert", OverusePolicy::alert}, {"ask", OverusePolicy::ask}, {"terminate", OverusePolicy::terminate}};
constexpr std::pair<std::string_view, auth::Role> kLoopbackRoles[] = {{"viewer", auth::Role::viewer},
                                                                      {"operator", auth::Role::operator_}};
constexpr std::pair<std::string_view, TlsVersion> kTlsVersions[] = {{"1.2", TlsVersion::v1_2},
                                                                    {"1.3", TlsVersion::v1_3}};
constexpr std::pair<std::string_view, double> kMultipliers[] = {{"0.8", 0.8}, {"0.5", 0.5}, {"0", 0.0}};

// `field` finds the value in the settings, whether they may be changed or not.
template <class T, class Field>
Key key(std::string_view name, std::string_view unit, Change change, std::string_view help, Codec<T> codec,
        Field field) {
  return {.name = name,
          .change = change,
          .unit = unit,
          .type = codec.type,
          .range = codec.range,
          .schema = codec.schema,
          .bounds = codec.bounds,
          .is_list = codec.type.starts_with("list of "),
          .help = help,
          .take = [read = codec.read, field, where = std::string(name)](
                      Settings& settings, const YamlNode& node,
                      Mistakes& mistakes) { read(field(settings), node, where, mistakes); },
          .show = [show = codec.show, field](const Settings& settings) { return show(field(settings)); }};
}

Codec<double> multiplier() {
  auto codec = word(kMultipliers);
  codec.schema = R"({"enum":[0.8,0.5,0]})";
  codec.show = [](const double& value) { return number_text(value); };
  return codec;
}

void add_states(std::vector<Key>& keys) {
  const auto thresholds = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.engine.governor.thresholds.*member;
    };
  };
  using T = GovernorThresholds;
  const auto celsius = number<Celsius>(1, kHottest);
  const auto percent = number<Percent>(1, 100);
  const auto governor = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.engine.governor.*member;
    };
  };
  using G = GovernorSettings;
  keys.push_back(key("temp_optimal", "°C", live, "Below it a GPU is optimal.", celsius, thresholds(&T::temp_optimal)));
  keys.push_back(key("temp_normal", "°C", live, "Below it, and not optimal, a GPU is normal.", celsius,
                     thresholds(&T::temp_normal)));
  keys.push_back(key("temp_throttle", "°C", live,
                     "Below it, and not normal, a GPU is throttled; from it on critical, which is told as overheat.",
                     celsius, thresholds(&T::temp_throttle)));
  keys.push_back(key("temp_critical", "°C", live,
                     "From it on a GPU is in an emergency: critical at once, whatever was before.", celsius,
                     thresholds(&T::temp_critical)));
  keys.push_back(key("memory_optimal", "%", live, "Of memory in use: below it a GPU is optimal.", percent,
                     thresholds(&T::memory_optimal)));
  keys.push_back(key("memory_normal", "%", live, "Of memory in use: below it, and not optimal, a GPU is normal.",
                     percent, thresholds(&T::memory_normal)));
  keys.push_back(key("memory_critical", "%", live,
                     "Of memory in use: below it, and not normal, a GPU is throttled; from it on critical.", percent,
                     thresholds(&T::memory_critical)));
  keys.push_back(key(
      "memory_limit_mb", "MiB", live,
      "Most that the documented memory interface hands out of one GPU; auto is 80 % of it.",
      or_word("auto", "80 % of the GPU", mebibytes(1, kMostMemory)),
      [](auto& s) -> auto& { return s.book.ledger.documented.limit; }));
  keys.push_back(key(
      "memory_reserve_mb", "MiB", live, "Of each GPU, kept free for the system by the documented memory interface.",
      mebibytes(0, kMostMemory), [](auto& s) -> auto& { return s.book.ledger.documented.reserve; }));
  keys.push_back(key("monitor_interval", "s", live,
                     "The pace at which states are judged and the documented history grows.", seconds(kShortest, kDay),
                     governor(&G::monitor_interval)));
  keys.push_back(key(
      "history_size", "", live, "Samples of the documented history, of each GPU.", number<std::size_t>(1, 1'000'000),
      [](auto& s) -> auto& { return s.engine.history.size; }));
  keys.push_back(key("throttle_cooldown_seconds", "s", live,
                     "How long a GPU goes on slowly after it has left the throttled state.", seconds(0, kDay),
                     governor(&G::throttle_cooldown)));
  keys.push_back(key("critical_pause_seconds", "s", live, "How long a GPU pauses after it has left the critical state.",
                     seconds(0, kDay), governor(&G::critical_pause)));
}

void add_governor(std::vector<Key>& keys) {
  const auto governor = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.engine.governor.*member;
    };
  };
  const auto margin = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.engine.governor.temp_auto.*member;
    };
  };
  const auto yield = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.engine.governor.yield.*member;
    };
  };
  using G = GovernorSettings;
  using A = AutoThresholds;
  using Y = YieldSettings;
  const auto degrees = number<Celsius>(0, 100);
  const auto samples = number<int>(1, kMostSamples);
  keys.push_back(key("vendors", "", live, "Thresholds of one vendor's GPUs, where they differ from those above.",
                     vendor_thresholds(), governor(&G::vendors)));
  keys.push_back(
      key("devices", "", live,
          "Thresholds of GPUs by UUID or name, with * for any characters; of several that fit the later wins.",
          device_thresholds(), governor(&G::devices)));
  keys.push_back(key("temp_auto.enabled", "", live,
                     "Thresholds out of the temperature at which each GPU slows itself down, where it tells that.",
                     flag(), margin(&A::enabled)));
  keys.push_back(key("temp_auto.optimal", "°C", live, "So far below that temperature stands temp_optimal.", degrees,
                     margin(&A::optimal)));
  keys.push_back(key("temp_auto.normal", "°C", live, "So far below that temperature stands temp_normal.", degrees,
                     margin(&A::normal)));
  keys.push_back(key("temp_auto.throttle", "°C", live, "So far below that temperature stands temp_throttle.", degrees,
                     margin(&A::throttle)));
  keys.push_back(key("temp_auto.critical", "°C", live, "So far below that temperature stands temp_critical.", degrees,
                     margin(&A::critical)));
  keys.push_back(key("hysteresis_celsius", "°C", live, "So far below its border a state is left for a better one.",
                     number<Celsius>(0, 20), governor(&G::hysteresis_celsius)));
  keys.push_back(key("hysteresis_memory_percent", "%", live,
                     "So far below its border of memory a state is left for a better one.", number<Percent>(0, 20),
                     governor(&G::hysteresis_memory_percent)));
  keys.push_back(key("min_dwell_samples.up", "", live, "How many samples in a row must show a worse state.", samples,
                     governor(&G::min_dwell_samples_up)));
  keys.push_back(key("min_dwell_samples.down", "", live, "How many samples in a row must show a better state.", samples,
                     governor(&G::min_dwell_samples_down)));
  keys.push_back(key("missing_sensor_hold_samples", "", live, "How long a reading that has vanished still counts.",
                     number<int>(0, kMostSamples), governor(&G::missing_sensor_hold_samples)));
  keys.push_back(key("load_throttle_percent", "%", live, "Utilization from which a GPU is throttled.",
                     or_off(number<Percent>(1, 100)), governor(&G::load_throttle_percent)));
  keys.push_back(key("load_sustain_seconds", "s", live, "For so long; and for so long below it to end that.",
                     seconds(0, kDay), governor(&G::load_sustain)));
  keys.push_back(key("power_throttle_percent", "%", live, "Power, of the limit, from which a GPU is throttled.",
                     or_off(number<Percent>(1, 200)), governor(&G::power_throttle_percent)));
  keys.push_back(key("power_sustain_seconds", "s", live, "For so long; and for so long below it to end that.",
                     seconds(0, kDay), governor(&G::power_sustain)));
  keys.push_back(key("yield.enabled", "", live, "Slower while somebody else's application uses the GPU.", flag(),
                     yield(&Y::enabled)));
  keys.push_back(
      key("yield.any", "", live, "Every process that is not ours counts, whatever it does.", flag(), yield(&Y::any)));
  keys.push_back(
      key("yield.classes", "", live, "Else those that do this kind of work.", process_classes(), yield(&Y::classes)));
  keys.push_back(key("yield.ours", "", live, "Names of executables that never count; * for any characters.",
                     list(text()), yield(&Y::ours)));
  keys.push_back(key("yield.multiplier", "", live, "How slow: the factor of the usual pace.", multiplier(),
                     yield(&Y::multiplier)));
}

void add_history(std::vector<Key>& keys) {
  const auto history = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.engine.history.*member;
    };
  };
  using H = HistorySettings;
  keys.push_back(key("history.span", "s", live, "How long the history of many metrics is kept.",
                     seconds(60, 400 * kDay), history(&H::span)));
  keys.push_back(key("history.step", "s", live, "Readings that come faster are left out of it.",
                     seconds(kShortest, kHour), history(&H::step)));
  keys.push_back(key("history.memory", "", live, "What it may take, of all GPUs; above it the oldest goes.",
                     size(Bytes(1 << 20)), history(&H::memory)));
  keys.push_back(key("history.metrics", "", restart, "Which metrics (docs/metrics.md); at most 64.", list(text()),
                     history(&H::metrics)));
}

void add_history_store(std::vector<Key>& keys) {
  const auto store = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.history_store.*member;
    };
  };
  using S = HistoryStoreSettings;
  const auto length = seconds(kHour, 4000 * kDay);
  keys.push_back(key("history.store.enabled", "", live, "The history is kept in the state directory, too.", flag(),
                     store(&S::enabled)));
  keys.push_back(key("history.store.keep", "s", live, "How long it is kept there at all: in pieces of an hour.", length,
                     store(&S::keep)));
  keys.push_back(
      key("history.store.keep_1s", "s", live, "How long as it was measured.", length, store(&S::keep_seconds)));
  keys.push_back(key("history.store.keep_10s", "s", live, "How long in pieces of ten seconds.", length,
                     store(&S::keep_ten_seconds)));
  keys.push_back(
      key("history.store.keep_1m", "s", live, "How long in pieces of a minute.", length, store(&S::keep_minutes)));
  keys.push_back(key("history.store.batch", "s", live,
                     "How much is written at a time: so much is lost at the most when the machine crashes.",
                     seconds(1, 600), store(&S::batch)));
  keys.push_back(key("history.store.size", "", live,
                     "What the file may take; above it the finest goes, the oldest of it first.", size(16_MiB),
                     store(&S::size)));
}

void add_alerts(std::vector<Key>& keys) {
  const auto alerts = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.engine.andon.*member;
    };
  };
  using A = AndonSettings;
  keys.push_back(key("alerts.rules", "", live, "What is otherwise in a rule of alerts, for all GPUs or some.",
                     rule_changes(), alerts(&A::rules)));
  keys.push_back(key("alerts.user_rules", "", live,
                     "Rules of your own: a metric of a GPU or of a process, a comparison, a duration.", user_rules(),
                     alerts(&A::user_rules)));
  keys.push_back(key("alerts.idle_severity_cap", "", live, "The severity of an idle GPU comes to no more than this.",
                     number<int>(0, 100), alerts(&A::idle_severity_cap)));
  keys.push_back(key("alerts.hoarding_memory", "%", live,
                     "Of a GPU's memory: a process that holds less does not hoard it, however idle it is.",
                     number<Percent>(0, 100), alerts(&A::hoarding_memory)));
  keys.push_back(key("alerts.documentation_url", "", live,
                     "Where docs/alerts.md can be read; alerts link to their rule's section there.", text_or_none(),
                     alerts(&A::documentation_url)));
  keys.push_back(key("alerts.silences", "", live, "Alerts that are never told and colour no lamp.", silences(),
                     alerts(&A::silences)));
  keys.push_back(key(
      "sinks", "", restart, "Where alerts are sent: programs, webhooks, chats, pagers, e-mail.", sinks(),
      [](auto& s) -> auto& { return s.sinks; }));
  keys.back().publish = [](const Settings& settings) { return sinks().show(without_secrets(settings.sinks)); };
}

void add_actuators(std::vector<Key>& keys) {
  const auto of = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.actuators.*member;
    };
  };
  using A = ActuatorSettings;
  const auto percent = number<Percent>(10, 100);
  const auto fan = number<Percent>(30, 100);
  keys.push_back(key("actuators.power_limit", "", live, "Lower the power limit of a GPU that is to be slower.", flag(),
                     of(&A::power_limit)));
  keys.push_back(key("actuators.power_limit_lowest", "%", live,
                     "Of the limit that was found: not below it, nor below what the GPU takes.", percent,
                     of(&A::power_limit_lowest)));
  keys.push_back(key("actuators.locked_clocks", "", live, "Lock the clocks of a GPU that is to be slower.", flag(),
                     of(&A::locked_clocks)));
  keys.push_back(key("actuators.clocks_lowest", "%", live, "Of its highest graphics clock: not below it.", percent,
                     of(&A::clocks_lowest)));
  keys.push_back(
      key("actuators.fan", "", live, "Speed up the fan of a GPU that is to be slower.", flag(), of(&A::fan)));
  keys.push_back(
      key("actuators.fan_slow", "%", live, "The fan's speed where work goes at 0.8.", fan, of(&A::fan_slow)));
  keys.push_back(
      key("actuators.fan_fast", "%", live, "The fan's speed where work goes at 0.5.", fan, of(&A::fan_fast)));
  keys.push_back(key("actuators.freeze", "", live, "Freeze the control groups below while their GPU must pause.",
                     flag(), of(&A::freeze)));
  keys.push_back(key("actuators.freeze_cgroups", "", live,
                     "Which control groups may be frozen, by path below the mount; * for any characters.", list(text()),
                     of(&A::freeze_cgroups)));
  keys.push_back(key("actuators.max_pause", "s", live, "The longest that they are frozen, whatever the heat.",
                     seconds(1, 300), of(&A::max_pause)));
  keys.push_back(
      key("actuators.devices", "", live, "Which GPUs, by UUID or name; none is all.", list(text()), of(&A::devices)));
  keys.push_back(
      key("actuators.pause_down", "s", live, "Between two changes to slower.", seconds(1, kHour), of(&A::pause_down)));
  keys.push_back(
      key("actuators.pause_up", "s", live, "Between two changes to faster.", seconds(1, kHour), of(&A::pause_up)));
}

void add_ledger(std::vector<Key>& keys) {
  const auto ledger = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.book.ledger.*member;
    };
  };
  const auto limit = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.book.ledger.limit.*member;
    };
  };
  const auto overuse = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.book.overuse.*member;
    };
  };
  using L = LedgerSettings;
  using D = DeviceLimit;
  using O = OveruseSettings;
  keys.push_back(key("ledger.headroom", "", live,
                     "Of each GPU, never booked; none is 2 % or 256MiB, and 40 % of memory shared with the processors.",
                     maybe(size(Bytes(0))), limit(&D::headroom)));
  keys.push_back(key(
      "ledger.most", "", live,
      "What may be booked of each GPU together; none is all but what is reserved and the "
      "headroom.",
      most_of_device(), [](auto& s) -> auto& { return s.book.ledger.limit; }));
  keys.push_back(key("ledger.burst_ratio", "", live, "So far may the sum of all maxima exceed what can be booked.",
                     number<double>(1, 100), limit(&D::burst_ratio)));
  keys.push_back(key(
      "ledger.devices", "", live,
      "What of these is otherwise for GPUs by index, UUID or name, with * for any characters; the later wins.",
      device_limits(), [](auto& s) -> auto& { return s.book.devices; }));
  keys.push_back(key("ledger.quotas", "", live, "What a service may have: of one request, in all, and where.",
                     service_quotas(), ledger(&L::services)));
  keys.push_back(key("ledger.strategy", "", live, "By which the GPUs that have room are compared.", word(kStrategies),
                     ledger(&L::strategy)));
  keys.push_back(key("ledger.bookkeeping_only", "", live,
                     "Grant by the book alone: what processes really use is not looked at.", flag(),
                     ledger(&L::bookkeeping_only)));
  keys.push_back(
      key("ledger.queue", "", live, "How many requests may wait.", number<std::size_t>(0, 100'000), ledger(&L::queue)));
  keys.push_back(key("ledger.ageing", "s", live, "So much waiting outweighs one step of priority.",
                     seconds(kShortest, kDay), ledger(&L::ageing)));
  keys.push_back(key("ledger.allocation_timeout", "s", live, "How long a request waits that says no other time.",
                     seconds(kShortest, kDay), ledger(&L::allocation_timeout)));
  keys.push_back(key("ledger.deallocation_timeout", "s", live,
                     "How long the driver may still show memory of a lease that is over; then it is a leak.",
                     seconds(kShortest, kHour), ledger(&L::deallocation_timeout)));
  keys.push_back(key("ledger.history", "", live, "How many leases that are over are remembered.",
                     number<std::size_t>(0, 10'000), ledger(&L::history)));
  keys.push_back(key("ledger.overuse", "", live,
                     "What is done about a lease that uses more than its most, beside the alert.", word(kOveruse),
                     overuse(&O::policy)));
  keys.push_back(key("ledger.overuse_patience", "s", live, "How long it may, before its holder is asked.",
                     seconds(1, kDay), overuse(&O::patience)));
  keys.push_back(key("ledger.overuse_grace", "s", live,
                     "From the asking to SIGTERM, and from that to SIGKILL, where overuse is terminate.",
                     seconds(1, kHour), overuse(&O::grace)));
}

void add_reclaim(std::vector<Key>& keys) {
  const auto of = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.reclaim.*member;
    };
  };
  using R = reclaim::ReclaimSettings;
  keys.push_back(key("reclaim.enabled", "", live,
                     "Have memory given back of GPUs above the threshold, again and again.", flag(), of(&R::enabled)));
  keys.push_back(key("reclaim.memory_threshold", "", live,
                     "Of a GPU's memory, as a fraction: above it, not at it, memory is wanted back.",
                     number<double>(0.01, 1), of(&R::memory_threshold)));
  keys.push_back(key("reclaim.optimization_interval", "s", live, "From one time to the next.", seconds(1, kDay),
                     of(&R::interval)));
  keys.push_back(key("reclaim.ask_timeout", "s", live, "How long a holder that is asked has for its answer.",
                     seconds(kShortest, 600), of(&R::ask_timeout)));
  keys.push_back(key("reclaim.idle_after", "s", live, "Without load for so long a process counts as idle.",
                     seconds(1, 30 * kDay), of(&R::idle_after)));
  keys.push_back(key("reclaim.holder_hosts", "", live,
                     "Hosts beside this machine whose holders may be asked; * for any characters.", list(text()),
                     of(&R::holder_hosts)));
  keys.push_back(key("reclaim.suspend_services", "", live,
                     "Services whose processes may be suspended by cuda-checkpoint; none is nobody.", list(text()),
                     of(&R::suspend_services)));
  keys.push_back(key("reclaim.terminate_services", "", live,
                     "Services whose processes may be terminated when nothing else was enough; none is nobody.",
                     list(text()), of(&R::terminate_services)));
  keys.push_back(key("reclaim.terminate_idle", "", live,
                     "Programs whose idle processes without a lease may be terminated then; none is nobody.",
                     list(text()), of(&R::terminate_idle)));
  keys.push_back(
      key("reclaim.terminate_grace", "s", live, "From SIGTERM to SIGKILL.", seconds(0, 600), of(&R::terminate_grace)));
}

void add_tariff(std::vector<Key>& keys) {
  const auto of = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.tariff.*member;
    };
  };
  using T = account::Tariff;
  keys.push_back(key("tariff.price_per_kwh", "", live,
                     "What a kWh costs; reports then say what GPUs, users and services cost. None is not known.",
                     maybe(number<double>(0, 1e6)), of(&T::price_per_kwh)));
  keys.push_back(key("tariff.currency", "", live, "How amounts of money are marked in reports, such as EUR.",
                     text_or_none(), of(&T::currency)));
  keys.push_back(key("tariff.carbon_g_per_kwh", "g", live,
                     "Grams of CO2 that a kWh stands for; reports then say how much it was. None is not known.",
                     maybe(number<double>(0, 1e5)), of(&T::carbon_g_per_kwh)));
}

void add_kubernetes(std::vector<Key>& keys) {
  keys.push_back(key(
      "kubernetes.pod_resources", "", restart,
      "The kubelet's socket, where the names of pods and containers are asked for: "
      "/var/lib/kubelet/pod-resources/kubelet.sock; off is not to ask.",
      or_off(text()), [](auto& s) -> auto& { return s.kubernetes.pod_resources; }));
  keys.push_back(key(
      "kubernetes.helper", "", restart,
      "The program that asks there: a path, or a name in PATH or in /usr/lib/gpukeeper.", text(),
      [](auto& s) -> auto& { return s.kubernetes.helper; }));
}

void add_account(std::vector<Key>& keys) {
  const auto of = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.keeping.*member;
    };
  };
  using K = account::Keeping;
  keys.push_back(key("account.interval", "s", live,
                     "From save to save of who used the GPUs: a crash loses no more than that.", seconds(1, kHour),
                     of(&K::interval)));
  keys.push_back(key("account.length", "s", live, "How long it is kept who used the GPUs.",
                     seconds(kDay, 10 * 366 * kDay), of(&K::length)));
}

void add_tls(std::vector<Key>& keys) {
  const auto of = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.tls.*member;
    };
  };
  using T = TlsSettings;
  keys.push_back(
      key("tls.certificate", "", live,
          "For listeners with https://: a PEM file of the certificate, and of those between it and the root.",
          maybe(text()), of(&T::certificate)));
  keys.push_back(key("tls.key", "", live, "A PEM file: the key of that certificate.", maybe(text()), of(&T::key)));
  keys.push_back(key("tls.client_ca", "", live,
                     "A PEM file of who vouches for clients; none: they are asked for no certificate.", maybe(text()),
                     of(&T::client_ca)));
  keys.push_back(key("tls.client_required", "", live, "Who shows no certificate is not let in, whatever token he has.",
                     flag(), of(&T::client_required)));
  keys.push_back(
      key("tls.min_version", "", live, "The oldest TLS that is spoken.", word(kTlsVersions), of(&T::min_version)));
  keys.push_back(key("tls.hsts", "s", restart,
                     "Tell browsers to ask this host by https only for so long, at every port; 0 is not to tell.",
                     seconds(0, kMostHsts), of(&T::hsts)));
}

void add_service(std::vector<Key>& keys) {
  const auto timeout = seconds(kShortest, kHour);
  keys.push_back(key(
      "sample_interval", "s", live, "From reading to reading.", seconds(kShortest, kHour),
      [](auto& s) -> auto& { return s.engine.sample_interval; }));
  keys.push_back(key(
      "source", "", restart, "What is read, as for --source; none is auto.", list(text()),
      [](auto& s) -> auto& { return s.source; }));
  keys.push_back(key(
      "process_monitoring", "", restart, "Who uses the GPUs is asked for; else no process is seen.", flag(),
      [](auto& s) -> auto& { return s.process_monitoring; }));
  keys.push_back(key(
      "rules", "", restart, "A file of process rules that stand before the built-in ones.", maybe(text()),
      [](auto& s) -> auto& { return s.rules; }));
  keys.push_back(key(
      "state_dir", "", restart, "The folder of what outlives a restart; none is the usual one.", maybe(text()),
      [](auto& s) -> auto& { return s.state_dir; }));
  keys.push_back(key(
      "listen", "", restart,
      "Where serve answers: ADDRESS:PORT, [v6]:PORT, https:// before these, or unix:PATH; none is the usual places.",
      list(listen_address()), [](auto& s) -> auto& { return s.listen; }));
  keys.push_back(key(
      "insecure_listen", "", restart, "Let other machines look without a token, at addresses that they reach.", flag(),
      [](auto& s) -> auto& { return s.insecure_listen; }));
  keys.push_back(key(
      "hosts", "", restart, "Names under which a browser may ask, beyond localhost.", list(text()),
      [](auto& s) -> auto& { return s.hosts; }));
  keys.push_back(key(
      "auth.loopback_role", "", live, "What a program of this machine may do over TCP without a token.",
      word(kLoopbackRoles), [](auto& s) -> auto& { return s.auth.loopback_role; }));
  keys.push_back(key(
      "auth.admin_groups", "", live, "Groups whose members are admins over the unix socket, by name or number.",
      list(text()), [](auto& s) -> auto& { return s.auth.admin_groups; }));
  keys.push_back(key(
      "auth.operator_groups", "", live, "Groups whose members are operators there.", list(text()),
      [](auto& s) -> auto& { return s.auth.operator_groups; }));
  keys.push_back(key(
      "auth.certificates", "", live, "What clients may do, by their certificates (docs/security.md).",
      certificate_rules(), [](auto& s) -> auto& { return s.auth.certificates; }));
  add_tls(keys);
  keys.push_back(key(
      "http.connections", "", restart, "Connections of one listener at once.", number<std::size_t>(1, 100'000),
      [](auto& s) -> auto& { return s.http.connections; }));
  keys.push_back(key(
      "http.connections_per_peer", "", restart,
      "Of these, those of one address, or of one user over a unix socket; none is seven eighths.",
      maybe(number<std::size_t>(1, 100'000)), [](auto& s) -> auto& { return s.http.connections_per_peer; }));
  keys.push_back(key(
      "http.head_size", "", restart, "The most that the line and the headers of a request may have.",
      size(Bytes(1 << 10)), [](auto& s) -> auto& { return s.http.head_size; }));
  keys.push_back(key(
      "http.body_size", "", restart, "The most that the body of a request may have.", size(Bytes(1 << 10)),
      [](auto& s) -> auto& { return s.http.body_size; }));
  keys.push_back(key(
      "http.slowest", "", restart, "Of an answer a client must take so much in a second.", size(Bytes(1)),
      [](auto& s) -> auto& { return s.http.slowest; }));
  keys.push_back(key(
      "http.requests_per_minute", "", live,
      "Of an address beyond this machine, without a token and the like; 0 is any number.",
      number<std::uint32_t>(0, 1'000'000), [](auto& s) -> auto& { return s.http.requests_per_minute; }));
  keys.push_back(key(
      "http.allow", "", live,
      "Addresses and networks beyond this machine that may connect, and no others: 10.1.0.0/16; none is everybody.",
      list(network()), [](auto& s) -> auto& { return s.http.allow; }));
  keys.push_back(key(
      "cors.origins", "", live,
      "Sites whose pages may ask here out of a browser: https://dashboard.example, exactly so.", list(text()),
      [](auto& s) -> auto& { return s.cors.origins; }));
  keys.push_back(key(
      "http.request_timeout", "s", restart, "For a request to come, from its first byte.", timeout,
      [](auto& s) -> auto& { return s.http.request_timeout; }));
  keys.push_back(key(
      "http.answer_timeout", "s", restart, "For an answer to be taken.", timeout,
      [](auto& s) -> auto& { return s.http.answer_timeout; }));
  keys.push_back(key(
      "http.idle_timeout", "s", restart, "Between two requests of a connection.", timeout,
      [](auto& s) -> auto& { return s.http.idle_timeout; }));
  keys.push_back(key(
      "events.clients", "", restart, "Clients that may listen to events at once.", number<std::size_t>(1, 100'000),
      [](auto& s) -> auto& { return s.events.clients; }));
  keys.push_back(key(
      "events.high_usage", "%", restart, "Clients of the documented events are told of a GPU that is busier.",
      number<Percent>(1, 100), [](auto& s) -> auto& { return s.events.high_usage; }));
  keys.push_back(key(
      "events.high_usage_time", "s", restart, "Once it was for so long.", seconds(0, kHour),
      [](auto& s) -> auto& { return s.events.high_usage_time; }));
  keys.push_back(key(
      "log.file", "", live, "The log's file; none is standard error.", maybe(text()),
      [](auto& s) -> auto& { return s.log.file; }));
  keys.push_back(key(
      "log.level", "", live, "This is logged, and what is more important.", word(kLevels),
      [](auto& s) -> auto& { return s.log.level; }));
  keys.push_back(key(
      "log.format", "", live, "The form of the log's lines.", word(kFormats),
      [](auto& s) -> auto& { return s.log.format; }));
  keys.push_back(key(
      "log.rotate.size", "", live, "A log file that would grow larger begins anew.", size(Bytes(64 << 10)),
      [](auto& s) -> auto& { return s.log.rotate_size; }));
  keys.push_back(key(
      "log.rotate.keep", "", live, "Log files beside the current one.", number<std::size_t>(0, 1000),
      [](auto& s) -> auto& { return s.log.rotate_keep; }));
}

void add_metrics(std::vector<Key>& keys) {
  const auto of = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.metrics.*member;
    };
  };
  using M = prometheus::MetricsSettings;
  keys.push_back(key("metrics.families", "", live, "What /metrics has (docs/metrics.md).",
                     list(word(prometheus::kFamilies)), of(&M::families)));
  keys.push_back(
      key("metrics.prefix", "", live, "What the names of the family prefix begin with.", text(), of(&M::prefix)));
  keys.push_back(key("metrics.service_name", "", live, "The label service_name of the documented family's gauges.",
                     text(), of(&M::service_name)));
  keys.push_back(key("metrics.listen", "", restart,
                     "Where only /metrics, /health and /ready are answered, to whoever comes: ADDRESS:PORT or "
                     "unix:PATH; none is nowhere.",
                     list(listen_address()), of(&M::listen)));
}

void add_database(std::vector<Key>& keys) {
  const auto of = [](auto member) {
    return [member](auto& s) -> auto& {
      return s.database.*member;
    };
  };
  using D = postgres::DatabaseSettings;
  keys.push_back(
      key("database.url", "", restart,
          "The PostgreSQL database that readings are written into: postgresql://USER@HOST:5432/NAME; none is "
          "nowhere (docs/postgresql.md).",
          text_or_none(), of(&D::url)));
  keys.back().publish = [](const Settings& settings) {
    const std::string& url = settings.database.url;
    return url.empty() ? "null" : json_text(postgres::shown_database(url));
  };
  keys.push_back(key("database.url_file", "", restart,
                     "A file whose first line is that address; it stands above database.url.", text_or_none(),
                     of(&D::url_file)));
  keys.push_back(key("database.password_file", "", restart, "A file whose first line is the password.", text_or_none(),
                     of(&D::password_file)));
  keys.push_back(key("database.host", "", restart, "The name of this machine there; none is its own.", text_or_none(),
                     of(&D::host)));
  keys.push_back(key("database.interval", "s", restart, "From reading to reading there.", seconds(kShortest, kHour),
                     of(&D::interval)));
  keys.push_back(key("database.timeout", "s", restart, "For a step of the conversation with it.", seconds(1, 300),
                     of(&D::timeout)));
  keys.push_back(key("database.keep", "s", restart,
                     "How long readings are kept there at the least, as months go as a whole; off is for ever.",
                     or_off(seconds(kDay, 4000 * kDay)), of(&D::keep)));
  keys.push_back(key("database.spool", "", restart,
                     "Memory for readings that wait for the database; above it the oldest go.", size(Bytes(64 << 10)),
                     of(&D::spool)));
  keys.push_back(key("database.metrics", "", restart, "Which metrics are kept there, a column each (docs/metrics.md).",
                     list(text()), of(&D::metrics)));
}

// The names of the keys of one of the sections that metrics are pushed by.
struct PushKeys {
  push::PushSettings Settings::*section;
  std::string_view url, url_help, families, interval, timeout, queue, token_file, user, password_file, ca_file, headers,
      labels;
};
constexpr PushKeys kRemoteWrite = {
    &Settings::remote_write,
    "remote_write.url",
    "Where metrics are pushed by Prometheus remote-write: https://HOST/api/v1/write; none "
    "is nowhere (docs/push.md).",
    "remote_write.families",
    "remote_write.interval",
    "remote_write.timeout",
    "remote_write.queue",
    "remote_write.token_file",
    "remote_write.user",
    "remote_write.password_file",
    "remote_write.ca_file",
    "remote_write.headers",
    "remote_write.labels"};
constexpr PushKeys kOtlp = {&Settings::otlp,
                            "otlp.url",
                            "Where metrics are pushed by OTLP over HTTP: https://HOST:4318/v1/metrics; none is nowhere "
                            "(docs/push.md).",
                            "otlp.families",
                            "otlp.interval",
                            "otlp.timeout",
                            "otlp.queue",
                            "otlp.token_file",
                            "otlp.user",
                            "otlp.password_file",
                            "otlp.ca_file",
                            "otlp.headers",
                            "otlp.labels"};

void add_push(std::vector<Key>& keys, const PushKeys& names) {
  const auto of = [section = names.section](auto member) {
    return [ section, member ](auto& s) -> auto& {
      return s.*section.*member;
    };
  };
  using P = push::PushSettings;
  keys.push_back(key(names.url, "", restart, names.url_help, text_or_none(), of(&P::url)));
  keys.back().publish = [section = names.section](const Settings& settings) {
    return text_or_none().show(push::published_url(settings.*section));
  };
  keys.push_back(key(names.families, "", restart, "Which families of metrics (docs/prometheus.md).",
                     list(word(prometheus::kFamilies)), of(&P::families)));
  keys.push_back(key(names.interval, "s", restart, "From push to push.", seconds(1, kHour), of(&P::interval)));
  keys.push_back(key(names.timeout, "s", restart, "For one attempt.", seconds(1, 300), of(&P::timeout)));
  keys.push_back(key(names.queue, "", restart, "Memory for requests that wait; above it the oldest go.",
                     size(Bytes(64 << 10)), of(&P::queue)));
  keys.push_back(key(names.token_file, "", restart, "A file whose first line is a bearer token.", text_or_none(),
                     of(&P::token_file)));
  keys.push_back(
      key(names.user, "", restart, "A user's name, for basic authentication.", text_or_none(), of(&P::user)));
  keys.push_back(key(names.password_file, "", restart, "A file whose first line is that user's password.",
                     text_or_none(), of(&P::password_file)));
  keys.push_back(key(names.ca_file, "", restart,
                     "Certificates that the server is checked against; none is those of the system.", text_or_none(),
                     of(&P::ca_file)));
  keys.push_back(key(names.headers, "", restart, "Headers of every request: 'X-Scope-OrgID: team'.", list(text()),
                     of(&P::headers)));
  keys.back().publish = [section = names.section](const Settings& settings) {
    return list(text()).show(push::published_headers(settings.*section));
  };
  keys.push_back(key(names.labels, "", restart, "Labels of every series: cluster=a.", list(text()), of(&P::labels)));
}

std::vector<Key> make_table() {
  std::vector<Key> keys;
  add_states(keys);
  add_governor(keys);
  add_history(keys);
  add_history_store(keys);
  add_alerts(keys);
  add_ledger(keys);
  add_actuators(keys);
  add_reclaim(keys);
  add_tariff(keys);
  add_kubernetes(keys);
  add_account(keys);
  add_service(keys);
  add_metrics(keys);
  add_database(keys);
  add_push(keys, kRemoteWrite);
  add_push(keys, kOtlp);
  return keys;
}

}  // namespace

std::span<const Key> key_table() {
  static const std::vector<Key> table = make_table();  // never changes
  return table;
}

const Key* find_key(std::string_view name) {
  const auto found = std::ranges::find(key_table(), name, &Key::name);
  return found == key_table().end() ? nullptr : &*found;
}

std::string no_such_key(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Key& key : key_table()) known.push_back(key.name);
  const auto meant = nearest(name, known);
  if (!meant.empty()) return fmt::format("there is no key '{}': did you mean '{}'?", name, meant);
  return fmt::format("there is no key '{}': gpukeeper config show lists them", name);
}

std::string environment_name(const Key& key) {
  std::string name = "GPUKEEPER_";
  for (const char c : key.name) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

namespace {

std::string no_such_metric(std::string_view name) {
  std::vector<std::string_view> known;
  for (const MetricRow& row : metric_table()) known.push_back(row.name);
  const auto meant = nearest(name, known);
  return fmt::format("history.metrics: there is no metric '{}'{}", name,
                     meant.empty() ? ": gpukeeper metrics lists them" : fmt::format(": did you mean '{}'?", meant));
}

}  // namespace

std::vector<std::string> check(const Settings& settings) {
  auto found = gpukeeper::check(settings.engine.governor);
  for (std::string& sentence : gpukeeper::check(settings.engine.andon)) found.push_back(std::move(sentence));
  for (const std::string& name : settings.engine.history.metrics) {
    if (!find_metric(name)) found.push_back(no_such_metric(name));
  }
  for (std::string& sentence : gpukeeper::check(settings.history_store)) found.push_back(std::move(sentence));
  for (std::string& sentence : gpukeeper::check(settings.book)) found.push_back(std::move(sentence));
  for (std::string& sentence : gpukeeper::check(settings.actuators)) found.push_back(std::move(sentence));
  for (std::string& sentence : reclaim::check(settings.reclaim)) found.push_back(std::move(sentence));
  for (std::string& sentence : prometheus::check(settings.metrics)) found.push_back(std::move(sentence));
  for (std::string& sentence : postgres::check(settings.database)) found.push_back(std::move(sentence));
  for (std::string& sentence : push::check_remote_write(settings.remote_write)) found.push_back(std::move(sentence));
  for (std::string& sentence : push::check("otlp", settings.otlp)) found.push_back(std::move(sentence));
  for (std::string& sentence : check_door(settings)) found.push_back(std::move(sentence));
  for (std::string& sentence : gpukeeper::check(settings.sinks)) found.push_back(std::move(sentence));
  return found;
}

}  // namespace gpukeeper::config
