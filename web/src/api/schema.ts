// Made by `npm run schema` of docs/schema/*.json. Do not edit.

export type StatusTime = string;

export type StatusTimeOrNull = StatusTime | null;

export type StatusLamp = "off" | "green" | "yellow" | "red";

export type StatusPercent = number | null;

export type StatusMissing = Record<string, "not_supported" | "not_permitted" | "not_yet_read" | "asleep" | "failed">;

export type StatusDevice = {
  index: number;
  uuid: string;
  vendor: "nvidia" | "amd" | "intel" | "other";
  name: string;
  partition: string | null;
  source: string;
  simulated: boolean;
  recorded: boolean;
  pci_address: string | null;
  driver_version: string | null;
  available: boolean;
  attention: "awake" | "resting" | "asleep";
  state: StatusState;
  reason: string | null;
  throttling: StatusThrottling;
  lamp: StatusLamp;
  read_at: StatusTime | null;
  metrics: StatusMetrics;
  missing: StatusMissing;
  sensors: {
    name: string;
    unit: string;
    value: number | null;
  }[];
  booking?: StatusBooking;
  processes: StatusProcess[];
  processes_reason: string | null;
  partitions: StatusDevice[];
};

export type StatusBooking = {
  capacity_bytes: number | null;
  booked_bytes: number;
  available_bytes: number | null;
  unmanaged_bytes: number | null;
  charged_bytes: number;
  draining_bytes: number;
  leaked_bytes: number;
  leases: number;
  missing: StatusMissing;
} | null;

export type StatusState = "optimal" | "normal" | "throttled" | "critical" | "unavailable";

export type StatusSpeed = number;

export type StatusThrottling = {
  state: StatusState;
  state_since: StatusTime;
  speed_multiplier: StatusSpeed;
  should_throttle: boolean;
  thresholds?: Record<string, number>;
  requests: {
    cause: "thermal" | "power" | "memory" | "load" | "operator" | "foreign_application" | "missing_sensor";
    speed_multiplier: StatusSpeed;
    reason: string;
    since: StatusTime;
    until: StatusTime | null;
  }[];
};

export type StatusProcess = {
  pid: number;
  name: string;
  type: string;
  memory_bytes: number | null;
  utilization_percent?: StatusPercent;
  utilization_memory_percent?: StatusPercent;
  utilization_encoder_percent?: StatusPercent;
  utilization_decoder_percent?: StatusPercent;
  partition_uuid?: string | null;
  user?: string | null;
  uid?: number | null;
  command_line?: string | null;
  executable?: string | null;
  started_at?: StatusTime | null;
  cpu_percent?: number | null;
  resident_bytes?: number | null;
  pid_in_namespace?: number | null;
  container?: {
    runtime: string;
    id: string;
  } | null;
  pod_uid?: string | null;
  pod?: {
    namespace: string;
    name: string;
    container: string | null;
  } | null;
  unit?: string | null;
  slurm_job?: string | null;
  root?: {
    pid: number;
    name: string;
    terminal: string | null;
  } | null;
  class?: {
    kind: "unknown" | "mining" | "ml_training" | "ml_inference" | "ml" | "video" | "gaming" | "desktop";
    rule: string | null;
    reason: string | null;
    confidence: number;
  };
  missing: StatusMissing;
};

export type StatusSource = {
  name: string;
  available: boolean;
  message: string | null;
  devices: number;
};

export type StatusAlert = {
  id: string;
  rule: string;
  uuid: string | null;
  index: number | null;
  subject: string | null;
  level: "info" | "warning" | "critical";
  severity: number;
  phase: "pending" | "firing" | "resolved";
  value: number | null;
  threshold: number | null;
  message: string;
  remedy: string | null;
  link: string | null;
  since: StatusTime;
  fired_at: StatusTimeOrNull;
  resolved_at: StatusTimeOrNull;
  unknown_since: StatusTimeOrNull;
  acknowledged_by: string | null;
  acknowledged_until: StatusTimeOrNull;
  comment: string | null;
  silenced: boolean;
  silenced_until: StatusTimeOrNull;
};

export type StatusMetrics = {
  temperature_celsius: number | null;
  temperature_hotspot_celsius: number | null;
  temperature_memory_celsius: number | null;
  temperature_slowdown_celsius: number | null;
  temperature_shutdown_celsius: number | null;
  temperature_max_operating_celsius: number | null;
  temperature_margin_celsius: number | null;
  fan_percent: number | null;
  fan_rpm: number | null;
  utilization_percent: number | null;
  utilization_memory_percent: number | null;
  utilization_render_percent: number | null;
  utilization_compute_percent: number | null;
  utilization_copy_percent: number | null;
  utilization_encoder_percent: number | null;
  utilization_decoder_percent: number | null;
  utilization_video_percent: number | null;
  utilization_video_enhance_percent: number | null;
  utilization_jpeg_percent: number | null;
  utilization_ofa_percent: number | null;
  memory_used_bytes: number | null;
  memory_free_bytes: number | null;
  memory_total_bytes: number | null;
  memory_reserved_bytes: number | null;
  memory_bar1_used_bytes: number | null;
  memory_bar1_total_bytes: number | null;
  memory_gtt_used_bytes: number | null;
  memory_gtt_total_bytes: number | null;
  memory_unified: string | boolean | number | null;
  power_watts: number | null;
  power_instant_watts: number | null;
  power_limit_watts: number | null;
  power_limit_default_watts: number | null;
  power_limit_min_watts: number | null;
  power_limit_max_watts: number | null;
  energy_joules: number | null;
  clock_graphics_mhz: number | null;
  clock_sm_mhz: number | null;
  clock_memory_mhz: number | null;
  clock_video_mhz: number | null;
  clock_graphics_max_mhz: number | null;
  clock_sm_max_mhz: number | null;
  clock_memory_max_mhz: number | null;
  clock_video_max_mhz: number | null;
  performance_state: string | boolean | number | null;
  throttle_reasons: string | boolean | number | null;
  throttle_power_seconds: number | null;
  throttle_thermal_seconds: number | null;
  pcie_generation: number | null;
  pcie_generation_max: number | null;
  pcie_width: number | null;
  pcie_width_max: number | null;
  pcie_rx_bytes_per_second: number | null;
  pcie_tx_bytes_per_second: number | null;
  pcie_replays: number | null;
  interconnect_links: number | null;
  interconnect_links_active: number | null;
  interconnect_rx_bytes_per_second: number | null;
  interconnect_tx_bytes_per_second: number | null;
  ecc_enabled: string | boolean | number | null;
  ecc_corrected_volatile: number | null;
  ecc_uncorrected_volatile: number | null;
  ecc_corrected_aggregate: number | null;
  ecc_uncorrected_aggregate: number | null;
  retired_pages_corrected: number | null;
  retired_pages_uncorrected: number | null;
  retired_pages_pending: string | boolean | number | null;
  remapped_rows_corrected: number | null;
  remapped_rows_uncorrected: number | null;
  remapped_rows_pending: string | boolean | number | null;
  remapped_rows_failed: string | boolean | number | null;
  xid_last: number | null;
  faults: number | null;
  faults_critical: number | null;
  fault_last_timestamp_seconds: number | null;
  speed_multiplier: number | null;
  should_throttle: string | boolean | number | null;
  compute_mode: string | boolean | number | null;
  persistence_mode: string | boolean | number | null;
  mig_mode: string | boolean | number | null;
  runtime_power_state: string | boolean | number | null;
  driver_version: string | boolean | number | null;
  library_version: string | boolean | number | null;
  vbios_version: string | boolean | number | null;
  serial: string | boolean | number | null;
  pci_address: string | boolean | number | null;
  numa_node: string | boolean | number | null;
};

export type Status = {
  schema: "gpukeeper.status/1";
  taken_at: StatusTime;
  host: string;
  replayed?: boolean;
  sequence: number;
  state: StatusState;
  speed_multiplier: StatusSpeed;
  lamp: StatusLamp;
  alerts: StatusAlert[];
  devices: StatusDevice[];
  sources: StatusSource[];
  event_sources: {
    name: string;
    available: boolean;
    message: string | null;
  }[];
  who_reason?: string | null;
  book?: {
    closed: string | null;
  } | null;
  self: {
    cpu_seconds: number;
    resident_bytes: number;
    driver_calls: number;
    driver_seconds: number;
  };
};

export type TrendCelsius = number | null;

export type TrendSeconds = number | null;

export type TrendDevice = {
  index: string;
  uuid: string;
  name: string;
  simulated: boolean;
  recorded: boolean;
  duration_minutes: number;
  seconds_seen: TrendSeconds;
  sample_count: number;
  current_temp: TrendCelsius;
  min_temp: TrendCelsius;
  max_temp: TrendCelsius;
  avg_temp: TrendCelsius;
  trend: "rising" | "falling" | "stable" | null;
  is_stable: boolean | null;
  uneven: boolean | null;
  metric: string | null;
  celsius_per_minute: number | null;
  spikes: number | null;
  next_limit: {
    name: "throttle" | "slowdown";
    celsius: number;
  } | null;
  seconds_until_limit: TrendSeconds;
  recent: TrendCelsius[];
  reason: string | null;
};

export type TrendLeak = {
  uuid: string;
  index: number;
  pid: number;
  name: string;
  memory_bytes: number;
  grown_bytes: number;
  bytes_per_hour: number;
  seconds_until_full: TrendSeconds;
};

export type Trend = {
  schema: "gpukeeper.trend/1";
  taken_at: string;
  host: string;
  devices: TrendDevice[];
  leak_suspects: TrendLeak[];
};

export type AlertsTime = string;

export type AlertsTimeOrNull = AlertsTime | null;

export type AlertsLamp = "off" | "green" | "yellow" | "red";

export type AlertsAlert = {
  id: string;
  rule: string;
  uuid: string | null;
  index: number | null;
  subject: string | null;
  level: "info" | "warning" | "critical";
  severity: number;
  phase: "pending" | "firing" | "resolved";
  value: number | null;
  threshold: number | null;
  message: string;
  remedy: string | null;
  link: string | null;
  since: AlertsTime;
  fired_at: AlertsTimeOrNull;
  resolved_at: AlertsTimeOrNull;
  unknown_since: AlertsTimeOrNull;
  acknowledged_by: string | null;
  acknowledged_until: AlertsTimeOrNull;
  comment: string | null;
  silenced: boolean;
  silenced_until: AlertsTimeOrNull;
};

export type Alerts = {
  schema: "gpukeeper.alerts/1";
  taken_at: AlertsTime;
  host: string;
  lamp: AlertsLamp;
  devices: {
    index: number;
    uuid: string;
    name: string;
    simulated: boolean;
    recorded: boolean;
    lamp: AlertsLamp;
  }[];
  alerts: AlertsAlert[];
};

export type LeasesTime = string;

export type LeasesId = string;

export type LeasesCount = number;

export type LeasesBytes = number;

export type LeasesBytesOrNull = number | null;

export type LeasesTextOrNull = string | null;

export type LeasesSecondsOrNull = number | null;

export type LeasesState = "waiting" | "starting" | "active" | "suspended" | "draining" | "leaked" | "ended";

export type LeasesOwner = {
  kind: "standing" | "process" | "heartbeat";
  pid?: number;
  ttl_seconds?: number;
};

export type LeasesForeign = {
  pid: number;
  name: LeasesTextOrNull;
  memory_bytes: LeasesBytesOrNull;
}[];

export type LeasesLease = {
  id: LeasesId;
  group: LeasesId;
  group_size: number;
  generation: number;
  fencing_token: number;
  service: string;
  device: LeasesTextOrNull;
  index: number | null;
  simulated: boolean;
  recorded: boolean;
  name: LeasesTextOrNull;
  request_id: LeasesTextOrNull;
  state: LeasesState;
  reason: null | "released" | "owner_died" | "expired" | "revoked" | "timed_out" | "cancelled" | "rebooted" | "device_gone";
  min_bytes: LeasesBytes;
  max_bytes: LeasesBytes;
  observed_bytes: LeasesBytesOrNull;
  peak_bytes: LeasesBytes;
  charge_bytes: LeasesBytes;
  owner: LeasesOwner;
  uid: LeasesCount;
  user: LeasesTextOrNull;
  priority: number;
  exclusive: boolean;
  overused: boolean;
  surface: "native" | "documented";
  created: LeasesTime;
  changed: LeasesTime;
  ends_in_seconds: LeasesSecondsOrNull;
  metadata: Record<string, string>;
};

export type LeasesDevice = {
  id: string;
  index: number | null;
  name: LeasesTextOrNull;
  simulated: boolean;
  recorded: boolean;
  available: boolean;
  reason: LeasesTextOrNull;
  total_bytes: LeasesBytesOrNull;
  reserved_bytes: LeasesBytesOrNull;
  used_bytes: LeasesBytesOrNull;
  capacity_bytes: LeasesBytesOrNull;
  headroom_bytes: LeasesBytesOrNull;
  booked_bytes: LeasesBytes;
  charged_bytes: LeasesBytes;
  draining_bytes: LeasesBytes;
  unmanaged_bytes: LeasesBytesOrNull;
  available_bytes: LeasesBytesOrNull;
  leases: LeasesCount;
  exclusive: boolean;
  foreign: LeasesForeign;
};

export type LeasesLeasesDocument = {
  schema: "gpukeeper.leases/1";
  taken_at: LeasesTime;
  closed: LeasesTextOrNull;
  devices: LeasesDevice[];
  leases: LeasesLease[];
  waiting: LeasesId[];
  ended?: LeasesLease[];
};

export type LeasesLeaseDocument = {
  schema: "gpukeeper.lease/1";
  leases: LeasesLease[];
  repeated: boolean;
  note: LeasesTextOrNull;
};

export type LeasesEndingDocument = {
  schema: "gpukeeper.ending/1";
  id: LeasesId;
  state: LeasesState;
  already: boolean;
  observed_bytes: LeasesBytesOrNull;
  note: LeasesTextOrNull;
};

export type LeasesEndingsDocument = {
  schema: "gpukeeper.endings/1";
  ended: LeasesCount;
};

export type LeasesQuotasDocument = {
  schema: "gpukeeper.quotas/1";
  services: {
    service: string;
    quota: {
      min_request_bytes: LeasesBytesOrNull;
      max_request_bytes: LeasesBytesOrNull;
      total_bytes: LeasesBytesOrNull;
      leases: number | null;
      devices: string[];
      preferred_device: LeasesTextOrNull;
      near: string[];
      apart: string[];
      priority: number;
    } | null;
    booked_bytes: LeasesBytes;
    leases: LeasesCount;
  }[];
};

export type LeasesProblem = {
  title: string;
  status: number;
  code: string;
  detail: string;
  waited_seconds?: number;
  refusal?: {
    cause: "closed" | "invalid" | "misused_id" | "quota" | "no_device" | "never" | "no_room" | "queue_full";
    may_come: boolean;
    devices: {
      device: string;
      index: LeasesCount;
      bar: "none" | "unavailable" | "closed" | "not_allowed" | "not_required" | "name_taken" | "exclusive" | "occupied" | "foreign" | "unknown" | "never" | "burst" | "documented" | "no_room" | "reserved";
      detail: LeasesTextOrNull;
      available_bytes: LeasesBytes;
      capacity_bytes: LeasesBytes;
      short_by_bytes: LeasesBytes;
      unmanaged_bytes: LeasesBytes;
      draining_bytes: LeasesBytes;
      reclaimable_bytes: LeasesBytes;
      behind: LeasesId | null;
      in_the_way: {
        id: LeasesId;
        service: string;
        owner: LeasesOwner;
        state: LeasesState;
        charge_bytes: LeasesBytes;
        ends_in_seconds: LeasesSecondsOrNull;
      }[];
      more_leases: LeasesCount;
      foreign: LeasesForeign;
    }[];
  };
};

export type HistoryTime = string;

export type HistoryValue = number | null;

export type HistoryMetric = {
  metric: string;
  unit: string | null;
  buckets: {
    time: HistoryTime;
    count: number;
    min: HistoryValue;
    avg: HistoryValue;
    max: HistoryValue;
    last: HistoryValue;
  }[];
};

export type History = {
  schema: "gpukeeper.history/1";
  host: string;
  from: HistoryTime;
  to: HistoryTime;
  step_seconds: number;
  incomplete: string | null;
  devices: {
    index: string;
    uuid: string;
    name: string;
    simulated: boolean;
    recorded: boolean;
    metrics: HistoryMetric[];
  }[];
};

export type ReclaimTime = string;

export type ReclaimIdOrNull = string | null;

export type ReclaimBytes = number;

export type ReclaimBytesOrNull = number | null;

export type ReclaimTextOrNull = string | null;

export type ReclaimCount = number;

export type ReclaimCountOrNull = number | null;

export type ReclaimSeconds = number;

export type ReclaimSecondsOrNull = number | null;

export type ReclaimPlan = {
  schema: "gpukeeper.plan/1";
  min_bytes: ReclaimBytes;
  devices_wanted: number;
  verdict: "fits" | "possible" | "never";
  exact: boolean;
  devices: string[];
  indices: ReclaimCountOrNull[];
  waited_bytes: ReclaimBytes;
  asked_bytes: ReclaimBytes;
  moved_bytes: ReclaimBytes;
  ended_bytes: ReclaimBytes;
  stopped_bytes: ReclaimBytes;
  steps: {
    kind: "wait" | "ask" | "move" | "end" | "stop";
    lease: ReclaimIdOrNull;
    service: ReclaimTextOrNull;
    priority: number | null;
    pid: ReclaimCountOrNull;
    name: ReclaimTextOrNull;
    from: string;
    from_index: ReclaimCountOrNull;
    to: ReclaimTextOrNull;
    to_index: ReclaimCountOrNull;
    bytes: ReclaimBytes;
  }[];
  reasons: string[];
};

export type ReclaimHolder = {
  lease: ReclaimIdOrNull;
  service: ReclaimTextOrNull;
  pid: ReclaimCountOrNull;
  name: ReclaimTextOrNull;
  device: string;
  what: string;
  promised_bytes: ReclaimBytesOrNull;
  before_bytes: ReclaimBytesOrNull;
  after_bytes: ReclaimBytesOrNull;
  returned_bytes: ReclaimBytesOrNull;
  unbooked_bytes: ReclaimBytes;
  scrubbed: boolean | null;
  note: ReclaimTextOrNull;
  problem: ReclaimTextOrNull;
  took_seconds: ReclaimSeconds;
};

export type ReclaimReport = {
  schema: "gpukeeper.reclaim/1";
  number: ReclaimCount;
  why: string;
  started: ReclaimTime;
  took_seconds: ReclaimSeconds;
  finished: boolean;
  problem: ReclaimTextOrNull;
  returned_bytes: ReclaimBytes;
  devices: {
    id: string;
    index: ReclaimCountOrNull;
    total_bytes: ReclaimBytesOrNull;
    used_before_bytes: ReclaimBytesOrNull;
    used_after_bytes: ReclaimBytesOrNull;
    wanted_bytes: ReclaimBytesOrNull;
    still_wanted_bytes: ReclaimBytesOrNull;
  }[];
  steps: {
    step: "reap" | "ask" | "name" | "suspend" | "terminate";
    type: ReclaimTextOrNull;
    returned_bytes: ReclaimBytes;
    skipped: ReclaimTextOrNull;
    holders: ReclaimHolder[];
  }[];
  advice: {
    lease: ReclaimIdOrNull;
    service: ReclaimTextOrNull;
    pid: ReclaimCountOrNull;
    name: ReclaimTextOrNull;
    user: ReclaimTextOrNull;
    device: string;
    memory_bytes: ReclaimBytesOrNull;
    idle_seconds: ReclaimSecondsOrNull;
    recommendation: string;
  }[];
};

export type ReclaimReports = {
  schema: "gpukeeper.reclaims/1";
  running: boolean;
  by_itself: boolean;
  reports: ReclaimReport[];
};

export type WhyTime = string;

export type WhyTone = "good" | "plain" | "notice" | "bad";

export type WhyAnswer = {
  topic: "availability" | "fan" | "slow" | "hot" | "busy" | "memory";
  tone: WhyTone;
  brief: string | null;
  verdict: string;
  evidence: string[];
  other_causes: string[];
  advice: string[];
};

export type Why = {
  schema: "gpukeeper.why/1";
  taken_at: WhyTime;
  host: string;
  tone: WhyTone;
  summary: string;
  warnings: string[];
  devices: {
    gpu: string;
    uuid: string;
    name: string;
    simulated: boolean;
    recorded: boolean;
    answers: WhyAnswer[];
  }[];
};

export type ProcessesTime = string;

export type ProcessesRow = {
  gpu: string;
  uuid: string;
  gpu_name: string;
  simulated: boolean;
  recorded: boolean;
  also_on: string[];
} & StatusProcess;

export type Processes = {
  schema: "gpukeeper.ps/1";
  taken_at: ProcessesTime;
  host: string;
  processes: ProcessesRow[];
};

export type DevicesTime = string;

export type DevicesDevice = {
  index: number;
  uuid: string;
  vendor: string;
  name: string;
  partition: string | null;
  parent_uuid: string | null;
  source: string;
  simulated: boolean;
  recorded: boolean;
  pci_address: string | null;
  available: boolean;
  reason: string | null;
  facts: Record<string, string | number | boolean | null>;
  missing: Record<string, string>;
  links: {
    kind: string;
    peer: string;
    count: number;
  }[];
  partitions: DevicesDevice[];
};

export type Devices = {
  schema: "gpukeeper.devices/1";
  taken_at: DevicesTime;
  host: string;
  devices: DevicesDevice[];
  connections: {
    from: string;
    to: string;
    way: "self" | "nvlink" | "xgmi" | "same_pcie_switch" | "pcie_switches" | "same_host_bridge" | "same_numa_node" | "across_numa_nodes" | "unknown";
    links: number | null;
  }[];
};

export type FaultsTime = string;

export type FaultsKind = string;

export type FaultsSeverity = "info" | "warning" | "error" | "critical";

export type FaultsFault = {
  id: number;
  kind: FaultsKind;
  xid: number | null;
  uuid: string | null;
  index: number | null;
  pci_address: string | null;
  name: string | null;
  simulated: boolean;
  recorded: boolean;
  first_at: FaultsTime;
  last_at: FaultsTime;
  count: number;
  severity: FaultsSeverity;
  title: string;
  explanation: string;
  action: string;
  detail: string | null;
  sources: string[];
  processes: {
    pid: number | null;
    name: string;
    user: string | null;
    container: string | null;
    blamed: boolean;
  }[] | null;
};

export type Faults = {
  schema: "gpukeeper.faults/1";
  taken_at: FaultsTime;
  host: string;
  journal: {
    place: string | null;
    message: string | null;
  };
  faults: FaultsFault[];
  totals: {
    uuid: string | null;
    kind: FaultsKind;
    severity: FaultsSeverity;
    count: number;
    last_at: FaultsTime;
  }[];
  sources: {
    name: string;
    available: boolean;
    message: string | null;
  }[];
};

export type ThrottleTime = string;

export type ThrottleSpeed = number;

export type ThrottleDevice = {
  index: string;
  uuid: string;
  name: string;
  simulated: boolean;
  recorded: boolean;
  available: boolean;
  reason: string | null;
  state: "optimal" | "normal" | "throttled" | "critical" | "unavailable";
  state_since: ThrottleTime;
  speed_multiplier: ThrottleSpeed;
  should_throttle: boolean;
  requests: {
    cause: "thermal" | "power" | "memory" | "load" | "operator" | "foreign_application" | "missing_sensor";
    speed_multiplier: ThrottleSpeed;
    reason: string;
    since: ThrottleTime;
    until: ThrottleTime | null;
  }[];
};

export type Throttle = {
  schema: "gpukeeper.throttle/1";
  taken_at: ThrottleTime;
  host: string;
  speed_multiplier: ThrottleSpeed;
  should_throttle: boolean;
  devices: ThrottleDevice[];
  changes?: {
    uuid: string;
    kind: "power_limit" | "locked_clocks" | "fan" | "freeze";
    place: string;
    found: string | null;
    set: string | null;
    effective: string | null;
    reason: string | null;
    since: ThrottleTime | null;
    problem: string | null;
  }[];
};

export type ServicesTime = string;

export type ServicesBytesOrNull = number | null;

export type ServicesTextOrNull = string | null;

export type ServicesQuota = {
  min_request_bytes: ServicesBytesOrNull;
  max_request_bytes: ServicesBytesOrNull;
  total_bytes: ServicesBytesOrNull;
  leases: number | null;
  devices: string[];
  preferred_device: ServicesTextOrNull;
  near: string[];
  apart: string[];
  priority: number;
} | null;

export type ServicesService = {
  service: string;
  quota: ServicesQuota;
  leases: number;
  waiting: number;
  booked_bytes: number;
  observed_bytes: number | null;
  devices: ServicesHolding[];
};

export type ServicesHolding = {
  index: string | null;
  uuid: string;
  leases: number;
  booked_bytes: number;
  observed_bytes: number | null;
};

export type Services = {
  schema: "gpukeeper.services/1";
  taken_at: ServicesTime;
  services: ServicesService[];
};

export type ApiTime = string;

export type ApiProblem = {
  title: string;
  status: number;
  code: string;
  detail: string;
};

export type ApiDoctor = {
  schema: "gpukeeper.doctor/1";
  problems: number;
  hints: number;
  checks: {
    mark: "good" | "note" | "hint" | "problem";
    area: string;
    text: string;
    remedy: string | null;
  }[];
};

export type ApiWhoami = {
  schema: "gpukeeper.whoami/1";
  role: "none" | "viewer" | "operator" | "admin";
  name: string | null;
  service: string | null;
  how: "token" | "socket" | "cookie" | "certificate" | "loopback" | "address";
};

export type ApiIndex = {
  service: "gpukeeper";
  version: string;
  routes: {
    route: string;
    summary: string;
  }[];
};

export type ApiOpenapi = {
  openapi: string;
  info: Record<string, unknown>;
  paths: Record<string, unknown>;
  components: Record<string, unknown>;
};

export type ApiJsonSchema = {
  "$schema": string;
  type: unknown;
  properties: Record<string, unknown>;
};

export type ApiHealth = {
  status: "starting" | "healthy" | "degraded" | "paused" | "stalled";
  service: "gpukeeper";
  version: string;
  host: string | null;
  uptime_seconds: number;
  sequence: number;
  taken_at: ApiTime | null;
  last_tick_age_seconds: number | null;
  devices: {
    total: number;
    available: number;
  };
  failed_steps: number;
  reasons: string[];
};

export type ApiReady = {
  status: string;
};

export type ApiMonitoring = {
  schema: "gpukeeper.monitoring/1";
  monitoring: boolean;
  changed: boolean;
  sample_interval_seconds: number;
  sequence: number;
  taken_at: ApiTime | null;
  devices: number;
};

export type ApiSinks = {
  sinks: {
    name: string;
    kind: string;
    last_success: ApiTime | null;
    last_failure: ApiTime | null;
    error: string | null;
    sent: number;
    waiting: number;
    dropped: number;
    spool: string | null;
  }[];
};

export type ApiConfig = {
  schema: "gpukeeper.config/1";
  file: string | null;
  keys: {
    key: string;
    value: unknown;
    unit: string | null;
    origin: "default" | "file" | "environment" | "command line" | "request";
    place: string | null;
    change: "live" | "restart";
  }[];
};

export type ApiConfigPatch = Record<string, unknown>;

export type ApiConfigChange = {
  schema: "gpukeeper.config.change/1";
  changed: {
    key: string;
    from: unknown;
    to: unknown;
    unit: string | null;
    change: "live" | "restart";
  }[];
  saved: boolean;
};

export type ApiAudit = {
  schema: "gpukeeper.audit/1";
  changes: {
    at: ApiTime;
    who: string;
    role: string;
    from: string;
    what: string;
    status: number | null;
    old?: unknown;
    new?: unknown;
    asked?: unknown;
  }[];
};

export type ApiSilence = {
  id: string | null;
  rule: string;
  device: string;
  level: string | null;
  begun_at: ApiTime;
  until: ApiTime | null;
  by: string | null;
  comment: string | null;
};

export type ApiSilences = {
  schema: "gpukeeper.silences/1";
  silences: ApiSilence[];
};

export type ApiSilenceRequest = {
  rule?: string;
  device?: string;
  level?: "info" | "warning" | "critical";
  for: string;
  comment?: string;
};

export type ApiAcknowledgement = {
  for?: string;
  comment?: string;
};

export type ApiOperation = {
  service: string;
  operation: string;
  device?: string | null;
  count?: number;
  seconds?: number | null;
};

export type ApiOperationsRequest = ApiOperation | {
  operations: ApiOperation[];
};

export type ApiOperations = {
  schema: "gpukeeper.operations/1";
  taken: number;
};

export type ApiThrottleRequest = {
  speed_multiplier: 0.8 | 0.5 | 0;
  seconds?: number | null;
  devices?: string[];
};

export type ApiThrottleTaken = {
  devices: string[] | null;
  speed_multiplier?: number;
  until?: ApiTime | null;
};

export type ApiLeaseRequest = {
  service: string;
  min_bytes: number;
  max_bytes?: number;
  name?: string;
  request_id?: string;
  device?: string;
  require_device?: boolean;
  devices?: number;
  exclusive?: boolean;
  priority?: number;
  strategy?: "most_free" | "best_fit" | "spread" | "pack" | "coolest";
  owner?: "standing" | "process" | "connection" | "heartbeat";
  pid?: number;
  ttl_seconds?: number;
  lifetime_seconds?: number;
  wait_seconds?: number;
  metadata?: Record<string, string>;
};

export type ApiLeaseTerms = {
  min_bytes: number;
  max_bytes?: number;
  generation?: number;
};

export type ApiPlanRequest = {
  min_bytes: number;
  devices?: number;
  device?: string;
};

export type ApiReclaimRequest = {
  service?: string;
  device?: string;
  scrub?: boolean;
  min_bytes?: number;
  devices?: number;
  deadline_seconds?: number;
};

export type ApiHolderRequest = {
  kind: "signal" | "webhook" | "ollama" | "vllm" | "llama-swap" | "pytorch";
  url?: string;
  socket?: string;
  signal?: "SIGUSR1" | "SIGUSR2" | "SIGHUP";
  token_file?: string;
  models?: string[];
  level?: number;
};

export type ApiHolder = {
  schema: "gpukeeper.holder/1";
  lease: string;
  holder: ApiHolderRequest | null;
  removed?: boolean;
};

export type ApiWoken = {
  schema: "gpukeeper.woken/1";
  lease: string;
};

export type ApiPart = {
  name: string;
  bytes: number;
};

export type ApiParts = {
  schema: "gpukeeper.parts/1";
  lease: string;
  min_bytes: number;
  used_bytes: number;
  free_bytes: number;
  parts: {
    name: string;
    bytes: number;
  }[];
};
