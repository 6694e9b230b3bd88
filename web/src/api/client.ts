// Asks the daemon. Answers are of the types that are made of its schemas; refusals are problem documents (RFC 9457).
import type { LeasesProblem } from './schema';

/** What the daemon refused, or that it could not be asked (status 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly refusal: LeasesProblem['refusal'] | null = null,
  ) {
    super(detail);
  }

  /** Whether it takes a token, or another one. */
  get needsToken(): boolean {
    return this.status === 401;
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Options {
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

export class Client {
  /** Of a person who pasted one; null for whom a cookie or the address vouches for. */
  token: string | null = null;

  constructor(private readonly fetcher: typeof fetch = (...args) => fetch(...args)) {}

  headers(more: Record<string, string> = {}): Record<string, string> {
    return this.token ? { ...more, Authorization: `Bearer ${this.token}` } : more;
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.ask<T>('GET', path, signal ? { signal } : {});
  }

  /** The answer; `undefined` where there is none (204). Throws Refused. */
  async ask<T>(method: Method, path: string, options: Options = {}): Promise<T> {
    const headers = this.headers({ Accept: 'application/json', ...options.headers });
    const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-cache' };
    if (options.signal) init.signal = options.signal;
    if (options.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(options.body);
    }
    const response = await this.reach(path, init);
    if (!response.ok) throw await refusalOf(response);
    if (response.status === 204) return undefined as T;
    try {
      return (await response.json()) as T;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Refused(0, 'no_json', 'what answers here is not gpukeeper, or its answer was cut short');
    }
  }

  /** The response as it comes, for a stream. Throws Refused. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const init: RequestInit = { headers: this.headers(headers), credentials: 'same-origin', cache: 'no-store', signal };
    const response = await this.reach(path, init);
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  private async reach(path: string, init: RequestInit): Promise<Response> {
    try {
      return await this.fetcher(path, init);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new Refused(0, 'unreachable', error instanceof Error ? error.message : String(error));
    }
  }
}

/** What stands in a problem document; what else came is told by its status. */
export async function refusalOf(response: Response): Promise<Refused> {
  try {
    const problem = (await response.json()) as Partial<LeasesProblem>;
    if (typeof problem.detail === 'string' && typeof problem.code === 'string') {
      return new Refused(response.status, problem.code, problem.detail, problem.refusal ?? null);
    }
  } catch {
    // no JSON: a proxy's page, or an answer cut short
  }
  return new Refused(response.status, 'no_problem_document', `${response.status} ${response.statusText}`.trim());
}
