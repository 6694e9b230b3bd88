// The wiring: one client, one stream, one store of what is known; made once, handed down.
import type { History, LeasesLeasesDocument } from './api/schema';
import { Client, Refused } from './api/client';
import { EventStream } from './live/stream';
import { linkState, readEvent, reduce, unknown, type Live, type LiveEvent } from './live/live';
import { Store } from './live/store';
import { Trails, trailMetrics, trailSpan } from './live/trails';
import { SessionKeeper } from './session';

/** A tick in which nothing came while the connection stands: then it is dead, as a comment comes every 15 s. */
const deadAfter = 35_000;

export class AppState {
  readonly live = new Store<Live>(unknown);
  readonly trails = new Trails();
  readonly leases = new Store<LeasesLeasesDocument | null>(null);
  readonly session: SessionKeeper;
  private readonly stream: EventStream;
  private seeded = false;
  private leasesAt = -1;
  private askingLeases = false;

  constructor(
    readonly client: Client,
    storage: Storage | null,
  ) {
    this.session = new SessionKeeper(client, storage);
    this.stream = new EventStream(client, '/api/v1/events/stream', {
      opened: () => this.take({ kind: 'opened' }),
      event: (event) => {
        const known = readEvent(event.type, event.data, Date.now());
        if (known) this.take(known);
      },
      lost: (reason) => this.take({ kind: 'lost', trouble: reason.detail, needsToken: reason.needsToken }),
    });
  }

  start(): void {
    this.stream.start();
    void this.session.refresh().catch(() => undefined); // the stream says that the daemon cannot be reached
    setInterval(() => this.watch(), 5_000);
  }

  /** After signing in or out: everything is asked anew, with what one may see now. */
  reconnect(): void {
    this.stream.start();
    void this.refreshLeases();
  }

  private take(event: LiveEvent): void {
    const before = this.live.value;
    const now = reduce(before, event);
    if (event.kind === 'restarted') this.trails.clear();
    if (event.kind === 'snapshot') this.trails.push(event.snapshot);
    this.live.set(now);
    if (event.kind === 'snapshot' && !this.seeded) void this.seed();
    if (event.kind === 'opened') void this.session.refresh().catch(() => undefined);
    if (now.leaseChanges !== this.leasesAt && now.connected) {
      this.leasesAt = now.leaseChanges;
      void this.refreshLeases();
    }
  }

  /** What no event tells: what leases really use, and that a connection has died without a word. */
  private watch(): void {
    const live = this.live.value;
    if (!live.connected) return;
    if (Date.now() - this.stream.lastHeard > deadAfter) return this.stream.restart();
    if (document.visibilityState === 'visible' && linkState(live, Date.now()) === 'live') void this.refreshLeases();
  }

  async refreshLeases(): Promise<void> {
    if (this.askingLeases) return;
    this.askingLeases = true;
    try {
      this.leases.set(await this.client.get<LeasesLeasesDocument>('/api/v1/leases'));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.leases.set(null); // what is not known is not shown as it was
    } finally {
      this.askingLeases = false;
    }
  }

  /** The sparklines begin with the past, as far as the daemon kept it: at most 8,000 buckets for all GPUs together. */
  private async seed(): Promise<void> {
    this.seeded = true;
    const seen = this.live.value.snapshot?.devices ?? [];
    const devices = seen.reduce((sum, device) => sum + 1 + device.partitions.length, 0);
    const span = trailSpan / 1000;
    const step = Math.max(2, Math.ceil((span * trailMetrics.length * devices) / 8_000));
    const path = `/api/v1/history?metric=${trailMetrics.join(',')}&since=${span}s&step=${step}s`;
    try {
      this.trails.seed(await this.client.get<History>(path));
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // without the past they begin now
    }
  }
}
