// What lasted from when to when, as bars in a window of time.
import type { LeasesLease, StatusAlert } from '../api/schema';
import { parseTime, type Milliseconds } from '../format/time';

export interface Bar {
  key: string;
  label: string;
  detail: string;
  kind: string;
  from: Milliseconds;
  /** Null: it goes on. */
  to: Milliseconds | null;
}

export interface Placed {
  /** Of the window: 0 its begin, 1 its end. */
  left: number;
  width: number;
}

/** Where a bar lies in the window; null where none of it does. */
export function placeIn(bar: Bar, from: Milliseconds, to: Milliseconds): Placed | null {
  const end = bar.to ?? to;
  if (to <= from || bar.from > to || end < from) return null;
  const left = Math.max(0, (bar.from - from) / (to - from));
  const right = Math.min(1, (end - from) / (to - from));
  return { left, width: Math.max(0, right - left) };
}

/** Leases as bars: from when they were granted until they were over, the longest standing first. */
export function leaseBars(leases: readonly LeasesLease[], describe: (lease: LeasesLease) => string): Bar[] {
  const bars: Bar[] = [];
  for (const lease of leases) {
    const from = parseTime(lease.created);
    if (from === null) continue;
    const over = lease.state === 'ended';
    bars.push({
      key: lease.id,
      label: lease.service,
      detail: describe(lease),
      kind: `lease-${lease.state}`,
      from,
      to: over ? parseTime(lease.changed) : null,
    });
  }
  return bars.sort((a, b) => a.from - b.from);
}

/** Alerts as bars: from when they fired until they were over; one that only pends is none. */
export function alertBars(alerts: readonly StatusAlert[]): Bar[] {
  const bars: Bar[] = [];
  for (const alert of alerts) {
    const from = parseTime(alert.fired_at);
    if (from === null) continue;
    bars.push({
      key: alert.id,
      label: alert.rule,
      detail: alert.message,
      kind: `level-${alert.level}`,
      from,
      to: parseTime(alert.resolved_at),
    });
  }
  return bars.sort((a, b) => b.from - a.from);
}
