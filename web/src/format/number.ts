// Numbers as people read them. What is absent is a dash, never a zero.

export const absent = '–';
const space = '\u00a0'; // a number and its unit stay on one line

export type Maybe = number | null | undefined;

const known = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value);

/** Three digits that matter: 0.42, 4.2, 42, 420. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1).replace(/\.0$/, '');
  return value.toFixed(size >= 0.995 ? 1 : 2).replace(/\.?0+$/, '');
}

function whole(value: Maybe, unit: string): string {
  return known(value) ? `${Math.round(value)}${space}${unit}` : absent;
}

export const percent = (value: Maybe): string => whole(value, '%');
export const celsius = (value: Maybe): string => whole(value, '°C');
export const watts = (value: Maybe): string => whole(value, 'W');
export const megahertz = (value: Maybe): string => whole(value, 'MHz');
export const rpm = (value: Maybe): string => whole(value, 'rpm');

const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size in powers of 1024: "121 GiB". */
export function bytes(value: Maybe): string {
  if (!known(value)) return absent;
  let size = Math.abs(value);
  let step = 0;
  while (size >= 1023.5 && step < steps.length - 1) {
    size /= 1024;
    step += 1;
  }
  return `${value < 0 ? '-' : ''}${digits(size)}${space}${steps[step]}`;
}

export const bytesPerSecond = (value: Maybe): string => (known(value) ? `${bytes(value)}/s` : absent);

/** `part` of `all` in percent; null where one of them is not known, or all is nothing. */
export function shareOf(part: Maybe, all: Maybe): number | null {
  return known(part) && known(all) && all > 0 ? (100 * part) / all : null;
}

/** The value of a metric by the unit that its name ends in. */
export function byName(name: string, value: unknown): string {
  if (value === null || value === undefined) return absent;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  if (name.endsWith('_bytes_per_second')) return bytesPerSecond(value);
  if (name.endsWith('_bytes')) return bytes(value);
  if (name.endsWith('_percent')) return percent(value);
  if (name.endsWith('_celsius')) return celsius(value);
  if (name.endsWith('_watts')) return watts(value);
  if (name.endsWith('_mhz')) return megahertz(value);
  if (name.endsWith('_rpm')) return rpm(value);
  if (name.endsWith('_joules')) return `${digits(value / 3.6e6)}${space}kWh`;
  if (name.endsWith('_seconds')) return `${digits(value)}${space}s`;
  return digits(value);
}

/** "16 GiB", "512MiB", "1.5 g" or "4096" (bytes) as bytes; null for what is no size. */
export function parseBytes(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?b)?\s*$/i.exec(text);
  if (!match) return null;
  const power = ' kmgtp'.indexOf((match[2] || ' ').toLowerCase());
  const size = Math.round(Number(match[1]) * 1024 ** power);
  return size > 0 && Number.isSafeInteger(size) ? size : null;
}
