import { describe, expect, test } from 'vitest';
import type { ApiConfig, Devices } from '../src/api/schema';
import { emptyForm, leaseRequest } from '../src/model/lease_request';
import { describeLease } from '../src/model/lease_text';
import { columns, groupRows, matches, rowsOf, sortRows } from '../src/model/process_rows';
import { byShortage, obstaclesOn, type RefusalDevice } from '../src/model/refusal';
import { changesOf, thresholdsOf } from '../src/model/threshold_form';
import { alertBars, leaseBars, placeIn, type Bar } from '../src/model/time_line';
import { inShort, reachOf } from '../src/model/topology';
import { crossingsOf, inPercent } from '../src/model/would_have_fired';
import { alert, at, device, lease, process, snapshot } from './make';

const GiB = 2 ** 30;

describe('when a threshold would have been reached', () => {
  const series = {
    times: [0, 10, 20, 30, 40, 50],
    min: [60, 80, 86, null, 70, 84],
    max: [70, 86, 90, null, 75, 85],
    step: 10,
  };

  test('is told in stretches, with the time that is certain and the most that it can be', () => {
    expect(crossingsOf(series, 85)).toEqual({
      stretches: [
        { from: 10, to: 30 },
        { from: 50, to: 60 },
      ],
      atLeast: 10,
      atMost: 30,
      measured: 50,
    });
  });

  test('counts what is close together as once', () => {
    expect(crossingsOf(series, 85, 20).stretches).toEqual([{ from: 10, to: 60 }]);
  });

  test('is never where it was not reached, and not known where nothing was measured', () => {
    expect(crossingsOf(series, 91)).toMatchObject({ stretches: [], atMost: 0, measured: 50 });
    expect(crossingsOf({ ...series, min: [], max: [] }, 0).measured).toBe(0);
  });

  test('memory is known in percent where both of it are', () => {
    expect(inPercent([1, null, 3], [4, 4, 0])).toEqual([25, null, null]);
  });
});

describe('the form of thresholds', () => {
  const config = (values: Record<string, unknown>): ApiConfig => ({
    schema: 'gpukeeper.config/1',
    file: null,
    keys: Object.entries(values).map(([key, value]) => ({
      key,
      value,
      unit: null,
      origin: 'default',
      place: null,
      change: 'live',
    })),
  });
  const all = {
    temp_optimal: 65,
    temp_normal: 75,
    temp_throttle: 85,
    temp_critical: 90,
    memory_optimal: 70,
    memory_normal: 85,
    memory_critical: 95,
  };

  test('takes them from the configuration, or none of them', () => {
    expect(thresholdsOf(config({ ...all, other: 'x' }))).toEqual(all);
    expect(thresholdsOf(config({ ...all, temp_normal: 'off' }))).toBeNull();
    expect(thresholdsOf(config({}))).toBeNull();
  });

  test('sends what differs, and nothing else', () => {
    expect(changesOf(all, { ...all, temp_throttle: 80 })).toEqual({ temp_throttle: 80 });
    expect(changesOf(all, { ...all })).toEqual({});
  });
});

describe('the form of a booking', () => {
  const form = { ...emptyForm, service: ' llm ', size: '16 GiB' };

  test('is a request', () => {
    expect(leaseRequest(form)).toEqual({ request: { service: 'llm', min_bytes: 16 * GiB } });
    const full = { ...form, most: '20g', wait: '60', lifetime: '3600', name: 'a', device: 'GPU-b' };
    expect(leaseRequest(full)).toEqual({
      request: {
        service: 'llm',
        min_bytes: 16 * GiB,
        max_bytes: 20 * GiB,
        wait_seconds: 60,
        lifetime_seconds: 3600,
        name: 'a',
        device: 'GPU-b',
        require_device: true,
      },
    });
  });

  test.each([
    [{ service: ' ' }, 'service'],
    [{ size: '' }, 'size'],
    [{ size: 'all' }, 'size'],
    [{ most: '1 GiB' }, 'most'],
    [{ wait: 'long' }, 'wait'],
    [{ wait: '-1' }, 'wait'],
    [{ lifetime: '0' }, 'lifetime'],
  ])('with %j is wrong in: %s', (some, problem) => expect(leaseRequest({ ...form, ...some })).toEqual({ problem }));
});

describe('a refusal', () => {
  const gpu = (some: Partial<RefusalDevice>): RefusalDevice => ({
    device: 'GPU-a',
    index: 0,
    bar: 'no_room',
    detail: null,
    available_bytes: 0,
    capacity_bytes: 0,
    short_by_bytes: 0,
    unmanaged_bytes: 0,
    draining_bytes: 0,
    reclaimable_bytes: 0,
    behind: null,
    in_the_way: [],
    more_leases: 0,
    foreign: [],
    ...some,
  });

  test('names what is in the way, the largest first', () => {
    const obstacles = obstaclesOn(
      gpu({
        in_the_way: [
          {
            id: '7',
            service: 'llm',
            owner: { kind: 'standing' },
            state: 'active',
            charge_bytes: 5,
            ends_in_seconds: 60,
          },
        ],
        foreign: [{ pid: 42, name: null, memory_bytes: 9 }],
        unmanaged_bytes: 9,
        draining_bytes: 1,
        more_leases: 3,
      }),
    );
    expect(obstacles.map((one) => [one.kind, one.name, one.bytes, one.endsIn])).toEqual([
      ['process', '? (PID 42)', 9, null],
      ['lease', 'llm (7)', 5, 60],
      ['draining', '', 1, null],
      ['more', '3', null, null],
    ]);
  });

  test('says that memory is in use where nobody knows by whom', () => {
    expect(obstaclesOn(gpu({ unmanaged_bytes: 9 }))).toEqual([{ kind: 'unmanaged', name: '', bytes: 9, endsIn: null }]);
  });

  test('begins with the GPU that has room soonest', () => {
    const devices = [
      gpu({ index: 1, short_by_bytes: 9 }),
      gpu({ index: 2, short_by_bytes: 1 }),
      gpu({ index: 0, short_by_bytes: 9 }),
    ];
    expect(byShortage({ cause: 'no_room', may_come: true, devices }).map((one) => one.index)).toEqual([2, 0, 1]);
  });
});

describe('processes', () => {
  const machine = snapshot({
    devices: [
      device({
        index: 0,
        processes: [
          process({ pid: 10, name: 'b', user: 'ann', memory_bytes: 5, command_line: 'b --model X' }),
          process({ pid: 2, name: 'a', user: 'bob', memory_bytes: null }),
        ],
        partitions: [
          device({ index: 1, uuid: 'MIG', processes: [process({ pid: 3, name: 'c', user: 'ann', memory_bytes: 7 })] }),
        ],
      }),
    ],
  });
  const rows = rowsOf(machine);
  const pids = (some: typeof rows) => some.map((row) => row.process.pid);

  test('are those of partitions, too', () => {
    expect(pids(rows)).toEqual([10, 2, 3]);
    expect(rows[2]!.partition?.uuid).toBe('MIG');
  });

  test('that the GPU tells with their partition are of that', () => {
    const gpu = device({
      processes: [process({ pid: 1, partition_uuid: 'MIG' }), process({ pid: 2, partition_uuid: 'gone' })],
      partitions: [device({ uuid: 'MIG' })],
    });
    expect(rowsOf(snapshot({ devices: [gpu] })).map((row) => row.partition?.uuid ?? null)).toEqual(['MIG', null]);
  });

  test('are sorted by any column, what is not known last either way', () => {
    expect(pids(sortRows(rows, 'memory', true))).toEqual([3, 10, 2]);
    expect(pids(sortRows(rows, 'memory', false))).toEqual([10, 3, 2]);
    expect(pids(sortRows(rows, 'pid', false))).toEqual([2, 3, 10]);
    expect(pids(sortRows(rows, 'name', true))).toEqual([3, 10, 2]);
    for (const column of columns) expect(sortRows(rows, column, true)).toHaveLength(3);
  });

  test('are grouped, with a sum that says when it is not whole', () => {
    expect(groupRows(rows, 'user').map((group) => [group.name, group.memory, group.partial])).toEqual([
      ['ann', 12, false],
      ['bob', null, true],
    ]);
    expect(groupRows(rows, 'none')).toHaveLength(1);
    expect(groupRows(rows, 'pod')[0]!.name).toBeNull();
    expect(groupRows(rows, 'class')[0]!.name).toBe('unknown');
  });

  test('are found by every word', () => {
    expect(pids(rows.filter((row) => matches(row, 'ann model')))).toEqual([10]);
    expect(pids(rows.filter((row) => matches(row, 'GPU 0')))).toEqual([10, 2, 3]);
    expect(rows.filter((row) => matches(row, '['))).toEqual([]);
  });
});

describe('a bar on an axis of time', () => {
  const bar = (from: number, to: number | null): Bar => ({ key: '', label: '', detail: '', kind: '', from, to });

  test('lies where it was, cut at the edges', () => {
    expect(placeIn(bar(25, 75), 0, 100)).toEqual({ left: 0.25, width: 0.5 });
    expect(placeIn(bar(-50, 50), 0, 100)).toEqual({ left: 0, width: 0.5 });
    expect(placeIn(bar(90, null), 0, 100)?.width).toBeCloseTo(0.1);
  });

  test('is none outside', () => {
    expect(placeIn(bar(0, 10), 20, 100)).toBeNull();
    expect(placeIn(bar(200, null), 0, 100)).toBeNull();
    expect(placeIn(bar(0, 10), 5, 5)).toBeNull();
  });

  test('of a lease ends when it is over, of an alert when it is', () => {
    const leases = [
      lease({ id: '2', created: at(9) }),
      lease({ id: '1', created: at(1), state: 'ended', changed: at(5) }),
    ];
    expect(leaseBars(leases, describeLease).map((one) => [one.key, one.to])).toEqual([
      ['1', Date.parse(at(5))],
      ['2', null],
    ]);
    expect(alertBars([alert({ fired_at: null }), alert({ id: '5' })]).map((one) => one.key)).toEqual(['5']);
  });

  test('says of a lease what is booked and what is used', () => {
    const text = describeLease(lease({ name: 'a', min_bytes: GiB, observed_bytes: 0 })).replaceAll('\u00a0', ' ');
    expect(text).toBe('llm (a): 1 GiB booked, 0 B in use, active');
    expect(describeLease(lease({ min_bytes: GiB })).replaceAll('\u00a0', ' ')).toBe('llm: 1 GiB booked, active');
  });
});

describe('the topology', () => {
  test('says how a GPU reaches the others, the fastest way first', () => {
    const gpu = (index: number) => ({ index, uuid: `GPU-${index}` });
    const devices = {
      devices: [0, 1, 2, 3].map(gpu),
      connections: [
        { from: 'GPU-0', to: 'GPU-1', way: 'across_numa_nodes', links: null },
        { from: 'GPU-3', to: 'GPU-0', way: 'nvlink', links: 18 },
        { from: 'GPU-0', to: 'GPU-2', way: 'nvlink', links: 18 },
        { from: 'GPU-1', to: 'GPU-2', way: 'nvlink', links: 18 },
        { from: 'GPU-0', to: 'GPU-gone', way: 'nvlink', links: 18 },
      ],
    } as unknown as Devices;
    expect(reachOf(devices, 'GPU-0')).toEqual([
      { way: 'nvlink', links: 18, others: [2, 3] },
      { way: 'across_numa_nodes', links: null, others: [1] },
    ]);
  });

  test.each([
    [[], ''],
    [[3], '3'],
    [[0, 1], '0, 1'],
    [[0, 1, 2, 5, 7, 8], '0–2, 5, 7, 8'],
  ])('%j in short is "%s"', (numbers, text) => expect(inShort(numbers)).toBe(text));
});
