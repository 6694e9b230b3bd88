// The connection to the event stream: kept open, opened again when it ends, gone on with behind the last event.
import { Refused, type Client } from '../api/client';
import { EventText, type ServerEvent } from './event_text';

export interface StreamListener {
  /** The daemon answers; events follow. */
  opened(): void;
  event(event: ServerEvent): void;
  /** It does not, and why. It is tried again after `retry` milliseconds; null: not before somebody signs in. */
  lost(reason: Refused, retry: number | null): void;
}

const firstRetry = 500;
const longestRetry = 15_000;

/** How long to wait before try number `failures`: twice as long each time, up to 15 s. */
export function retryAfter(failures: number): number {
  return Math.min(longestRetry, firstRetry * 2 ** Math.min(failures, 10));
}

export class EventStream {
  private aborter: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last: string | null = null;
  private failures = 0;
  private heardAt = 0;

  constructor(
    private readonly client: Client,
    private readonly path: string,
    private readonly listener: StreamListener,
  ) {}

  start(): void {
    this.stop();
    this.failures = 0;
    void this.run();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.aborter?.abort();
    this.aborter = null;
  }

  /** When bytes came last, in the page's time. A comment comes every 15 s, so that a dead connection shows. */
  get lastHeard(): number {
    return this.heardAt;
  }

  /** Ends a connection that says nothing any more, and opens another. */
  restart(): void {
    this.start();
  }

  private async run(): Promise<void> {
    const aborter = new AbortController();
    this.aborter = aborter;
    try {
      await this.read(aborter.signal);
      throw new Refused(0, 'ended', 'the connection ended');
    } catch (error) {
      if (aborter.signal.aborted) return;
      const refused = error instanceof Refused ? error : new Refused(0, 'broken', String(error));
      const retry = refused.needsToken ? null : retryAfter(this.failures);
      this.failures += 1;
      this.listener.lost(refused, retry);
      if (retry !== null) this.timer = setTimeout(() => void this.run(), retry);
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.last !== null) headers['Last-Event-ID'] = this.last;
    const response = await this.client.open(this.path, headers, signal);
    if (!response.body) throw new Refused(0, 'broken', 'the answer has no body');
    this.failures = 0;
    this.heardAt = Date.now();
    this.listener.opened();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const text = new EventText();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.heardAt = Date.now();
      for (const event of text.push(decoder.decode(value, { stream: true }))) {
        if (event.id !== null) this.last = event.id;
        this.listener.event(event);
      }
    }
  }
}
