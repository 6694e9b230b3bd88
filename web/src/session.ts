// Who is signed in, by the daemon's word. A pasted token is kept for this tab alone, until it is closed.
import type { ApiWhoami } from './api/schema';
import { Refused, type Client } from './api/client';
import { roleOf, type Role } from './model/roles';
import { Store } from './live/store';

export interface Session {
  role: Role;
  /** The token's or the user's name; null where the daemon knows none. */
  name: string | null;
  /** The service that a token is for; null for one that is for everything. */
  service: string | null;
  /** By what: token, socket, cookie, certificate, loopback, address. */
  how: string | null;
  /** Whether the daemon has answered. */
  known: boolean;
}

const nobody: Session = { role: 'none', name: null, service: null, how: null, known: false };
const place = 'gpukeeper.token';

export class SessionKeeper {
  readonly session = new Store<Session>(nobody);

  constructor(
    private readonly client: Client,
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null,
  ) {
    client.token = storage?.getItem(place) ?? null;
  }

  /** Asks the daemon who this is. Throws Refused where it cannot be asked; that a token is wanted is an answer. */
  async refresh(): Promise<void> {
    try {
      const who = await this.client.get<ApiWhoami>('/api/v1/whoami');
      const { name, service, how } = who;
      this.session.set({ role: roleOf(who.role), name, service, how, known: true });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.needsToken) this.session.set({ ...nobody, known: true });
      // A daemon that does not say it lets this page look at least, as it has answered.
      else if (error.status === 404) this.session.set({ ...nobody, role: 'viewer', known: true });
      else throw error;
    }
  }

  /** Takes `token` if the daemon does; throws Refused, and keeps what was, if not. */
  async signIn(token: string): Promise<void> {
    const before = this.client.token;
    this.client.token = token.trim();
    try {
      await this.client.get('/health');
      await this.refresh();
      if (this.session.value.role === 'none') throw new Refused(401, 'wrong_token', 'the token does not count');
      this.storage?.setItem(place, this.client.token);
    } catch (error) {
      this.client.token = before;
      throw error;
    }
  }

  async signOut(): Promise<void> {
    this.client.token = null;
    this.storage?.removeItem(place);
    await this.refresh();
  }

  get hasToken(): boolean {
    return this.client.token !== null;
  }
}
