// How a GPU reaches the others, by the way.
import type { Devices } from '../api/schema';

type Way = Devices['connections'][number]['way'];

export interface Reach {
  way: Way;
  links: number | null;
  /** Indices of the GPUs that are reached that way. */
  others: number[];
}

/** The fastest ways first. */
const order: Way[] = [
  'self',
  'nvlink',
  'xgmi',
  'same_pcie_switch',
  'pcie_switches',
  'same_host_bridge',
  'same_numa_node',
  'across_numa_nodes',
  'unknown',
];

export function reachOf(devices: Devices, uuid: string): Reach[] {
  const index = new Map(devices.devices.map((device) => [device.uuid, device.index]));
  const reaches = new Map<string, Reach>();
  for (const { from, to, way, links } of devices.connections) {
    const other = from === uuid ? to : to === uuid ? from : null;
    const at = other === null ? undefined : index.get(other);
    if (at === undefined || other === uuid) continue;
    const key = `${way}/${links}`;
    const reach = reaches.get(key) ?? { way, links, others: [] };
    reach.others.push(at);
    reaches.set(key, reach);
  }
  for (const reach of reaches.values()) reach.others.sort((a, b) => a - b);
  return [...reaches.values()].sort((a, b) => order.indexOf(a.way) - order.indexOf(b.way));
}

/** Numbers in short: [0,1,2,5] is "0–2, 5". */
export function inShort(numbers: readonly number[]): string {
  const runs: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let end = i;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end]! + 1) end += 1;
    runs.push(end > i ? `${numbers[i]}${end === i + 1 ? ', ' : '–'}${numbers[end]}` : String(numbers[i]));
    i = end + 1;
  }
  return runs.join(', ');
}
