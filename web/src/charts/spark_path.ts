// A line of the last minutes as the path of an SVG.
import type { Ring } from '../live/ring';

export interface SparkBox {
  width: number;
  height: number;
  /** Values at the bottom and at the top. */
  low: number;
  high: number;
}

/**
 * The path of what `times` and `values` say of the last `span` milliseconds before `now`, one point a pixel (the highest
 * that falls on it). Where nothing was measured there is a gap. Empty where there is nothing to show.
 */
export function sparkPath(times: Ring, values: Ring, now: number, span: number, box: SparkBox): string {
  const range = box.high - box.low;
  if (!(range > 0)) return '';
  let path = '';
  let pixel = -1;
  let top = NaN;
  let pen = false; // whether the line goes on
  let last = NaN; // time of the last point that was measured
  const put = (): void => {
    if (Number.isNaN(top)) return;
    const share = Math.min(1, Math.max(0, (top - box.low) / range));
    const y = (box.height - 1 - share * (box.height - 2)).toFixed(1);
    path += pen ? `L${pixel} ${y}` : `M${pixel} ${y}h.1`;
    pen = true;
    top = NaN;
  };
  for (let i = 0; i < times.length; i += 1) {
    const time = times.at(i);
    const age = now - time;
    if (age > span || age < 0) continue;
    const value = values.at(i);
    if (Number.isNaN(value)) {
      put();
      pen = false;
      continue;
    }
    const x = Math.round((1 - age / span) * (box.width - 1));
    if (x !== pixel) put();
    if (time - last > span / 10) pen = false; // half a minute of five: nobody measured there
    pixel = x;
    top = Number.isNaN(top) ? value : Math.max(top, value);
    last = time;
  }
  put();
  return path;
}
