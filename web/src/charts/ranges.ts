// How far back a chart reaches, and how fine its buckets are then.

export const ranges = ['1m', '5m', '15m', '1h', '6h', '24h', 'all'] as const;
export type Range = (typeof ranges)[number];

const seconds: Record<Exclude<Range, 'all'>, number> = {
  '1m': 60,
  '5m': 300,
  '15m': 900,
  '1h': 3_600,
  '6h': 21_600,
  '24h': 86_400,
};

/** `store`: how much the daemon keeps, in seconds; null where that is not known, and a day is shown. */
export function spanOf(range: Range, store: number | null): number {
  return range === 'all' ? (store ?? seconds['24h']) : seconds[range];
}

/** The daemon answers with no more buckets than 20,000, of all metrics and devices together. */
const mostValues = 18_000;

/** About as many buckets as a chart has points, none shorter than a second; `series` are asked for at once. */
export function stepOf(span: number, series: number): number {
  return Math.max(1, Math.ceil(span / 360), Math.ceil((span * series) / mostValues));
}
