// Readings for tests: complete, with everything absent, until a test says otherwise.
import type { StatusAlert, StatusDevice, StatusMetrics, StatusProcess, Status, LeasesLease } from '../src/api/schema';

export function metrics(some: Partial<StatusMetrics> = {}): StatusMetrics {
  return new Proxy(some, {
    get: (target, name) => (name in target ? target[name as keyof StatusMetrics] : null),
  }) as StatusMetrics;
}

export function device(some: Partial<StatusDevice> = {}): StatusDevice {
  return {
    index: 0,
    uuid: 'GPU-a',
    vendor: 'nvidia',
    name: 'NVIDIA H200',
    partition: null,
    source: 'simulated',
    simulated: true,
    recorded: false,
    pci_address: '0000:18:00.0',
    driver_version: '580',
    available: true,
    attention: 'awake',
    state: 'optimal',
    reason: null,
    throttling: {
      state: 'optimal',
      state_since: '2026-05-28T20:26:40.000Z',
      speed_multiplier: 1,
      should_throttle: false,
      requests: [],
    },
    lamp: 'green',
    read_at: '2026-05-28T20:26:40.000Z',
    metrics: metrics(),
    missing: {},
    sensors: [],
    booking: null,
    processes: [],
    processes_reason: null,
    partitions: [],
    ...some,
  };
}

export function process(some: Partial<StatusProcess> = {}): StatusProcess {
  return { pid: 1, name: 'python3', type: 'compute', memory_bytes: null, missing: {}, ...some };
}

export function lease(some: Partial<LeasesLease> = {}): LeasesLease {
  return {
    id: '1',
    group: '1',
    group_size: 1,
    generation: 1,
    fencing_token: 1,
    service: 'llm',
    device: 'GPU-a',
    index: 0,
    simulated: true,
    recorded: false,
    name: null,
    request_id: null,
    state: 'active',
    reason: null,
    min_bytes: 4096,
    max_bytes: 4096,
    observed_bytes: null,
    peak_bytes: 0,
    charge_bytes: 4096,
    owner: { kind: 'standing' },
    uid: 0,
    user: 'root',
    priority: 0,
    exclusive: false,
    overused: false,
    surface: 'native',
    created: '2026-05-28T20:26:40.000Z',
    changed: '2026-05-28T20:26:40.000Z',
    ends_in_seconds: null,
    metadata: {},
    ...some,
  };
}

export function alert(some: Partial<StatusAlert> = {}): StatusAlert {
  return {
    id: '1',
    rule: 'thermal',
    uuid: 'GPU-a',
    index: 0,
    subject: null,
    level: 'warning',
    severity: 50,
    phase: 'firing',
    value: 91,
    threshold: 85,
    message: 'GPU 0 is hot',
    remedy: null,
    link: null,
    since: '2026-05-28T20:26:40.000Z',
    fired_at: '2026-05-28T20:26:40.000Z',
    resolved_at: null,
    unknown_since: null,
    acknowledged_by: null,
    acknowledged_until: null,
    comment: null,
    silenced: false,
    silenced_until: null,
    ...some,
  };
}

export function snapshot(some: Partial<Status> = {}): Status {
  return {
    schema: 'gpukeeper.status/1',
    taken_at: '2026-05-28T20:26:40.000Z',
    host: 'node1',
    sequence: 1,
    state: 'optimal',
    speed_multiplier: 1,
    lamp: 'green',
    alerts: [],
    devices: [device()],
    sources: [],
    event_sources: [],
    self: { cpu_seconds: 0, resident_bytes: 0, driver_calls: 0, driver_seconds: 0 },
    ...some,
  };
}

/** A time so many seconds after that of the other readings. */
export const at = (seconds: number): string =>
  new Date(Date.parse('2026-05-28T20:26:40.000Z') + 1000 * seconds).toISOString();
