import { useEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import type { ApiConfig, History } from './api/schema';
import type { Refused } from './api/client';
import { chartMetrics } from './charts/panels';
import { spanOf, stepOf, storeSpan, type Range } from './charts/ranges';
import { Timeline } from './charts/timeline';
import { parseTime } from './format/time';
import { useAnswer, useApp, useStore } from './hooks';

/** How many seconds the daemon can look back; null until it said so. */
export function useStoreSpan(): number | null {
  const config = useAnswer<ApiConfig>('/api/v1/config');
  return storeSpan((key) => config.data?.keys.find((one) => one.key === key)?.value);
}

export interface TimelineView {
  timeline: Timeline | null;
  trouble: Refused | null;
  /** Why a part of what is older is not there; null where all is. */
  incomplete: string | null;
  /** Seconds that it reaches back. */
  span: number;
}

/** The past of a GPU, and every tick that comes from now on joined to it. */
export function useTimeline(uuid: string, range: Range): TimelineView {
  const live = useStore(useApp().live);
  const span = spanOf(range, useStoreSpan());
  const partitions = live.snapshot?.devices.find((one) => one.uuid === uuid)?.partitions.length ?? 0;
  const step = stepOf(span, chartMetrics.length * (1 + partitions));
  const query = new URLSearchParams({
    device: uuid,
    metric: chartMetrics.join(','),
    since: `${span}s`,
    step: `${step}s`,
  });
  // After a time without a connection the past is asked for again: what was missed stands there.
  const lapses = useRef(0);
  const wasConnected = useRef(live.connected);
  if (live.connected && !wasConnected.current) lapses.current += 1;
  wasConnected.current = live.connected;
  const answer = useAnswer<History>(`/api/v1/history?${query}`, `${lapses.current}/${live.missed}`);
  const timeline = useMemo(() => {
    if (!answer.data) return null;
    const made = Timeline.of(answer.data, uuid, chartMetrics, span * 1000);
    made.knownUntil((parseTime(answer.data.to) ?? 0) - 1);
    return made;
  }, [answer.data, uuid, span]);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const device = live.snapshot?.devices.find((one) => one.uuid === uuid);
    const time = parseTime(live.snapshot?.taken_at);
    if (!timeline || !device || time === null) return;
    const metrics = device.metrics as Record<string, unknown>;
    timeline.push(time, (metric) => {
      const value = metrics[metric];
      return device.available && typeof value === 'number' ? value : null;
    });
    redraw(0);
  }, [timeline, live.snapshot, uuid]);
  return { timeline, trouble: answer.trouble, incomplete: answer.data?.incomplete ?? null, span };
}
