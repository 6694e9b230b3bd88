import { useRef, useState } from 'preact/hooks';
import type { Alerts, StatusDevice } from '../api/schema';
import { colour, lineColours } from '../charts/colours';
import { csvOf, fileName } from '../charts/csv';
import { download, pictureOf } from '../charts/download';
import { panels } from '../charts/panels';
import { ranges, spanOf, type Range } from '../charts/ranges';
import { alertSpans, throttleSpans, type Span } from '../charts/spans';
import type { Timeline } from '../charts/timeline';
import { moment, parseTime } from '../format/time';
import { safeText } from '../format/safe_text';
import { useAnswer, useApp, useStore } from '../hooks';
import { useStoreSpan, useTimeline } from '../hooks_timeline';
import { t } from '../texts';
import { Chart, shownMetrics } from './chart';

function spansOf(timeline: Timeline, alerts: Alerts | null, uuid: string, now: number): Span[] {
  return [
    ...throttleSpans(timeline, 'throttle_power_seconds', 'power', t.charts.span.power),
    ...throttleSpans(timeline, 'throttle_thermal_seconds', 'thermal', t.charts.span.thermal),
    ...alertSpans(alerts?.alerts ?? [], uuid, now),
  ];
}

function Key({ spans }: { spans: Span[] }) {
  const kinds = [...new Set(spans.map((span) => span.kind))];
  if (kinds.length === 0) return null;
  return (
    <ul class="span-key">
      {kinds.map((kind) => (
        <li key={kind}>
          <i class={`span-${kind}`} aria-hidden="true" /> {t.charts.span[kind]}
        </li>
      ))}
    </ul>
  );
}

/** All charts of a GPU, on one axis of time. */
export function GpuCharts({ device, now }: { device: StatusDevice; now: number }) {
  const live = useStore(useApp().live);
  const [range, setRange] = useState<Range>('5m');
  const [zoom, setZoom] = useState<[number, number] | null>(null);
  const pictures = useRef(new Map<string, HTMLCanvasElement>()).current;
  const store = useStoreSpan();
  const { timeline, trouble, incomplete, span } = useTimeline(device.uuid, range);
  const alerts = useAnswer<Alerts>(
    `/api/v1/alerts?all=true&device=${encodeURIComponent(device.uuid)}`,
    live.alertChanges,
  );
  const choose = (next: Range): void => {
    setZoom(null);
    setRange(next);
  };
  // 'All' begins where the daemon's memory does.
  const oldest = range === 'all' ? (timeline?.times[0] ?? 0) : 0;
  const [from, to] = zoom ?? [Math.max(oldest, now / 1000 - span), now / 1000];
  const heading = `GPU ${device.index} ${safeText(device.name)} ${moment(from * 1000, 0)} – ${moment(to * 1000, 0)}`;
  const name = (ending: string) => fileName(['gpu', String(device.index), device.name, range], ending);
  const savePicture = async (): Promise<void> => {
    const shown = panels
      .filter((panel) => pictures.has(panel.key))
      .map((panel) => ({
        title: t.charts.panel[panel.key],
        canvas: pictures.get(panel.key)!,
        lines: timeline ? shownMetrics(panel, timeline).map((metric) => t.charts.line[metric]) : [],
      }));
    if (shown.length === 0) return;
    const colours = { ground: colour('panel'), text: colour('text'), lines: lineColours() };
    const label = device.simulated ? ` (${t.shell.simulated})` : device.recorded ? ` (${t.shell.recorded})` : '';
    download(name('png'), await pictureOf(heading + label, shown, colours));
  };
  const spans = timeline ? spansOf(timeline, alerts.data, device.uuid, now / 1000) : [];
  const present = timeline ? panels.filter((panel) => panel.metrics.some((metric) => timeline.has(metric))) : [];
  const absent = timeline ? panels.filter((panel) => !present.includes(panel)) : [];
  return (
    <section class="panel charts" aria-label={t.charts.title}>
      <div class="controls">
        <div role="group" aria-label={t.charts.range}>
          {ranges
            .filter((one) => one === 'all' || store === null || spanOf(one, store) < store)
            .map((one) => (
              <button key={one} type="button" aria-pressed={one === range} onClick={() => choose(one)}>
                {t.charts.ranges[one]}
              </button>
            ))}
        </div>
        {zoom && (
          <button type="button" onClick={() => setZoom(null)}>
            {t.charts.unzoom}
          </button>
        )}
        <span class="end">
          <button
            type="button"
            disabled={!timeline}
            onClick={() => timeline && download(name('csv'), new Blob([csvOf(timeline)], { type: 'text/csv' }))}
          >
            {t.charts.csv}
          </button>
          <button type="button" disabled={present.length === 0} onClick={() => void savePicture()}>
            {t.charts.png}
          </button>
        </span>
      </div>
      {trouble && <p class="trouble">{trouble.detail}</p>}
      {incomplete && <p class="trouble">{t.charts.incomplete(safeText(incomplete))}</p>}
      {!timeline && !trouble && <p class="loading">{t.link.waiting}</p>}
      <Key spans={spans} />
      {timeline && present.length > 0 && (
        <div class="chart-grid">
          {present.map((panel) => (
            <Chart
              key={panel.key}
              panel={panel}
              device={device}
              timeline={timeline}
              spans={spans}
              from={from}
              to={to}
              gapAfter={(4.5 * Math.max(timeline.step, live.interval ?? 0)) / 1000}
              zoomed={setZoom}
              pictures={pictures}
            />
          ))}
        </div>
      )}
      {absent.length > 0 && (
        <p class="note">{t.charts.absent(absent.map((panel) => t.charts.panel[panel.key]).join(', '))}</p>
      )}
      {timeline && timeline.times.length > 0 && (parseTime(device.read_at) ?? now) < now - 60_000 && (
        <p class="note">{t.charts.old(moment(parseTime(device.read_at), now))}</p>
      )}
    </section>
  );
}
