// When a threshold would have been crossed in the past, from buckets that only know their lowest and highest value.

export interface Bucketed {
  /** When buckets begin, in seconds since 1970. */
  times: readonly number[];
  min: readonly (number | null)[];
  max: readonly (number | null)[];
  /** How long a bucket is, in seconds. */
  step: number;
}

export interface Stretch {
  from: number;
  to: number;
}

export interface Crossing {
  /** Stretches of time in which it was reached at least once, with at most `settle` seconds between. */
  stretches: Stretch[];
  /** For so many seconds it was surely at it or above, as the lowest value of the bucket was. */
  atLeast: number;
  /** And for no more than so many, as in these buckets the highest was. */
  atMost: number;
  /** Seconds that were measured at all. */
  measured: number;
}

/** When `series` was at `threshold` or above. What was not measured is neither below nor above. */
export function crossingsOf(series: Bucketed, threshold: number, settle = 0): Crossing {
  const crossing: Crossing = { stretches: [], atLeast: 0, atMost: 0, measured: 0 };
  series.times.forEach((from, i) => {
    const min = series.min[i] ?? null;
    const max = series.max[i] ?? null;
    if (min === null || max === null) return;
    crossing.measured += series.step;
    if (max < threshold) return;
    crossing.atMost += series.step;
    if (min >= threshold) crossing.atLeast += series.step;
    const last = crossing.stretches.at(-1);
    const to = from + series.step;
    if (last && from - last.to <= settle) last.to = to;
    else crossing.stretches.push({ from, to });
  });
  return crossing;
}

/** In percent of `total`, bucket by bucket; null where one of both is not known. */
export function inPercent(used: readonly (number | null)[], total: readonly (number | null)[]): (number | null)[] {
  return used.map((value, i) => {
    const all = total[i] ?? null;
    return value === null || all === null || all <= 0 ? null : (100 * value) / all;
  });
}
