// What the sparklines show: the last minutes of a few metrics of every GPU.
import type { History, Status, StatusDevice } from '../api/schema';
import { parseTime, type Milliseconds } from '../format/time';
import { Ring } from './ring';

export const trailMetrics = ['utilization_percent', 'memory_used_bytes', 'temperature_celsius', 'power_watts'] as const;
export type TrailMetric = (typeof trailMetrics)[number];

/** Five minutes at a sample a second, and some of the past. */
export const trailLength = 360;
export const trailSpan: Milliseconds = 300_000;

export interface Trail {
  times: Ring;
  values: Record<TrailMetric, Ring>;
}

function emptyTrail(): Trail {
  const ring = () => new Ring(trailLength);
  return {
    times: ring(),
    values: {
      utilization_percent: ring(),
      memory_used_bytes: ring(),
      temperature_celsius: ring(),
      power_watts: ring(),
    },
  };
}

export class Trails {
  private readonly byDevice = new Map<string, Trail>();

  of(uuid: string): Trail | undefined {
    return this.byDevice.get(uuid);
  }

  /** Takes a tick in. A device that is gone takes its trail with it, so that memory stays bounded. */
  push(snapshot: Status): void {
    const time = parseTime(snapshot.taken_at);
    if (time === null) return;
    const there = new Set(snapshot.devices.map((device) => device.uuid));
    for (const uuid of this.byDevice.keys()) if (!there.has(uuid)) this.byDevice.delete(uuid);
    for (const device of snapshot.devices) this.pushDevice(device, time);
  }

  /** Puts the past before what came live. */
  seed(history: History): void {
    for (const device of history.devices) {
      const live = this.byDevice.get(device.uuid);
      const until = live && live.times.length > 0 ? live.times.at(0) : Infinity;
      const trail = emptyTrail();
      const buckets = device.metrics[0]?.buckets ?? [];
      buckets.forEach((bucket, i) => {
        const time = parseTime(bucket.time);
        // An empty bucket is how ticks fall; where nothing was measured for long, the times say it.
        if (time === null || time >= until || device.metrics.every((one) => !one.buckets[i]?.count)) return;
        trail.times.push(time);
        for (const metric of trailMetrics) {
          const found = device.metrics.find((one) => one.metric === metric);
          trail.values[metric].push(found?.buckets[i]?.avg ?? NaN);
        }
      });
      if (live) append(trail, live);
      this.byDevice.set(device.uuid, trail);
    }
  }

  clear(): void {
    this.byDevice.clear();
  }

  private pushDevice(device: StatusDevice, time: Milliseconds): void {
    let trail = this.byDevice.get(device.uuid);
    if (!trail) this.byDevice.set(device.uuid, (trail = emptyTrail()));
    if (time <= trail.times.last()) return; // the same tick again, after a connection came back
    trail.times.push(time);
    for (const metric of trailMetrics) {
      // What a lost device said last is not what it does now.
      trail.values[metric].push(device.available ? (device.metrics[metric] ?? NaN) : NaN);
    }
  }
}

function append(trail: Trail, later: Trail): void {
  for (let i = 0; i < later.times.length; i += 1) {
    trail.times.push(later.times.at(i));
    for (const metric of trailMetrics) trail.values[metric].push(later.values[metric].at(i));
  }
}
