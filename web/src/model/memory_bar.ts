// The memory of a GPU as one bar: what is booked by name, what is used by nobody's leave, what is free.
import type { LeasesLease, StatusDevice } from '../api/schema';

export type SegmentKind = 'lease' | 'draining' | 'unmanaged' | 'used' | 'reserved' | 'free';

export interface Segment {
  kind: SegmentKind;
  /** The service of a lease; null for the rest. */
  name: string | null;
  bytes: number;
  /** Of a lease: what is really in use of it, where that is known. */
  observed: number | null;
}

const held = new Set(['starting', 'active', 'suspended']);

/**
 * The segments of `device`, in the order in which they are drawn; their bytes come to the total. Empty where the total is
 * not known. Where nobody keeps the book, or what is everybody's cannot be told, memory is used or free.
 */
export function memorySegments(device: StatusDevice, leases: readonly LeasesLease[]): Segment[] {
  const total = device.metrics.memory_total_bytes;
  if (!device.available || typeof total !== 'number' || total <= 0) return [];
  const segments: Segment[] = [];
  let room = total;
  const put = (kind: SegmentKind, bytes: number, name: string | null = null, observed: number | null = null): void => {
    const shown = Math.min(room, Math.max(0, bytes));
    if (shown <= 0) return;
    room -= shown;
    segments.push({ kind, name, bytes: shown, observed });
  };
  put('reserved', device.metrics.memory_reserved_bytes ?? 0);
  const booking = device.booking ?? null;
  const places = new Set([device, ...device.partitions].map((one) => one.uuid));
  const mine = leases.filter((lease) => lease.device !== null && places.has(lease.device));
  for (const lease of mine) {
    if (held.has(lease.state)) put('lease', lease.charge_bytes, lease.service, lease.observed_bytes);
  }
  if (booking && booking.unmanaged_bytes !== null) {
    put('draining', booking.draining_bytes);
    put('unmanaged', booking.unmanaged_bytes);
  } else if (typeof device.metrics.memory_used_bytes === 'number') {
    const charged = mine.reduce((sum, lease) => sum + (held.has(lease.state) ? lease.charge_bytes : 0), 0);
    put('used', device.metrics.memory_used_bytes - charged);
  } else {
    return []; // how much is used is not known: a bar would say that the rest is free
  }
  put('free', room);
  return segments;
}
