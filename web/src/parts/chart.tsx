import { useEffect, useRef } from 'preact/hooks';
import { onThemeChange } from '../charts/colours';
import { axisOf, type Panel } from '../charts/panels';
import { Plot, type PlotContent } from '../charts/plot';
import type { Span } from '../charts/spans';
import { extentOf, type Timeline } from '../charts/timeline';
import type { StatusDevice } from '../api/schema';
import { t } from '../texts';

interface Props {
  panel: Panel;
  device: StatusDevice;
  timeline: Timeline;
  spans: Span[];
  from: number;
  to: number;
  gapAfter: number;
  zoomed(window: [number, number] | null): void;
  /** Where this chart's picture is to be had, for who saves all of them. */
  pictures: Map<string, HTMLCanvasElement>;
}

const height = 150;

/** The metrics of a panel of which anything was measured. */
export const shownMetrics = (panel: Panel, timeline: Timeline): Panel['metrics'] =>
  panel.metrics.filter((metric) => timeline.has(metric));

function Extents({ panel, timeline, from, to }: Pick<Props, 'panel' | 'timeline' | 'from' | 'to'>) {
  const metric = panel.metrics.find((one) => timeline.has(one));
  const extent = metric && extentOf(timeline, metric, from, to);
  if (!extent) return null;
  return (
    <span class="extents">
      {t.charts.extents(panel.format(extent.min), panel.format(extent.avg), panel.format(extent.max))}
    </span>
  );
}

/** One chart of a GPU. Only what changed is handed to it; it is made anew when its lines or the colours change. */
export function Chart({ panel, device, timeline, spans, from, to, gapAfter, zoomed, pictures }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const metrics = shownMetrics(panel, timeline);
  const limits = panel.limits(device);
  const content: PlotContent = {
    timeline,
    metrics,
    labels: metrics.map((metric) => t.charts.line[metric]),
    format: panel.format,
    limits,
    spans,
    axis: (low, high) => axisOf(panel, low, high, limits),
    binary: panel.binary ?? false,
    gapAfter,
    from,
    to,
  };
  const latest = useRef(content);
  latest.current = content;
  const lines = metrics.join();
  useEffect(() => {
    const box = place.current!;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new Plot(box, latest.current, { sync: 'gpu', height, zoomed });
      plot.current.show(latest.current);
      pictures.set(panel.key, plot.current.canvas);
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
      pictures.delete(panel.key);
    };
  }, [lines]);
  useEffect(() => plot.current?.show(content));
  return (
    <figure class="chart">
      <figcaption>
        <b>{t.charts.panel[panel.key]}</b> <Extents panel={panel} timeline={timeline} from={from} to={to} />
      </figcaption>
      <div ref={place} />
    </figure>
  );
}
