// The borders between the states of a GPU, as the daemon says them.
import type { Maybe } from '../format/number';

/** The colour of a temperature by itself: below optimal, normal and throttle, and above. Empty where it is not known. */
export function toneOf(celsius: Maybe, thresholds: Record<string, number> | undefined): string {
  if (typeof celsius !== 'number' || !thresholds) return '';
  const below = (name: string): boolean => celsius < (thresholds[name] ?? Infinity);
  if (below('temp_optimal')) return 'tone-optimal';
  if (below('temp_normal')) return 'tone-normal';
  return below('temp_throttle') ? 'tone-throttled' : 'tone-critical';
}
