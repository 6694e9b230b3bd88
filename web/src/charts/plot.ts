// A chart of uPlot: lines with bands from their lowest to their highest value, limits, and spans painted behind them.
import uPlot from 'uplot';
import type { Maybe } from '../format/number';
import { colour, lineColours } from './colours';
import type { Limit } from './panels';
import type { Span } from './spans';
import type { Timeline } from './timeline';

export interface PlotContent {
  timeline: Timeline;
  metrics: readonly string[];
  labels: readonly string[];
  format: (value: Maybe) => string;
  limits: Limit[];
  spans: Span[];
  /** Of the values shown. */
  axis: (low: number, high: number) => [number, number];
  binary: boolean;
  /** Seconds without a reading that are a gap in the line; less is only how buckets and ticks fall. */
  gapAfter: number;
  /** The window shown, in seconds since 1970. */
  from: number;
  to: number;
}

export interface PlotOptions {
  /** Plots with the same have one crosshair, and are zoomed together. */
  sync: string;
  height: number;
  /** Somebody drew a window with the pointer; null: wants to see all again. */
  zoomed(window: [number, number] | null): void;
}

function dataOf(content: PlotContent): uPlot.AlignedData {
  const columns: (number | null)[][] = [];
  for (const metric of content.metrics) {
    const line = content.timeline.lines.get(metric)!;
    columns.push(line.max, line.avg, line.min);
  }
  return [content.timeline.times, ...columns] as uPlot.AlignedData;
}

/** A colour of the style sheet (#rrggbb) as thin as `share`. */
const thin = (css: string, share: number): string =>
  `${css}${Math.round(255 * share)
    .toString(16)
    .padStart(2, '0')}`;

export class Plot {
  private readonly chart: uPlot;

  constructor(
    place: HTMLElement,
    private content: PlotContent,
    options: PlotOptions,
  ) {
    this.chart = new uPlot(this.optionsOf(place, options), dataOf(content), place);
    // Ours to undo, as the window moves with the time: uPlot would show all that it has.
    this.chart.over.addEventListener('dblclick', () => options.zoomed(null));
  }

  show(content: PlotContent): void {
    this.content = content;
    this.chart.batch(() => {
      this.chart.setData(dataOf(content), false);
      this.chart.setScale('x', { min: content.from, max: content.to });
    });
    // uPlot writes its legend when the pointer moves; without one it would keep saying what was.
    this.chart.setLegend({ idx: this.chart.cursor.idx ?? (null as unknown as number) });
  }

  resize(width: number): void {
    if (width > 0 && width !== this.chart.width) this.chart.setSize({ width, height: this.chart.height });
  }

  get canvas(): HTMLCanvasElement {
    return this.chart.ctx.canvas;
  }

  destroy(): void {
    this.chart.destroy();
  }

  private optionsOf(place: HTMLElement, options: PlotOptions): uPlot.Options {
    const colours = lineColours();
    const axis: uPlot.Axis = {
      stroke: colour('soft'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
      gap: 4,
    };
    return {
      width: Math.max(100, place.clientWidth),
      height: options.height,
      cursor: {
        y: false,
        sync: { key: options.sync, setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 },
        bind: { dblclick: () => () => null },
      },
      legend: { live: true },
      scales: {
        x: { time: true },
        y: { range: (_, low, high) => this.content.axis(low ?? 0, high ?? 1) },
      },
      axes: [
        {
          ...axis,
          size: 22,
          space: 70,
          values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick, step)),
        },
        {
          ...axis,
          size: 66,
          ...(this.content.binary ? { incrs: powersOfTwo } : {}),
          values: (_, ticks) => ticks.map((tick) => this.content.format(tick)),
        },
      ],
      series: [{ label: 'time' }, ...this.seriesOf(colours)],
      bands: this.content.metrics.map((_, i) => ({
        series: [3 * i + 1, 3 * i + 3] as [number, number],
        fill: thin(colours[i % colours.length]!, 0.22),
      })),
      hooks: {
        drawClear: [(chart) => this.paintSpans(chart)],
        draw: [(chart) => this.paintLimits(chart)],
        setSelect: [
          (chart) => {
            if (chart.select.width < 4) return;
            const from = chart.posToVal(chart.select.left, 'x');
            const to = chart.posToVal(chart.select.left + chart.select.width, 'x');
            chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            options.zoomed([from, to]);
          },
        ],
      },
    };
  }

  private seriesOf(colours: string[]): uPlot.Series[] {
    // Without a crosshair the latest value is said.
    const value = (chart: uPlot, shown: number | null, series: number, at: number | null): string =>
      this.content.format(at === null ? lastKnown(chart.data[series] ?? []) : shown);
    return this.content.metrics.flatMap((_, i) => {
      const stroke = colours[i % colours.length]!;
      const gaps = this.realGaps;
      const edge: uPlot.Series = { value, gaps, width: 0, points: { show: false }, stroke: thin(stroke, 0.5) };
      const label = this.content.labels[i]!;
      return [
        { ...edge, label: `${label} max`, class: 'edge' },
        { label, value, stroke, width: 1.5, points: { show: false }, gaps },
        { ...edge, label: `${label} min`, class: 'edge' },
      ];
    });
  }

  private readonly realGaps = (
    chart: uPlot,
    _series: number,
    _from: number,
    _to: number,
    gaps: uPlot.Series.Gaps,
  ): uPlot.Series.Gaps => {
    const perPixel = (this.content.to - this.content.from) / chart.bbox.width;
    return gaps.filter(([left, right]) => (right - left) * perPixel > this.content.gapAfter);
  };

  private paintSpans(chart: uPlot): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const span of this.content.spans) {
      const left = chart.valToPos(Math.max(span.from, this.content.from), 'x', true);
      const right = chart.valToPos(Math.min(span.to, this.content.to), 'x', true);
      if (right < bbox.left || left > bbox.left + bbox.width || right < left) continue;
      const css = colour(`span-${span.kind}`);
      const isAlert = span.kind === 'warning' || span.kind === 'critical';
      // Throttling fills the height, alerts lie as a bar on top: both are seen where they meet.
      ctx.fillStyle = isAlert ? css : thin(css, 0.18);
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), isAlert ? 4 * devicePixelRatio : bbox.height);
    }
    ctx.restore();
  }

  private paintLimits(chart: uPlot): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.font = `${10 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'right';
    const placed: { y: number; left: number }[] = [];
    for (const limit of this.content.limits) {
      const y = chart.valToPos(limit.value, 'y', true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      const css = colour(limit.strong ? 'critical' : 'throttled');
      ctx.strokeStyle = css;
      ctx.fillStyle = css;
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      const line = 12 * devicePixelRatio;
      const label = y - bbox.top < line ? y + line : y - 3 * devicePixelRatio;
      // Labels that would lie on each other stand in a row.
      const beside = placed.filter((other) => Math.abs(other.y - label) < line).map((other) => other.left - line);
      const right = Math.min(bbox.left + bbox.width - 4, ...beside);
      ctx.fillText(limit.label, right, label);
      placed.push({ y: label, left: right - ctx.measureText(limit.label).width });
    }
    ctx.restore();
  }
}

/** The latest value of a column; null where there is none. */
function lastKnown(column: ArrayLike<number | null | undefined>): number | null {
  for (let i = column.length - 1; i >= 0; i -= 1) {
    const value = column[i];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** A time on the axis, as exact as the `step` (seconds) from one to the next. */
function tickText(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (step >= 86_400) return `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return step >= 60 ? minutes : `${minutes}:${two(date.getSeconds())}`;
}

const powersOfTwo = Array.from({ length: 50 }, (_, i) => 2 ** i);
