// What a GPU page's charts show: the past in buckets, as /api/v1/history has it, and what comes live joined to its end.
import type { History } from '../api/schema';
import { parseTime, type Milliseconds } from '../format/time';

/** One metric: a lowest, a mean and a highest value a bucket; null where nothing was measured. */
export interface Line {
  min: (number | null)[];
  avg: (number | null)[];
  max: (number | null)[];
  /** How many readings are in a bucket, which the mean is made of. */
  count: number[];
}

/** Not more buckets than this are kept, whatever comes. */
export const mostBuckets = 2_000;

export class Timeline {
  /** When buckets begin, in seconds since 1970, ascending: what uPlot takes. */
  readonly times: number[] = [];
  readonly lines = new Map<string, Line>();

  constructor(
    metrics: readonly string[],
    readonly step: Milliseconds,
    readonly span: Milliseconds,
  ) {
    for (const metric of metrics) this.lines.set(metric, { min: [], avg: [], max: [], count: [] });
  }

  /** The device `uuid` of `history`, which has its partitions, too; without it, empty. */
  static of(history: History, uuid: string, metrics: readonly string[], span: Milliseconds): Timeline {
    const timeline = new Timeline(metrics, history.step_seconds * 1000, span);
    const device = history.devices.find((one) => one.uuid === uuid);
    const longest = device?.metrics[0]?.buckets ?? [];
    for (const bucket of longest) timeline.times.push((parseTime(bucket.time) ?? 0) / 1000);
    for (const [metric, line] of timeline.lines) {
      const buckets = device?.metrics.find((one) => one.metric === metric)?.buckets ?? [];
      for (let i = 0; i < longest.length; i += 1) {
        const bucket = buckets[i];
        line.min.push(bucket?.min ?? null);
        line.avg.push(bucket?.avg ?? null);
        line.max.push(bucket?.max ?? null);
        line.count.push(bucket?.count ?? 0);
      }
    }
    timeline.dropUnmeasuredBegin();
    return timeline;
  }

  /** The time up to which readings are in it already; -Infinity before the first. */
  private until = -Infinity;

  /** Takes what was read at `time`; what is older than the last is known already, and left out. */
  push(time: Milliseconds, values: (metric: string) => number | null | undefined): void {
    const last = this.times.at(-1);
    if (time <= this.until) return;
    this.until = time;
    if (last === undefined || time >= last * 1000 + this.step) this.begin(time, last);
    const at = this.times.length - 1;
    for (const [metric, line] of this.lines) fold(line, at, values(metric) ?? null);
    this.forget(time);
  }

  /** What the history said ends here: its last bucket is not complete, and what comes until then is in it. */
  knownUntil(time: Milliseconds): void {
    this.until = Math.max(this.until, time);
  }

  /** Whether anything at all was measured of it. */
  has(metric: string): boolean {
    return this.lines.get(metric)?.avg.some((value) => value !== null) ?? false;
  }

  private begin(time: Milliseconds, last: number | undefined): void {
    // Buckets stay on the grid of the history, so that its lines have no seam.
    const begin = last === undefined ? time : last * 1000 + Math.floor((time - last * 1000) / this.step) * this.step;
    if (last !== undefined && begin - last * 1000 > 1.5 * this.step) this.put(last + this.step / 1000); // a gap shows
    this.put(begin / 1000);
  }

  private put(seconds: number): void {
    this.times.push(seconds);
    for (const line of this.lines.values()) {
      line.min.push(null);
      line.avg.push(null);
      line.max.push(null);
      line.count.push(0);
    }
  }

  private forget(now: Milliseconds): void {
    const oldest = (now - this.span - this.step) / 1000;
    let drop = Math.max(0, this.times.length - mostBuckets);
    while (drop < this.times.length && this.times[drop]! < oldest) drop += 1;
    this.drop(drop);
  }

  private drop(count: number): void {
    if (count === 0) return;
    this.times.splice(0, count);
    for (const line of this.lines.values()) {
      for (const column of [line.min, line.avg, line.max, line.count]) column.splice(0, count);
    }
  }

  /** Buckets before the daemon's first reading say nothing. */
  private dropUnmeasuredBegin(): void {
    let count = 0;
    const lines = [...this.lines.values()];
    while (count < this.times.length && lines.every((line) => line.count[count] === 0)) count += 1;
    this.drop(count);
  }
}

function fold(line: Line, at: number, value: number | null): void {
  if (value === null || !Number.isFinite(value)) return;
  const count = line.count[at]!;
  line.min[at] = count === 0 ? value : Math.min(value, line.min[at] ?? value);
  line.max[at] = count === 0 ? value : Math.max(value, line.max[at] ?? value);
  line.avg[at] = count === 0 ? value : ((line.avg[at] ?? value) * count + value) / (count + 1);
  line.count[at] = count + 1;
}

export interface Extent {
  min: number;
  avg: number;
  max: number;
}

/** The lowest, the mean and the highest of a line between two times (seconds); null where nothing was measured. */
export function extentOf(timeline: Timeline, metric: string, from = -Infinity, to = Infinity): Extent | null {
  const line = timeline.lines.get(metric);
  if (!line) return null;
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let count = 0;
  timeline.times.forEach((time, i) => {
    const avg = line.avg[i];
    if (time < from || time > to || avg === null || avg === undefined) return;
    min = Math.min(min, line.min[i] ?? avg);
    max = Math.max(max, line.max[i] ?? avg);
    sum += avg * line.count[i]!;
    count += line.count[i]!;
  });
  return count === 0 ? null : { min, avg: sum / count, max };
}
