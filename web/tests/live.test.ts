import { describe, expect, test } from 'vitest';
import { EventText, longestEvent } from '../src/live/event_text';
import { linkState, readEvent, reduce, staleAfter, unknown } from '../src/live/live';
import { Ring } from '../src/live/ring';
import { retryAfter } from '../src/live/stream';
import { Trails, trailLength } from '../src/live/trails';
import type { History } from '../src/api/schema';
import { at, device, metrics, snapshot } from './make';

describe('the text of the event stream', () => {
  const stream = 'event: begin\ndata: {"a":1}\n\n: comment\n\nid: 7\nevent: snapshot\ndata: one\ndata: two\n\n';
  const expected = [
    { id: null, type: 'begin', data: '{"a":1}' },
    { id: '7', type: 'snapshot', data: 'one\ntwo' },
  ];

  test.each([1, 2, 3, 7, 1000])('is the same in pieces of %d characters', (size) => {
    const text = new EventText();
    const events = [];
    for (let i = 0; i < stream.length; i += size) events.push(...text.push(stream.slice(i, i + size)));
    expect(events).toEqual(expected);
    expect(text.last).toBe('7');
  });

  test('may end its lines as other systems do', () => {
    expect(new EventText().push('data: x\r\n\r\n')).toEqual([{ id: null, type: 'message', data: 'x' }]);
  });

  test('is not kept without bounds', () => {
    const text = new EventText();
    expect(() => text.push('x'.repeat(longestEvent + 1))).toThrow('an event is longer than 32 MiB');
  });
});

describe('what is known of the machine', () => {
  const first = snapshot();
  const second = snapshot({ taken_at: at(1), sequence: 2 });
  const told = (value: typeof first, when: number) => ({ kind: 'snapshot', snapshot: value, at: when }) as const;

  test('is nothing until something came', () => {
    expect(linkState(unknown, 0)).toBe('connecting');
    expect(linkState(reduce(unknown, { kind: 'opened' }), 0)).toBe('connecting');
  });

  test('is old when nothing new comes, and live again when it does', () => {
    let live = reduce(reduce(unknown, { kind: 'opened' }), told(first, 1000));
    expect(linkState(live, 1500)).toBe('live');
    expect(linkState(live, 4001)).toBe('stale');
    live = reduce(live, told(second, 5000));
    expect(linkState(live, 5100)).toBe('live');
  });

  test('may be as old as the daemon samples slowly', () => {
    const slow = reduce(reduce(unknown, told(first, 0)), told(snapshot({ taken_at: at(10), sequence: 2 }), 10_000));
    expect(slow.interval).toBe(10_000);
    expect(staleAfter(slow)).toBe(25_000);
    const missed = reduce(reduce(unknown, told(first, 0)), told(snapshot({ taken_at: at(10), sequence: 11 }), 10_000));
    expect(staleAfter(missed)).toBe(3_000);
  });

  test('stays, with its age, when the connection is lost, which is said at once', () => {
    let live = reduce(reduce(unknown, { kind: 'opened' }), told(first, 1000));
    live = reduce(live, { kind: 'lost', trouble: 'the connection ended', needsToken: false });
    expect(linkState(live, 1001)).toBe('lost');
    expect(live.snapshot).toBe(first);
    expect(live.receivedAt).toBe(1000);
    expect(linkState(reduce(live, { kind: 'opened' }), 1002)).toBe('live');
  });

  test('has leases and alerts to be asked for again after what was missed', () => {
    const live = reduce(unknown, { kind: 'skipped' });
    expect(live).toMatchObject({ missed: 1, leaseChanges: 1, alertChanges: 1 });
    expect(reduce(live, { kind: 'lease' })).toMatchObject({ leaseChanges: 2, alertChanges: 1 });
    expect(reduce(live, { kind: 'alert' })).toMatchObject({ leaseChanges: 1, alertChanges: 2 });
  });

  test.each([
    ['lease.granted', '{}', 'lease'],
    ['alert.fired', '{}', 'alert'],
    ['restarted', '{}', 'restarted'],
    ['snapshot', '{"payload":{"devices":[]}}', 'snapshot'],
    ['snapshot', '{"payload":{"devices":{}}}', null],
    ['snapshot', '{"payload":null}', null],
    ['snapshot', 'half a docu', null],
    ['begin', '{}', null],
    ['something.new', '{}', null],
  ])('an event %s of %s is read as %s', (type, data, kind) =>
    expect(readEvent(type, data, 0)?.kind ?? null).toBe(kind),
  );

  test('a lost connection is tried again soon, then less and less often', () => {
    expect([0, 1, 2, 3, 4, 5, 100].map(retryAfter)).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000]);
  });
});

describe('a ring', () => {
  test('keeps the last so many, oldest first', () => {
    const ring = new Ring(3);
    expect(ring.last()).toBeNaN();
    for (const value of [1, 2, 3, 4]) ring.push(value);
    expect([ring.length, ring.at(0), ring.at(1), ring.at(2), ring.last()]).toEqual([3, 2, 3, 4, 4]);
    expect(ring.at(3)).toBeNaN();
    expect(ring.at(-1)).toBeNaN();
    ring.clear();
    expect(ring.length).toBe(0);
  });
});

describe('trails', () => {
  const tick = (seconds: number, use: number | null, available = true) =>
    snapshot({
      taken_at: at(seconds),
      devices: [device({ available, metrics: metrics({ utilization_percent: use }) })],
    });

  test('have what came, and a gap where nothing was measured', () => {
    const trails = new Trails();
    trails.push(tick(0, 10));
    trails.push(tick(1, null));
    trails.push(tick(2, 30, false)); // a lost GPU repeats what it said last
    trails.push(tick(3, 40));
    const use = trails.of('GPU-a')!.values.utilization_percent;
    expect([0, 1, 2, 3].map((i) => use.at(i))).toEqual([10, NaN, NaN, 40]);
  });

  test('take no tick twice, and do not grow', () => {
    const trails = new Trails();
    for (let i = 0; i < 2 * trailLength; i += 1) {
      trails.push(tick(i, i));
      trails.push(tick(i, i));
    }
    expect(trails.of('GPU-a')!.times.length).toBe(trailLength);
    expect(trails.of('GPU-a')!.values.utilization_percent.last()).toBe(2 * trailLength - 1);
    trails.push(snapshot({ devices: [] }));
    expect(trails.of('GPU-a')).toBeUndefined();
  });

  test('begin with the past, before what came live', () => {
    const trails = new Trails();
    trails.push(tick(10, 50));
    const bucket = (seconds: number, avg: number | null) => ({
      time: at(seconds),
      count: avg === null ? 0 : 1,
      min: avg,
      avg,
      max: avg,
      last: avg,
    });
    const history: History = {
      schema: 'gpukeeper.history/1',
      host: 'node1',
      from: at(0),
      to: at(20),
      step_seconds: 5,
      incomplete: null,
      devices: [
        {
          index: '0',
          uuid: 'GPU-a',
          name: '',
          simulated: true,
          recorded: false,
          metrics: [
            { metric: 'utilization_percent', unit: null, buckets: [bucket(0, 20), bucket(5, null), bucket(10, 99)] },
          ],
        },
      ],
    };
    trails.seed(history);
    const trail = trails.of('GPU-a')!;
    expect([0, 1, 2].map((i) => trail.values.utilization_percent.at(i))).toEqual([20, 50, NaN]);
    expect([0, 1].map((i) => trail.times.at(i))).toEqual([Date.parse(at(0)), Date.parse(at(10))]);
    expect(trail.values.power_watts.at(0)).toBeNaN();
  });
});
