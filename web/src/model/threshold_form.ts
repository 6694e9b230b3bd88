// The thresholds that are edited, and what of them is sent. The daemon judges them; the page only knows which differ.
import type { ApiConfig } from '../api/schema';

export const temperatureKeys = ['temp_optimal', 'temp_normal', 'temp_throttle', 'temp_critical'] as const;
export const memoryKeys = ['memory_optimal', 'memory_normal', 'memory_critical'] as const;
export const thresholdKeys = [...temperatureKeys, ...memoryKeys] as const;
export type ThresholdKey = (typeof thresholdKeys)[number];
export type Thresholds = Record<ThresholdKey, number>;

/** The thresholds in force; null where the daemon does not say one of them as a number. */
export function thresholdsOf(config: ApiConfig): Thresholds | null {
  const values: Partial<Thresholds> = {};
  for (const key of thresholdKeys) {
    const value = config.keys.find((one) => one.key === key)?.value;
    if (typeof value !== 'number') return null;
    values[key] = value;
  }
  return values as Thresholds;
}

/** What differs from what is in force; empty when nothing does. */
export function changesOf(inForce: Thresholds, edited: Thresholds): Partial<Thresholds> {
  const changes: Partial<Thresholds> = {};
  for (const key of thresholdKeys) if (edited[key] !== inForce[key]) changes[key] = edited[key];
  return changes;
}
