// A time line as a table that programs read (RFC 4180).
import type { Timeline } from './timeline';

/** A line a bucket: when it begins, and of each metric the lowest, the mean and the highest; empty where nothing was measured. */
export function csvOf(timeline: Timeline): string {
  const metrics = [...timeline.lines.keys()].filter((metric) => timeline.has(metric));
  const head = ['time', ...metrics.flatMap((metric) => [`${metric}_min`, `${metric}_avg`, `${metric}_max`])];
  const rows = timeline.times.map((time, i) => {
    const cells = metrics.flatMap((metric) => {
      const line = timeline.lines.get(metric)!;
      return [line.min[i], line.avg[i], line.max[i]].map((value) =>
        value === null || value === undefined ? '' : value,
      );
    });
    return [new Date(time * 1000).toISOString(), ...cells].join(',');
  });
  return [head.join(','), ...rows, ''].join('\r\n');
}

/** A name for a file that every system takes. */
export function fileName(parts: string[], ending: string): string {
  const clean = parts.map((part) => part.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '')).filter(Boolean);
  return `${clean.join('_').slice(0, 100) || 'gpukeeper'}.${ending}`;
}
