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

/** What is never dropped: a chart of more than that would show nothing. */
const forEver = 400 * 86_400;

/** How many seconds the daemon can look back by its configuration, in memory, its file or its database; null where it
 * is not known. */
export function storeSpan(value: (key: string) => unknown): number | null {
  const span = value('history.span');
  if (typeof span !== 'number') return null;
  const stored = value('history.store.enabled') === true ? value('history.store.keep') : 0;
  const kept = value('database.keep');
  const writes = Boolean(value('database.url') || value('database.url_file'));
  const written = !writes ? 0 : typeof kept === 'number' ? kept : forEver;
  return Math.max(span, typeof stored === 'number' ? stored : 0, written);
}

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
