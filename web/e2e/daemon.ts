// A `gpukeeper serve` of a test's own: a made-up machine, a free port, a state folder that goes with it.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = resolve(process.env['GPUKEEPER'] ?? '../build/gpukeeper');
export const scenarios = resolve(fileURLToPath(new URL('../../examples/scenarios', import.meta.url)));

export type Role = 'viewer' | 'operator' | 'admin';

export class Daemon {
  private process: ChildProcess | null = null;
  private readonly folder = mkdtempSync(join(tmpdir(), 'gpukeeper-e2e-'));
  private readonly scenario: string;
  private readonly more: readonly string[];
  port = 0;

  /** `scenario` is a file of examples/scenarios, or the text of one; `configuration` that of a file. */
  constructor(scenario: string, configuration = '') {
    this.scenario = join(scenarios, scenario);
    if (scenario.includes('\n')) {
      this.scenario = join(this.folder, 'scenario.yaml');
      writeFileSync(this.scenario, scenario);
    }
    this.more = [];
    if (configuration !== '') {
      const file = join(this.folder, 'gpukeeper.yaml');
      writeFileSync(file, configuration);
      this.more = ['--config', file];
    }
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, at the port it had before, if it had one; resolves when its first readings are there. */
  async start(): Promise<this> {
    const options = ['--source', `simulated:${this.scenario}`, '--listen', `127.0.0.1:${this.port}`];
    const { GPUKEEPER_SOURCE: _, NOTIFY_SOCKET: __, ...environment } = process.env;
    this.process = spawn(program, ['serve', ...options, '--state-dir', this.state, ...this.more], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.port = await this.listening(this.process);
    for (;;) {
      const answer = await fetch(`${this.address}/api/v1/snapshot`).catch(() => null);
      if (answer?.ok) return this;
      await new Promise((go) => setTimeout(go, 20));
    }
  }

  private get state(): string {
    return join(this.folder, 'state');
  }

  private listening(child: ChildProcess): Promise<number> {
    return new Promise((found, failed) => {
      let log = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        const port = /listening on 127\.0\.0\.1:(\d+)/.exec(log)?.[1];
        if (port) found(Number(port));
      });
      child.once('exit', () => failed(new Error(`gpukeeper serve ended:\n${log}`)));
    });
  }

  /** A token, which counts from the daemon's next look at its file on. */
  token(role: Role): string {
    const made = execFileSync(program, ['token', 'create', '--json', '--role', role, '--state-dir', this.state]);
    return String(JSON.parse(made.toString()).token);
  }

  /** As if its machine stood still: it is there, and says nothing. */
  pause(): void {
    this.process?.kill('SIGSTOP');
  }
  resume(): void {
    this.process?.kill('SIGCONT');
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((go) => child.once('exit', go));
    child.kill(signal);
    await ended;
  }

  async end(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Asks it something, as a program would. */
  async ask(path: string, token?: string, options: RequestInit = {}): Promise<any> {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const answer = await fetch(this.address + path, { ...options, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}

/** Waits until `what` answers without an error; its answer. */
export async function until<T>(what: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + 20_000; ; ) {
    try {
      return await what();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((go) => setTimeout(go, 50));
    }
  }
}

/** A machine of so many GPUs, each a little different, and of a simple physics. */
export function machineOf(count: number): string {
  const device = (i: number): string =>
    `  - name: NVIDIA H100 80GB HBM3\n    vendor: nvidia\n    memory: 80GiB\n    power_limit: 700\n    processes:\n` +
    `      - {name: worker${i}, pid: ${5000 + i}, memory: ${1 + (i % 60)}GiB, utilization: {noise: {around: ${5 + ((i * 13) % 90)}, sigma: 6}}}\n`;
  return `name: ${count} GPUs\nseed: 7\ndevices:\n${Array.from({ length: count }, (_, i) => device(i)).join('')}`;
}
