// What stands in the way of a lease, GPU by GPU, as the daemon tells it.
import type { LeasesProblem } from '../api/schema';

export type Refusal = NonNullable<LeasesProblem['refusal']>;
export type RefusalDevice = Refusal['devices'][number];

export interface Obstacle {
  kind: 'lease' | 'process' | 'unmanaged' | 'draining' | 'more';
  name: string;
  bytes: number | null;
  /** Of a lease: when it ends by itself; null where nobody knows. */
  endsIn: number | null;
}

/** What would have to go or shrink on this GPU, the largest first. */
export function obstaclesOn(device: RefusalDevice): Obstacle[] {
  const obstacles: Obstacle[] = device.in_the_way.map((lease) => ({
    kind: 'lease',
    name: `${lease.service} (${lease.id})`,
    bytes: lease.charge_bytes,
    endsIn: lease.ends_in_seconds,
  }));
  for (const process of device.foreign) {
    obstacles.push({
      kind: 'process',
      name: `${process.name ?? '?'} (PID ${process.pid})`,
      bytes: process.memory_bytes,
      endsIn: null,
    });
  }
  if (device.foreign.length === 0 && device.unmanaged_bytes > 0) {
    obstacles.push({ kind: 'unmanaged', name: '', bytes: device.unmanaged_bytes, endsIn: null });
  }
  if (device.draining_bytes > 0) {
    obstacles.push({ kind: 'draining', name: '', bytes: device.draining_bytes, endsIn: null });
  }
  obstacles.sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
  if (device.more_leases > 0) {
    obstacles.push({ kind: 'more', name: String(device.more_leases), bytes: null, endsIn: null });
  }
  return obstacles;
}

/** Those that are nearest to having room first. */
export function byShortage(refusal: Refusal): RefusalDevice[] {
  return [...refusal.devices].sort((a, b) => a.short_by_bytes - b.short_by_bytes || a.index - b.index);
}
