// Which charts a GPU page has, and what is drawn in each.
import type { StatusDevice } from '../api/schema';
import { bytes, bytesPerSecond, celsius, megahertz, percent, watts, type Maybe } from '../format/number';
import { t } from '../texts';

export interface Panel {
  key: keyof typeof t.charts.panel;
  metrics: readonly (keyof typeof t.charts.line)[];
  format: (value: Maybe) => string;
  /** Where the axis begins and ends; null: by what is shown. */
  range: [number | null, number | null];
  /** Whether the axis always reaches its limits: what is used is only half the story. */
  whole?: boolean;
  /** Powers of two on the axis, for sizes. */
  binary?: boolean;
  limits: (device: StatusDevice) => Limit[];
}

export interface Limit {
  value: number;
  label: string;
  strong: boolean;
}

const none = (): Limit[] => [];

function limit(value: Maybe, label: string, strong = false): Limit[] {
  return typeof value === 'number' ? [{ value, label, strong }] : [];
}

export const panels: Panel[] = [
  {
    key: 'use',
    metrics: [
      'utilization_percent',
      'utilization_memory_percent',
      'utilization_encoder_percent',
      'utilization_decoder_percent',
    ],
    format: percent,
    range: [0, 100],
    limits: none,
  },
  {
    key: 'temperature',
    metrics: ['temperature_celsius', 'temperature_hotspot_celsius', 'temperature_memory_celsius'],
    format: celsius,
    range: [null, null],
    limits: (device) => [
      ...limit(device.throttling.thresholds?.['temp_normal'], 'temp_normal'),
      ...limit(device.throttling.thresholds?.['temp_throttle'], 'temp_throttle'),
      ...limit(device.throttling.thresholds?.['temp_critical'], 'temp_critical', true),
      ...limit(device.metrics.temperature_slowdown_celsius, 'slowdown', true),
    ],
  },
  {
    key: 'memory',
    metrics: ['memory_used_bytes'],
    format: bytes,
    range: [0, null],
    binary: true,
    whole: true,
    limits: (device) => limit(device.metrics.memory_total_bytes, t.charts.total, true),
  },
  {
    key: 'power',
    metrics: ['power_watts'],
    format: watts,
    range: [0, null],
    whole: true,
    limits: (device) => limit(device.metrics.power_limit_watts, t.charts.limit, true),
  },
  {
    key: 'clocks',
    metrics: ['clock_graphics_mhz', 'clock_memory_mhz'],
    format: megahertz,
    range: [0, null],
    limits: none,
  },
  { key: 'fan', metrics: ['fan_percent'], format: percent, range: [0, 100], limits: none },
  {
    key: 'pcie',
    metrics: ['pcie_rx_bytes_per_second', 'pcie_tx_bytes_per_second'],
    format: bytesPerSecond,
    range: [0, null],
    binary: true,
    limits: none,
  },
  {
    key: 'links',
    metrics: ['interconnect_rx_bytes_per_second', 'interconnect_tx_bytes_per_second'],
    format: bytesPerSecond,
    range: [0, null],
    binary: true,
    limits: none,
  },
];

export const throttleCounters = ['throttle_power_seconds', 'throttle_thermal_seconds'] as const;

/** All that is asked of the history. */
export const chartMetrics: string[] = [...panels.flatMap((panel) => panel.metrics), ...throttleCounters];

/**
 * Where the axis begins and ends. Limits that are far above everything shown would press the lines flat, and are left out
 * but where the panel wants the whole.
 */
export function axisOf(panel: Panel, low: number, high: number, limits: Limit[]): [number, number] {
  const [fixedLow, fixedHigh] = panel.range;
  let bottom = fixedLow ?? low;
  let top = fixedHigh ?? high;
  const near = limits.filter((one) => panel.whole || one.value <= high + 2 * Math.max(1, high - (fixedLow ?? low)));
  for (const one of near) top = Math.max(top, one.value);
  if (fixedLow === null) bottom = Math.min(bottom, ...near.map((one) => one.value));
  if (!(top > bottom)) top = bottom + 1;
  const room = 0.06 * (top - bottom);
  return [fixedLow ?? bottom - room, fixedHigh ?? top + room];
}
