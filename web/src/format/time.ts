// Times as people read them. The daemon says RFC 3339 in UTC; inside the page a time is milliseconds since 1970.

export type Milliseconds = number;

/** A time of the daemon; null for none and for what is no time. */
export function parseTime(text: string | null | undefined): Milliseconds | null {
  if (!text) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

const units: [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

/** How long something takes: "4 s", "12 min", "3 h 20 min", "2 d 7 h". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.floor(seconds));
  for (let i = 0; i < units.length; i += 1) {
    const [size, name] = units[i]!;
    if (whole < size) continue;
    const first = `${Math.floor(whole / size)}\u00a0${name}`;
    const next = units[i + 1];
    const rest = next ? Math.floor((whole % size) / next[0]) : 0;
    return next && rest > 0 ? `${first} ${rest}\u00a0${next[1]}` : first;
  }
  return seconds < 1 && seconds > 0 ? '<\u00a01\u00a0s' : `${whole}\u00a0s`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** The time of day here: "20:26:40". */
export function clock(time: Milliseconds): string {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Day and time here: "2026-05-28 20:26:40"; without the day where it is that of `now`. */
export function moment(time: Milliseconds | null, now: Milliseconds = Date.now()): string {
  if (time === null) return '–';
  const date = new Date(time);
  if (date.toDateString() === new Date(now).toDateString()) return clock(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(time)}`;
}
