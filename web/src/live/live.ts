// What the page knows of the machine, and the rules by which an event changes it. Nothing here is made up: what has not
// come is null, and how old the rest is stands beside it.
import type { Status } from '../api/schema';
import { parseTime, type Milliseconds } from '../format/time';

export type LinkState = 'connecting' | 'live' | 'stale' | 'lost';

export interface Live {
  /** The latest that the daemon said; null before it said anything. */
  snapshot: Status | null;
  /** When that came, in the page's time. */
  receivedAt: Milliseconds;
  /** From tick to tick, as the daemon's times say; null before the second. */
  interval: Milliseconds | null;
  connected: boolean;
  /** Why not; null where it is, or nothing was tried yet. */
  trouble: string | null;
  needsToken: boolean;
  /** Events of leases and alerts, counted: who shows those asks again when this changes. */
  leaseChanges: number;
  alertChanges: number;
  /** Whether something happened that this page was not told. */
  missed: number;
}

export const unknown: Live = {
  snapshot: null,
  receivedAt: 0,
  interval: null,
  connected: false,
  trouble: null,
  needsToken: false,
  leaseChanges: 0,
  alertChanges: 0,
  missed: 0,
};

export type LiveEvent =
  | { kind: 'opened' }
  | { kind: 'lost'; trouble: string; needsToken: boolean }
  | { kind: 'snapshot'; snapshot: Status; at: Milliseconds }
  | { kind: 'lease' }
  | { kind: 'alert' }
  | { kind: 'restarted' }
  | { kind: 'skipped' };

/** `live` after `event`. */
export function reduce(live: Live, event: LiveEvent): Live {
  switch (event.kind) {
    case 'opened':
      return { ...live, connected: true, trouble: null, needsToken: false };
    case 'lost':
      return { ...live, connected: false, trouble: event.trouble, needsToken: event.needsToken };
    case 'snapshot':
      return {
        ...live,
        snapshot: event.snapshot,
        receivedAt: event.at,
        interval: intervalOf(live.snapshot, event.snapshot) ?? live.interval,
      };
    case 'lease':
      return { ...live, leaseChanges: live.leaseChanges + 1 };
    case 'alert':
      return { ...live, alertChanges: live.alertChanges + 1 };
    case 'restarted':
    case 'skipped':
      return {
        ...live,
        missed: live.missed + 1,
        leaseChanges: live.leaseChanges + 1,
        alertChanges: live.alertChanges + 1,
      };
  }
}

function intervalOf(before: Status | null, after: Status): Milliseconds | null {
  const from = parseTime(before?.taken_at);
  const to = parseTime(after.taken_at);
  // From tick to tick alone: what was missed while nobody listened makes no interval long.
  if (from === null || to === null || to <= from || after.sequence !== (before?.sequence ?? 0) + 1) return null;
  return Math.min(60_000, to - from);
}

/** Readings older than this are said to be old: two that did not come, and time to travel. */
export function staleAfter(live: Live): Milliseconds {
  return Math.max(3_000, 2.5 * (live.interval ?? 1_000));
}

/** How far what is shown can be believed at `now`. */
export function linkState(live: Live, now: Milliseconds): LinkState {
  if (!live.connected) return live.trouble === null ? 'connecting' : 'lost';
  if (live.snapshot === null) return 'connecting';
  return now - live.receivedAt > staleAfter(live) ? 'stale' : 'live';
}

/** What an event of the stream is to the page; null for what it does not use, and for what it cannot read. */
export function readEvent(type: string, data: string, at: Milliseconds): LiveEvent | null {
  if (type.startsWith('lease.')) return { kind: 'lease' };
  if (type.startsWith('alert.')) return { kind: 'alert' };
  if (type === 'restarted' || type === 'skipped') return { kind: type };
  if (type !== 'snapshot') return null;
  try {
    const snapshot = (JSON.parse(data) as { payload?: Status }).payload;
    return snapshot && Array.isArray(snapshot.devices) ? { kind: 'snapshot', snapshot, at } : null;
  } catch {
    return null;
  }
}
