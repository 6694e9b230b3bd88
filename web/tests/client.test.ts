import { describe, expect, test } from 'vitest';
import { Client, Refused } from '../src/api/client';
import { EventStream } from '../src/live/stream';
import type { ServerEvent } from '../src/live/event_text';
import { SessionKeeper } from '../src/session';

interface Asked {
  path: string;
  init: RequestInit;
}

/** A daemon that answers in turn, and remembers what it was asked. */
function daemon(...answers: (Response | Error)[]) {
  const asked: Asked[] = [];
  const fetcher = (path: unknown, init: unknown): Promise<Response> => {
    asked.push({ path: String(path), init: init as RequestInit });
    const answer = answers.shift();
    if (answer === undefined) return new Promise(() => undefined);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { asked, client: new Client(fetcher as typeof fetch) };
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
const problem = (status: number, code: string, detail: string) => json({ title: '', status, code, detail }, status);
const headersOf = (one: Asked | undefined) => (one?.init.headers ?? {}) as Record<string, string>;

async function refusal(promise: Promise<unknown>): Promise<Refused> {
  const caught: unknown = await promise.catch((error: unknown) => error);
  if (!(caught instanceof Refused)) throw new Error(`not refused: ${String(caught)}`);
  return caught;
}

describe('the client', () => {
  test('sends its token and its body, and reads the answer', async () => {
    const { asked, client } = daemon(json({ id: 1 }), new Response(null, { status: 204 }));
    client.token = 'gk_x';
    expect(await client.ask('POST', '/api/v1/leases', { body: { service: 'llm' } })).toEqual({ id: 1 });
    expect(asked[0]!.init.body).toBe('{"service":"llm"}');
    expect(headersOf(asked[0])['Authorization']).toBe('Bearer gk_x');
    expect(await client.ask('DELETE', '/x')).toBeUndefined();
  });

  test('sends no token where there is none', async () => {
    const { asked, client } = daemon(json({}));
    await client.get('/health');
    expect(headersOf(asked[0])).not.toHaveProperty('Authorization');
  });

  test('says what was refused in the words of the daemon', async () => {
    const { client } = daemon(problem(409, 'insufficient_memory', 'no GPU has 9 GiB'));
    expect(await refusal(client.get('/x'))).toMatchObject({
      status: 409,
      code: 'insufficient_memory',
      detail: 'no GPU has 9 GiB',
    });
  });

  test('says so where a proxy answers, or nobody', async () => {
    const page = new Response('<html>', { status: 502, statusText: 'Bad Gateway' });
    const { client } = daemon(page, new TypeError('Failed to fetch'));
    expect(await refusal(client.get('/x'))).toMatchObject({ status: 502, detail: '502 Bad Gateway' });
    expect(await refusal(client.get('/x'))).toMatchObject({
      status: 0,
      code: 'unreachable',
      detail: 'Failed to fetch',
    });
  });

  test('takes what is no JSON for no answer', async () => {
    const { client } = daemon(new Response('<html>'), new Response('{"half": '));
    const detail = 'what answers here is not gpukeeper, or its answer was cut short';
    expect(await refusal(client.get('/x'))).toMatchObject({ status: 0, code: 'no_json', detail });
    expect((await refusal(client.get('/x'))).detail).toBe(detail);
  });
});

class Tab {
  private readonly values = new Map<string, string>();
  getItem = (key: string): string | null => this.values.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.values.set(key, value);
  removeItem = (key: string): void => void this.values.delete(key);
}

describe('who is signed in', () => {
  const admin = { schema: 'gpukeeper.whoami/1', role: 'admin', name: 'ann', service: null, how: 'token' };

  test('is what the daemon says', async () => {
    const { client } = daemon(json(admin));
    const keeper = new SessionKeeper(client, null);
    expect(keeper.session.value.known).toBe(false);
    await keeper.refresh();
    expect(keeper.session.value).toEqual({ role: 'admin', name: 'ann', service: null, how: 'token', known: true });
  });

  test('is a viewer where it says nothing, and nobody where it wants a token', async () => {
    const { client } = daemon(problem(404, 'not_found', ''), problem(401, 'no_token', ''));
    const keeper = new SessionKeeper(client, null);
    await keeper.refresh();
    expect(keeper.session.value.role).toBe('viewer');
    await keeper.refresh();
    expect(keeper.session.value.role).toBe('none');
  });

  test('a token that counts is kept for this tab, and forgotten on signing out', async () => {
    const tab = new Tab();
    const { client } = daemon(json({}), json(admin), json({ ...admin, role: 'viewer' }));
    const keeper = new SessionKeeper(client, tab);
    await keeper.signIn(' gk_x ');
    expect(tab.getItem('gpukeeper.token')).toBe('gk_x');
    expect(new SessionKeeper(new Client(), tab).hasToken).toBe(true);
    await keeper.signOut();
    expect([tab.getItem('gpukeeper.token'), keeper.hasToken, keeper.session.value.role]).toEqual([
      null,
      false,
      'viewer',
    ]);
  });

  test('a token that does not count changes nothing', async () => {
    const tab = new Tab();
    const { client } = daemon(problem(401, 'wrong_token', 'it is none that counts'));
    const keeper = new SessionKeeper(client, tab);
    expect((await refusal(keeper.signIn('gk_wrong'))).detail).toBe('it is none that counts');
    expect([keeper.hasToken, tab.getItem('gpukeeper.token')]).toEqual([false, null]);
  });
});

describe('the connection to the event stream', () => {
  const body = (text: string) => new Response(text, { status: 200 });

  /** Runs a stream until it has been lost `times` times. */
  function listen(client: Client, times = 1) {
    const events: ServerEvent[] = [];
    const losses: [string, number | null][] = [];
    let opened = 0;
    return new Promise<{ events: ServerEvent[]; losses: typeof losses; opened: number }>((resolve) => {
      const stream: EventStream = new EventStream(client, '/stream', {
        opened: () => (opened += 1),
        event: (event) => events.push(event),
        lost: (reason, retry) => {
          losses.push([reason.detail, retry]);
          if (losses.length < times) return stream.restart();
          // The next try is armed after this returns.
          queueMicrotask(() => (stream.stop(), resolve({ events, losses, opened })));
        },
      });
      stream.start();
    });
  }

  test('tells events and its end', async () => {
    const { client } = daemon(body('id: 1\nevent: state\ndata: {}\n\n'));
    const heard = await listen(client);
    expect(heard.events).toEqual([{ id: '1', type: 'state', data: '{}' }]);
    expect(heard.losses).toEqual([['the connection ended', 500]]);
    expect(heard.opened).toBe(1);
  });

  test('goes on behind the last event when it comes back', async () => {
    const { asked, client } = daemon(body('id: 41\ndata: x\n\nid: 42\ndata: y\n\n'), body('id: 43\ndata: z\n\n'));
    const heard = await listen(client, 2);
    expect(headersOf(asked[0])).not.toHaveProperty('Last-Event-ID');
    expect(headersOf(asked[1])['Last-Event-ID']).toBe('42');
    expect(heard.events.map((event) => event.data)).toEqual(['x', 'y', 'z']);
  });

  test('does not go on asking where a token is wanted', async () => {
    const { client } = daemon(problem(401, 'no_token', 'that takes a token'));
    expect((await listen(client)).losses).toEqual([['that takes a token', null]]);
  });

  test('waits longer when it fails again', async () => {
    const { client } = daemon(new TypeError('Failed to fetch'));
    expect((await listen(client)).losses).toEqual([['Failed to fetch', 500]]);
  });
});
