import { describe, expect, test } from 'vitest';
import { sparkPath } from '../src/charts/spark_path';
import { Ring } from '../src/live/ring';
import { wantsAttention } from '../src/model/alerts';
import { memorySegments } from '../src/model/memory_bar';
import { may, roleOf } from '../src/model/roles';
import { toneOf } from '../src/model/thresholds';
import { heaviest, ownerOf } from '../src/model/who';
import { linkTo, placeOf } from '../src/router';
import { alert, device, lease, metrics, process } from './make';

const total = { memory_total_bytes: 1000, memory_used_bytes: 500, memory_reserved_bytes: 50 };
const book = (some: object) => ({
  capacity_bytes: 950,
  booked_bytes: 0,
  available_bytes: 0,
  unmanaged_bytes: 0,
  charged_bytes: 0,
  draining_bytes: 0,
  leaked_bytes: 0,
  leases: 0,
  missing: {},
  ...some,
});

describe('the bar of memory', () => {
  const shown = (segments: ReturnType<typeof memorySegments>) => segments.map((s) => [s.kind, s.name, s.bytes]);

  test('names leases, and tells apart what ends, what nobody booked and what is free', () => {
    const gpu = device({ metrics: metrics(total), booking: book({ unmanaged_bytes: 200, draining_bytes: 30 }) });
    const leases = [
      lease({ service: 'llm', charge_bytes: 300, observed_bytes: 250 }),
      lease({ service: 'elsewhere', device: 'GPU-b' }),
      lease({ service: 'over', state: 'ended' }),
      lease({ service: 'queued', state: 'waiting' }),
    ];
    expect(shown(memorySegments(gpu, leases))).toEqual([
      ['reserved', null, 50],
      ['lease', 'llm', 300],
      ['draining', null, 30],
      ['unmanaged', null, 200],
      ['free', null, 420],
    ]);
  });

  test('has the leases of its partitions', () => {
    const gpu = device({ metrics: metrics(total), booking: null, partitions: [device({ uuid: 'MIG' })] });
    expect(shown(memorySegments(gpu, [lease({ device: 'MIG', charge_bytes: 200 })]))).toEqual([
      ['reserved', null, 50],
      ['lease', 'llm', 200],
      ['used', null, 300],
      ['free', null, 450],
    ]);
  });

  test('never comes to more than there is', () => {
    const gpu = device({ metrics: metrics(total), booking: book({ unmanaged_bytes: 900 }) });
    const segments = memorySegments(gpu, [lease({ charge_bytes: 700 })]);
    expect(segments.reduce((sum, s) => sum + s.bytes, 0)).toBe(1000);
    expect(segments.some((s) => s.kind === 'free')).toBe(false);
  });

  test('says used and free where nobody keeps the book', () => {
    const segments = memorySegments(device({ metrics: metrics(total) }), []);
    expect(shown(segments)).toEqual([
      ['reserved', null, 50],
      ['used', null, 500],
      ['free', null, 450],
    ]);
  });

  test('is none where the memory is not known, or the GPU is lost', () => {
    expect(memorySegments(device({ metrics: metrics({ memory_total_bytes: 1000 }) }), [])).toEqual([]);
    expect(memorySegments(device({ metrics: metrics({ memory_used_bytes: 1000 }) }), [])).toEqual([]);
    expect(memorySegments(device({ available: false, metrics: metrics(total) }), [])).toEqual([]);
  });
});

describe('who is on a GPU', () => {
  test('comes by memory, its partitions included, unknown memory last', () => {
    const gpu = device({
      processes: [process({ pid: 1 }), process({ pid: 2, memory_bytes: 5 })],
      partitions: [device({ processes: [process({ pid: 3, memory_bytes: 9 })] })],
    });
    expect(heaviest(gpu).map((one) => one.pid)).toEqual([3, 2, 1]);
  });

  test('is told in the words that say most', () => {
    const container = { runtime: 'docker', id: '0123456789abcdef' };
    expect(ownerOf(process({ pod_uid: 'a3f5c7e9-0b1d', container, user: 'ann' }))).toEqual({
      kind: 'pod',
      name: 'a3f5c7e9',
    });
    const pod = { namespace: 'ml', name: 'trainer-0', container: null };
    expect(ownerOf(process({ pod_uid: 'a3f5c7e9-0b1d', pod, user: 'ann' }))).toEqual({ kind: 'pod', name: 'ml/trainer-0' });
    expect(ownerOf(process({ container, user: 'ann' }))).toEqual({ kind: 'container', name: '0123456789ab' });
    expect(ownerOf(process({ user: 'ann' }))).toEqual({ kind: 'user', name: 'ann' });
    expect(ownerOf(process())).toBeNull();
  });
});

describe('a role', () => {
  test.each([
    ['none', 'look', false],
    ['viewer', 'look', true],
    ['viewer', 'book', false],
    ['viewer', 'acknowledge', false],
    ['operator', 'book', true],
    ['operator', 'silence', true],
    ['operator', 'configure', false],
    ['operator', 'revoke', false],
    ['operator', 'optimize', false],
    ['admin', 'configure', true],
    ['admin', 'audit', true],
  ] as const)('%s: %s is %s', (role, action, allowed) => expect(may(role, action)).toBe(allowed));

  test('that is none is a viewer', () => {
    expect(roleOf('root')).toBe('viewer');
    expect(roleOf(null)).toBe('viewer');
    expect(roleOf('admin')).toBe('admin');
    expect(roleOf('none')).toBe('none');
  });
});

test('an alert wants attention while it fires, is no note, and is not silenced', () => {
  expect(wantsAttention(alert())).toBe(true);
  expect(wantsAttention(alert({ phase: 'pending' }))).toBe(false);
  expect(wantsAttention(alert({ level: 'info' }))).toBe(false);
  expect(wantsAttention(alert({ silenced: true }))).toBe(false);
});

test('a temperature has its own colour, and none where it or its borders are not known', () => {
  const borders = { temp_optimal: 65, temp_normal: 75, temp_throttle: 85 };
  expect([64, 65, 75, 85].map((t) => toneOf(t, borders))).toEqual([
    'tone-optimal',
    'tone-normal',
    'tone-throttled',
    'tone-critical',
  ]);
  expect(toneOf(null, borders)).toBe('');
  expect(toneOf(50, undefined)).toBe('');
});

describe('a sparkline', () => {
  const box = { width: 11, height: 12, low: 0, high: 100 };
  const line = (points: [number, number][]) => {
    const times = new Ring(50);
    const values = new Ring(50);
    for (const [time, value] of points) {
      times.push(time);
      values.push(value);
    }
    return sparkPath(times, values, 1000, 1000, box);
  };

  test('goes from left to right, up with the value', () => {
    expect(
      line([
        [900, 0],
        [1000, 100],
      ]),
    ).toBe('M9 11.0h.1L10 1.0');
  });

  test('has gaps where nothing was measured', () => {
    expect(
      line([
        [800, 50],
        [900, NaN],
        [1000, 50],
      ]),
    ).toBe('M8 6.0h.1M10 6.0h.1');
    expect(
      line([
        [0, 50],
        [1000, 50],
      ]),
    ).toBe('M0 6.0h.1M10 6.0h.1');
  });

  test('keeps the highest of what falls on one point, and stays in its box', () => {
    expect(
      line([
        [990, 20],
        [1000, 500],
        [1001, 5],
      ]),
    ).toBe('M10 1.0h.1');
  });

  test('is nothing without values or a range', () => {
    expect(line([])).toBe('');
    expect(sparkPath(new Ring(1), new Ring(1), 0, 1, { ...box, high: 0 })).toBe('');
  });
});

describe('addresses', () => {
  test.each([
    ['/', 'overview', null],
    ['/alerts', 'alerts', null],
    ['/gpu/GPU-a', 'gpu', 'GPU-a'],
    ['/gpu/0000%3A18', 'gpu', '0000:18'],
    ['/gpu/%zz', 'gpu', '%zz'],
    ['/gpu', 'overview', null],
    ['/no-such-page', 'overview', null],
  ])('%s is the page %s of %s', (path, page, gpu) => expect(placeOf(path)).toEqual({ page, device: gpu }));

  test('lead back to what they were made of', () => {
    expect(placeOf(linkTo('gpu', 'a/b%c'))).toEqual({ page: 'gpu', device: 'a/b%c' });
    expect(linkTo('overview')).toBe('/');
  });
});
