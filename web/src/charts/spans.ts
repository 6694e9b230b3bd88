// What is painted behind the lines of a chart: when the GPU held work back, and when an alert fired.
import type { StatusAlert } from '../api/schema';
import { parseTime } from '../format/time';
import type { Timeline } from './timeline';

export type SpanKind = 'power' | 'thermal' | 'warning' | 'critical';

export interface Span {
  /** Seconds since 1970. */
  from: number;
  to: number;
  kind: SpanKind;
  label: string;
}

/**
 * When the driver's counter of throttled seconds grew: from the bucket before to the one in which it did. A counter that
 * falls was begun anew, and says nothing of the time between.
 */
export function throttleSpans(timeline: Timeline, metric: string, kind: SpanKind, label: string): Span[] {
  const line = timeline.lines.get(metric);
  if (!line) return [];
  const spans: Span[] = [];
  let before: number | null = null;
  const step = timeline.step / 1000;
  timeline.times.forEach((time, i) => {
    const min = line.min[i] ?? null;
    const max = line.max[i] ?? null;
    if (min === null || max === null) return;
    const from = before === null || min < before ? min : before;
    if (max > from) extend(spans, { from: time, to: time + step, kind, label });
    before = max;
  });
  return spans;
}

function extend(spans: Span[], next: Span): void {
  const last = spans.at(-1);
  if (last && next.from - last.to < 0.5 * (next.to - next.from)) last.to = next.to;
  else spans.push(next);
}

/** When alerts of this GPU fired, notes left out; one that fires still goes on until `now` (seconds). */
export function alertSpans(alerts: readonly StatusAlert[], uuid: string, now: number): Span[] {
  const spans: Span[] = [];
  for (const alert of alerts) {
    const fired = parseTime(alert.fired_at);
    if (alert.uuid !== uuid || alert.level === 'info' || fired === null) continue;
    const resolved = parseTime(alert.resolved_at);
    const to = resolved !== null ? resolved / 1000 : now;
    spans.push({ from: fired / 1000, to: Math.max(fired / 1000, to), kind: alert.level, label: alert.message });
  }
  return spans.sort((a, b) => a.from - b.from);
}
