import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppState } from '../src/app_state';
import { Client } from '../src/api/client';
import { at, device, metrics, snapshot } from './make';

/** A daemon whose stream says what the test has it say; what it was asked is counted by path. */
class Daemon {
  readonly asked: string[] = [];
  refusesLeases = false;
  private send: ReadableStreamDefaultController<Uint8Array> | null = null;

  readonly fetch = (path: unknown): Promise<Response> => {
    const asked = String(path);
    this.asked.push(asked);
    return Promise.resolve(this.answer(asked));
  };

  say(type: string, id: number, payload: unknown): void {
    const data = JSON.stringify({ id, type, timestamp: at(0), payload });
    this.send!.enqueue(new TextEncoder().encode(`id: ${id}\nevent: ${type}\ndata: ${data}\n\n`));
  }

  end(): void {
    this.send!.close();
  }

  count(beginning: string): number {
    return this.asked.filter((path) => path.startsWith(beginning)).length;
  }

  private answer(path: string): Response {
    if (path.startsWith('/api/v1/events/stream')) {
      return new Response(new ReadableStream({ start: (controller) => void (this.send = controller) }));
    }
    if (path === '/api/v1/leases') {
      if (this.refusesLeases) return Response.json({ code: 'starting', detail: 'not yet' }, { status: 503 });
      return Response.json({ schema: 'gpukeeper.leases/1', taken_at: at(0), leases: [], devices: [], waiting: [] });
    }
    if (path === '/api/v1/whoami') return Response.json({ role: 'operator', name: null, service: null, how: 'cookie' });
    return Response.json({ devices: [] });
  }
}

const tick = (seconds: number, sequence: number) =>
  snapshot({
    taken_at: at(seconds),
    sequence,
    devices: [device({ metrics: metrics({ utilization_percent: sequence }) })],
  });
const settled = () => vi.advanceTimersByTimeAsync(50);

describe('the page', () => {
  let daemon: Daemon;
  let app: AppState;
  beforeEach(async () => {
    vi.useFakeTimers();
    daemon = new Daemon();
    app = new AppState(new Client(daemon.fetch as typeof fetch), null);
    app.start();
    await settled();
  });
  afterEach(() => vi.useRealTimers());

  test('knows nothing until something is said, but who it is', () => {
    expect(app.live.value.snapshot).toBeNull();
    expect(app.live.value.connected).toBe(true);
    expect(app.session.session.value.role).toBe('operator');
  });

  test('takes snapshots in, and asks once for what was before them', async () => {
    daemon.say('snapshot', 1, tick(0, 1));
    await settled();
    daemon.say('snapshot', 2, tick(1, 2));
    await settled();
    expect(app.live.value.snapshot?.sequence).toBe(2);
    expect(app.trails.of('GPU-a')?.values.utilization_percent.last()).toBe(2);
    expect(daemon.count('/api/v1/history')).toBe(1);
  });

  test('asks for the leases when one has changed, and forgets them when they are not told', async () => {
    daemon.say('snapshot', 1, tick(0, 1));
    await settled();
    const before = daemon.count('/api/v1/leases');
    expect(app.leases.value?.leases).toEqual([]);
    daemon.refusesLeases = true;
    daemon.say('lease.granted', 2, {});
    await settled();
    expect(daemon.count('/api/v1/leases')).toBe(before + 1);
    expect(app.leases.value).toBeNull();
  });

  test('drops its curves when the daemon was started anew', async () => {
    daemon.say('snapshot', 1, tick(0, 1));
    await settled();
    daemon.say('restarted', 2, {});
    await settled();
    expect(app.trails.of('GPU-a')).toBeUndefined();
    expect(app.live.value.missed).toBe(1);
  });

  test('says at once that the connection is lost, and connects again', async () => {
    daemon.say('snapshot', 1, tick(0, 1));
    await settled();
    daemon.end();
    await settled();
    expect(app.live.value).toMatchObject({ connected: false, trouble: 'the connection ended' });
    expect(app.live.value.snapshot?.sequence).toBe(1);
    await vi.advanceTimersByTimeAsync(600);
    expect(app.live.value).toMatchObject({ connected: true, trouble: null });
    expect(daemon.count('/api/v1/events/stream')).toBe(2);
  });
});
