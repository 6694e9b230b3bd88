import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { History } from '../api/schema';
import { onThemeChange } from '../charts/colours';
import { Plot, type PlotContent } from '../charts/plot';
import { Timeline } from '../charts/timeline';
import { celsius, percent } from '../format/number';
import { duration } from '../format/time';
import { useAnswer, type Answer } from '../hooks';
import { crossingsOf, inPercent, type Bucketed, type Crossing } from '../model/would_have_fired';
import { memoryKeys, temperatureKeys, type ThresholdKey, type Thresholds } from '../model/threshold_form';
import { t } from '../texts';

const day = 86_400;
const step = 240; // 360 points a day
/** What is closer together is one time: the governor stays in a state for a while, too. */
const settle = 60;

function bucketed(timeline: Timeline, kind: 'temperature' | 'memory'): Bucketed | null {
  const line = timeline.lines.get(kind === 'temperature' ? 'temperature_celsius' : 'memory_used_bytes')!;
  const base = { times: timeline.times, step: timeline.step / 1000 };
  if (kind === 'temperature')
    return timeline.has('temperature_celsius') ? { ...base, min: line.min, max: line.max } : null;
  const total = timeline.lines.get('memory_total_bytes')!;
  if (!timeline.has('memory_used_bytes')) return null;
  return { ...base, min: inPercent(line.min, total.max), max: inPercent(line.max, total.max) };
}

function sentence(crossing: Crossing): string {
  if (crossing.measured === 0) return t.settings.notMeasured;
  if (crossing.stretches.length === 0) return t.settings.never(duration(crossing.measured));
  const least = duration(crossing.atLeast);
  const most = duration(crossing.atMost);
  return t.settings.fired(crossing.stretches.length, least === most ? most : t.settings.between(least, most));
}

/** A line of one value, for the chart: memory in percent is computed here. */
function shownLine(timeline: Timeline, series: Bucketed): Timeline {
  const shown = new Timeline(['value'], timeline.step, timeline.span);
  shown.times.push(...series.times);
  const line = shown.lines.get('value')!;
  series.min.forEach((min, i) => {
    const max = series.max[i] ?? null;
    line.min.push(min);
    line.max.push(max);
    line.avg.push(max); // what counts against a threshold is the highest
    line.count.push(max === null ? 0 : 1);
  });
  return shown;
}

function DayChart({ content }: { content: PlotContent }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const latest = useRef(content);
  latest.current = content;
  useEffect(() => {
    const box = place.current!;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new Plot(box, latest.current, { sync: 'day', height: 170, zoomed: () => undefined });
      plot.current.show(latest.current);
    };
    make();
    const sizes = new ResizeObserver(() => plot.current?.resize(box.clientWidth));
    sizes.observe(box);
    const forget = onThemeChange(make);
    return () => {
      forget();
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.show(content));
  return <div ref={place} />;
}

/** The last day of a GPU, as the charts of its thresholds want it. */
export function useDay(uuid: string | null): Answer<History> {
  const query = `metric=temperature_celsius,memory_used_bytes,memory_total_bytes&since=${day}s&step=${step}s`;
  return useAnswer<History>(uuid && `/api/v1/history?device=${encodeURIComponent(uuid)}&${query}`, 0, 60_000);
}

interface Props {
  kind: 'temperature' | 'memory';
  uuid: string;
  history: Answer<History>;
  edited: Thresholds;
}

/** The last day of a GPU against the thresholds as they are typed, and how often each would have been crossed. */
export function ThresholdChart({ kind, uuid, history, edited }: Props) {
  const timeline = useMemo(
    () =>
      history.data &&
      Timeline.of(history.data, uuid, ['temperature_celsius', 'memory_used_bytes', 'memory_total_bytes'], day * 1000),
    [history.data, uuid],
  );
  if (history.trouble) return <p class="trouble">{history.trouble.detail}</p>;
  if (!timeline || !history.data) return <p class="loading">{t.link.waiting}</p>;
  const series = bucketed(timeline, kind);
  if (!series) return <p class="note">{t.settings.notMeasured}</p>;
  const keys: readonly ThresholdKey[] = kind === 'temperature' ? temperatureKeys : memoryKeys;
  const to = Date.parse(history.data.to) / 1000;
  const content: PlotContent = {
    timeline: shownLine(timeline, series),
    metrics: ['value'],
    labels: [t.settings.highest],
    format: kind === 'temperature' ? celsius : percent,
    limits: keys.map((key) => ({ value: edited[key], label: key, strong: key.endsWith('critical') })),
    spans: crossingsOf(
      series,
      edited[kind === 'temperature' ? 'temp_throttle' : 'memory_normal'],
      settle,
    ).stretches.map((stretch) => ({ ...stretch, kind: 'thermal' as const, label: '' })),
    axis: (low, high) =>
      kind === 'memory' ? [0, 105] : [Math.min(low, edited.temp_optimal) - 5, Math.max(high, edited.temp_critical) + 5],
    binary: false,
    gapAfter: 3 * step,
    from: Math.max(to - day, (timeline.times[0] ?? to) - step),
    to,
  };
  return (
    <>
      <DayChart content={content} />
      <ul class="crossings" aria-live="polite">
        {keys.map((key) => (
          <li key={key}>
            <b>{key}</b> {sentence(crossingsOf(series, edited[key], settle))}
          </li>
        ))}
      </ul>
    </>
  );
}
