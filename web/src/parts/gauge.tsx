import type { StatusMissing } from '../api/schema';
import type { Trail, TrailMetric } from '../live/trails';
import { Sparkline } from './sparkline';
import { Value } from './value';

export interface Mark {
  at: number;
  title: string;
}

interface Props {
  name: string;
  title: string;
  metric: TrailMetric;
  text: string;
  /** Of the bar: its end, and how far it reaches; null where that is not known. */
  value: number | null;
  high: number;
  low?: number;
  marks?: Mark[];
  tone?: string;
  missing: StatusMissing;
  trail: Trail | undefined;
  now: number;
  spark?: boolean;
}

/** A reading, a bar against its limits and what it was lately. */
export function Gauge({
  name,
  title,
  metric,
  text,
  value,
  high,
  low = 0,
  marks = [],
  tone = '',
  missing,
  trail,
  now,
  spark = true,
}: Props) {
  const share = (at: number): number => Math.min(1, Math.max(0, (at - low) / (high - low)));
  return (
    <div class={`gauge ${tone}`} title={title}>
      <span class="name">{name}</span>
      <span class="reading">
        <Value text={text} metric={metric} missing={missing} />
      </span>
      {/* A background's size is painted anew, and moves nothing: no layout, no layer. */}
      <div
        class="bar"
        aria-hidden="true"
        style={{ backgroundSize: `${value === null ? 0 : (100 * share(value)).toFixed(1)}% 100%` }}
      >
        {marks.map((mark) => (
          <i
            key={mark.title}
            class="mark"
            style={{ left: `${(100 * share(mark.at)).toFixed(1)}%` }}
            title={mark.title}
          />
        ))}
      </div>
      {spark && <Sparkline trail={trail} metric={metric} now={now} low={low} high={high} />}
    </div>
  );
}
