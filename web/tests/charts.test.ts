import { describe, expect, test } from 'vitest';
import type { History, HistoryMetric } from '../src/api/schema';
import { csvOf, fileName } from '../src/charts/csv';
import { axisOf, panels, type Panel } from '../src/charts/panels';
import { ranges, spanOf, stepOf, storeSpan } from '../src/charts/ranges';
import { alertSpans, throttleSpans } from '../src/charts/spans';
import { extentOf, mostBuckets, Timeline } from '../src/charts/timeline';
import { alert, at, device, metrics } from './make';

const begin = Date.parse(at(0));

type Bucket = HistoryMetric['buckets'][number];
const bucket = (seconds: number, min: number | null, avg = min, max = avg, count = min === null ? 0 : 2): Bucket => ({
  time: at(seconds),
  count,
  min,
  avg,
  max,
  last: max,
});

const history = (some: Record<string, Bucket[]>, step = 10): History => ({
  schema: 'gpukeeper.history/1',
  host: 'node1',
  from: at(0),
  to: at(100),
  step_seconds: step,
  incomplete: null,
  devices: [
    {
      index: '0',
      uuid: 'GPU-a',
      name: 'GPU',
      simulated: true,
      recorded: false,
      metrics: Object.entries(some).map(([metric, buckets]) => ({ metric, unit: null, buckets })),
    },
  ],
});

const powerOf = (buckets: Bucket[], span = 1_000_000) =>
  Timeline.of(history({ power_watts: buckets }), 'GPU-a', ['power_watts'], span);

describe('the time line of a GPU', () => {
  test('begins with the first reading, and keeps gaps between', () => {
    const timeline = powerOf([bucket(0, null), bucket(10, 100), bucket(20, null), bucket(30, 200, 250, 300)]);
    expect(timeline.times).toEqual([10, 20, 30].map((s) => begin / 1000 + s));
    expect(timeline.lines.get('power_watts')).toEqual({
      min: [100, null, 200],
      avg: [100, null, 250],
      max: [100, null, 300],
      count: [2, 0, 2],
    });
  });

  test('takes what comes live into the last bucket, then begins the next on the same grid', () => {
    const timeline = powerOf([bucket(0, 100), bucket(10, 100, 200, 300)]);
    timeline.push(begin + 15_000, () => 500);
    timeline.push(begin + 23_000, () => 50);
    const line = timeline.lines.get('power_watts')!;
    expect(timeline.times.map((s) => s - begin / 1000)).toEqual([0, 10, 20]);
    expect([line.min[1], line.avg[1], line.max[1], line.count[1]]).toEqual([100, 300, 500, 3]);
    expect([line.min[2], line.avg[2], line.max[2], line.count[2]]).toEqual([50, 50, 50, 1]);
  });

  test('counts no reading twice that the history has already', () => {
    const timeline = powerOf([bucket(0, 100)]);
    timeline.knownUntil(begin + 5_000);
    timeline.push(begin + 5_000, () => 900);
    timeline.push(begin + 6_000, () => 200);
    timeline.push(begin + 6_000, () => 900);
    expect(timeline.lines.get('power_watts')!.max).toEqual([200]);
  });

  test('has a gap where nothing came for long, and for what is not known', () => {
    const timeline = powerOf([bucket(0, 100)]);
    timeline.push(begin + 55_000, () => 200);
    timeline.push(begin + 65_000, () => null);
    expect(timeline.times.map((s) => s - begin / 1000)).toEqual([0, 10, 50, 60]);
    expect(timeline.lines.get('power_watts')!.avg).toEqual([100, null, 200, null]);
  });

  test('does not grow', () => {
    const timeline = new Timeline(['power_watts'], 1000, 60_000);
    for (let i = 0; i < 500; i += 1) timeline.push(begin + 1000 * i, () => i);
    expect(timeline.times.length).toBeLessThan(64);
    const endless = new Timeline(['power_watts'], 1000, 1e12);
    for (let i = 0; i < mostBuckets + 100; i += 1) endless.push(begin + 1000 * i, () => i);
    expect(endless.times.length).toBe(mostBuckets);
    expect(endless.lines.get('power_watts')!.avg.at(-1)).toBe(mostBuckets + 99);
  });

  test('of a GPU without a history is empty', () => {
    const timeline = Timeline.of(history({ power_watts: [bucket(0, 1)] }), 'GPU-b', ['power_watts'], 1000);
    expect(timeline.times).toEqual([]);
    expect(timeline.has('power_watts')).toBe(false);
    expect(extentOf(timeline, 'power_watts')).toBeNull();
  });

  test('says its lowest, mean and highest, by readings, in a window', () => {
    const timeline = powerOf([bucket(0, 100, 100, 100, 1), bucket(10, null), bucket(20, 200, 300, 400, 3)]);
    expect(extentOf(timeline, 'power_watts')).toEqual({ min: 100, avg: 250, max: 400 });
    expect(extentOf(timeline, 'power_watts', begin / 1000 + 15)).toEqual({ min: 200, avg: 300, max: 400 });
    expect(extentOf(timeline, 'power_watts', begin / 1000 + 9, begin / 1000 + 11)).toBeNull();
    expect(extentOf(timeline, 'no_such_metric')).toBeNull();
  });
});

describe('what is painted behind the lines', () => {
  const counter = (values: (number | null)[]) =>
    Timeline.of(
      history({ throttle_power_seconds: values.map((value, i) => bucket(10 * i, value)) }),
      'GPU-a',
      ['throttle_power_seconds'],
      1e9,
    );
  const shown = (values: (number | null)[]) =>
    throttleSpans(counter(values), 'throttle_power_seconds', 'power', 'held back').map((span) => [
      span.from - begin / 1000,
      span.to - begin / 1000,
    ]);

  test('a GPU was held back where the counter grew', () => {
    expect(shown([5, 5, 6, 8, 8, 9])).toEqual([
      [20, 40],
      [50, 60],
    ]);
  });

  test('and is not where it stands, begins anew or says nothing', () => {
    expect(shown([5, 5, 5])).toEqual([]);
    expect(shown([5, 0, 0])).toEqual([]);
    expect(shown([null, null])).toEqual([]);
    expect(throttleSpans(counter([1]), 'throttle_thermal_seconds', 'thermal', '')).toEqual([]);
  });

  test('alerts of this GPU are shown from when they fired until they were over, or now', () => {
    const alerts = [
      alert({ fired_at: at(20), resolved_at: null, level: 'critical' }),
      alert({ fired_at: at(0), resolved_at: at(10) }),
      alert({ fired_at: null, phase: 'pending' }),
      alert({ uuid: 'GPU-b' }),
      alert({ level: 'info' }),
    ];
    const now = begin / 1000 + 60;
    expect(alertSpans(alerts, 'GPU-a', now).map((span) => [span.kind, span.from - now, span.to - now])).toEqual([
      ['warning', -60, -50],
      ['critical', -40, 0],
    ]);
  });
});

describe('the axis of a chart', () => {
  const panel = (key: string): Panel => panels.find((one) => one.key === key)!;

  test('reaches as far as the limits that are near', () => {
    const limits = [{ value: 85, label: '', strong: false }];
    const [low, high] = axisOf(panel('temperature'), 60, 75, limits);
    expect(low).toBeLessThan(60);
    expect(high).toBeGreaterThan(85);
  });

  test('is not pressed flat by those that are far away', () => {
    expect(axisOf(panel('temperature'), 36, 42, [{ value: 90, label: '', strong: true }])[1]).toBeLessThan(50);
  });

  test('reaches the limit of power and memory always', () => {
    expect(axisOf(panel('power'), 20, 30, [{ value: 700, label: '', strong: true }])[1]).toBeGreaterThan(700);
    expect(axisOf(panel('memory'), 1, 2, [{ value: 24, label: '', strong: true }])[1]).toBeGreaterThan(24);
  });

  test('of percent is always whole, and one of nothing has a height', () => {
    expect(axisOf(panel('use'), 3, 4, [])).toEqual([0, 100]);
    const [low, high] = axisOf(panel('links'), 0, 0, []);
    expect(high).toBeGreaterThan(low);
  });

  test('limits that the GPU does not tell are none', () => {
    const gpu = device({ metrics: metrics({ power_limit_watts: 700 }) });
    expect(panel('power').limits(gpu)).toEqual([{ value: 700, label: 'limit', strong: true }]);
    expect(panel('power').limits(device())).toEqual([]);
    expect(panel('temperature').limits(device())).toEqual([]);
  });
});

describe('files', () => {
  test('a table has every bucket, and nothing where nothing was measured', () => {
    const timeline = Timeline.of(
      history({ power_watts: [bucket(0, 1, 2, 3), bucket(10, null)], fan_percent: [] }),
      'GPU-a',
      ['power_watts', 'fan_percent'],
      1e9,
    );
    expect(csvOf(timeline)).toBe(
      'time,power_watts_min,power_watts_avg,power_watts_max\r\n' +
        '2026-05-28T20:26:40.000Z,1,2,3\r\n' +
        '2026-05-28T20:26:50.000Z,,,\r\n',
    );
  });

  test.each([
    [['gpu', '0', 'NVIDIA H200'], 'gpu_0_NVIDIA-H200.csv'],
    [['gpu', '../../etc/passwd'], 'gpu_etc-passwd.csv'],
    [['\u202e'], 'gpukeeper.csv'],
  ])('%j is the file %s', (parts, name) => expect(fileName(parts, 'csv')).toBe(name));

  test('ranges are drawn in a few hundred buckets, none shorter than a second', () => {
    expect(ranges.map((range) => stepOf(spanOf(range, 86_400), 18))).toEqual([1, 1, 3, 10, 60, 240, 240]);
    // A GPU in seven partitions is answered in coarser ones, as all of them come along.
    expect(stepOf(300, 18 * 8)).toBe(3);
    expect(spanOf('all', 3_600)).toBe(3_600);
    expect(spanOf('all', null)).toBe(86_400);
  });

  test('the daemon looks back as far as the longest of memory, file and database', () => {
    const span = (keys: Record<string, unknown>) => storeSpan((key) => keys[key]);
    const memory = { 'history.span': 86_400, 'history.store.enabled': false, 'history.store.keep': 2_592_000 };
    expect(span({})).toBe(null);
    expect(span(memory)).toBe(86_400);
    expect(span({ ...memory, 'history.store.enabled': true })).toBe(2_592_000);
    expect(span({ ...memory, 'database.keep': 5_184_000 })).toBe(86_400); // no database
    expect(span({ ...memory, 'database.keep': 5_184_000, 'database.url': 'postgresql://db/x' })).toBe(5_184_000);
    expect(span({ ...memory, 'database.keep': 'off', 'database.url_file': '/f' })).toBe(400 * 86_400);
  });
});
