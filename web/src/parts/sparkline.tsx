import { useMemo } from 'preact/hooks';
import { sparkPath } from '../charts/spark_path';
import { trailSpan, type Trail, type TrailMetric } from '../live/trails';

const width = 100;
const height = 24;

interface Props {
  trail: Trail | undefined;
  metric: TrailMetric;
  /** The latest tick: the right end. */
  now: number;
  low: number;
  high: number;
}

/** The last five minutes of a metric. It is drawn anew when it moves by a point, not with every tick. */
export function Sparkline({ trail, metric, now, low, high }: Props) {
  const step = trailSpan / width;
  const end = Math.ceil(now / step) * step;
  const path = useMemo(
    () => (trail ? sparkPath(trail.times, trail.values[metric], end, trailSpan, { width, height, low, high }) : ''),
    [trail, metric, end, low, high],
  );
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {path && <path d={path} />}
    </svg>
  );
}
