// The processes of all GPUs as rows: filtered, sorted, in groups.
import type { Status, StatusDevice, StatusProcess } from '../api/schema';

export interface ProcessRow {
  process: StatusProcess;
  device: StatusDevice;
  /** The partition it runs in; null on the GPU as a whole. */
  partition: StatusDevice | null;
}

export function rowsOf(snapshot: Status): ProcessRow[] {
  return snapshot.devices.flatMap(rowsOfDevice);
}

export function rowsOfDevice(device: StatusDevice): ProcessRow[] {
  return [
    ...device.processes.map((process) => ({
      process,
      device,
      partition: device.partitions.find((one) => one.uuid === process.partition_uuid) ?? null,
    })),
    ...device.partitions.flatMap((partition) => partition.processes.map((process) => ({ process, device, partition }))),
  ];
}

export const groupings = ['none', 'user', 'container', 'pod', 'class', 'gpu'] as const;
export type Grouping = (typeof groupings)[number];

/** The name of a row's group; null for what belongs to none. */
export function groupOf(row: ProcessRow, by: Grouping): string | null {
  const { process } = row;
  switch (by) {
    case 'none':
      return null;
    case 'user':
      return process.user ?? null;
    case 'container':
      return process.container ? process.container.id : null;
    case 'pod':
      return process.pod ? `${process.pod.namespace}/${process.pod.name}` : (process.pod_uid ?? null);
    case 'class':
      return process.class?.kind ?? 'unknown';
    case 'gpu':
      return String(row.device.index);
  }
}

export interface Group {
  name: string | null;
  rows: ProcessRow[];
  /** What is known of their memory; null where nothing is. */
  memory: number | null;
  /** Whether of some of them it is not known. */
  partial: boolean;
}

/** Groups with the most memory first; what belongs to none is last. */
export function groupRows(rows: readonly ProcessRow[], by: Grouping): Group[] {
  const groups = new Map<string | null, ProcessRow[]>();
  for (const row of rows) {
    const name = groupOf(row, by);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups]
    .map(([name, members]) => ({ name, rows: members, ...memoryOf(members) }))
    .sort((a, b) => Number(a.name === null) - Number(b.name === null) || (b.memory ?? -1) - (a.memory ?? -1));
}

function memoryOf(rows: readonly ProcessRow[]): Pick<Group, 'memory' | 'partial'> {
  const known = rows.map((row) => row.process.memory_bytes).filter((size) => size !== null);
  return {
    memory: known.length === 0 ? null : known.reduce((sum, size) => sum + size, 0),
    partial: known.length < rows.length,
  };
}

export const columns = ['gpu', 'pid', 'name', 'user', 'kind', 'memory', 'use', 'cpu', 'since'] as const;
export type Column = (typeof columns)[number];

function keyOf(row: ProcessRow, column: Column): string | number | null {
  const { process } = row;
  switch (column) {
    case 'gpu':
      return row.device.index;
    case 'pid':
      return process.pid;
    case 'name':
      return process.name;
    case 'user':
      return process.user ?? null;
    case 'kind':
      return process.class?.kind ?? null;
    case 'memory':
      return process.memory_bytes;
    case 'use':
      return process.utilization_percent ?? null;
    case 'cpu':
      return process.cpu_percent ?? null;
    case 'since':
      return process.started_at ?? null;
  }
}

/** Sorted by a column; what is not known is last, whichever way. */
export function sortRows(rows: readonly ProcessRow[], column: Column, down: boolean): ProcessRow[] {
  return [...rows].sort((a, b) => {
    const left = keyOf(a, column);
    const right = keyOf(b, column);
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    const order =
      typeof left === 'number' && typeof right === 'number' ? left - right : String(left).localeCompare(String(right));
    return (down ? -order : order) || a.process.pid - b.process.pid;
  });
}

/** Whether every word of `search` is somewhere in what a row says. */
export function matches(row: ProcessRow, search: string): boolean {
  const { process } = row;
  const said = [
    process.pid,
    process.name,
    process.user,
    process.command_line,
    process.executable,
    process.container?.id,
    process.container?.runtime,
    process.pod_uid,
    process.pod?.namespace,
    process.pod?.name,
    process.pod?.container,
    process.slurm_job,
    process.unit,
    process.class?.kind,
    `gpu ${row.device.index}`,
  ];
  const text = said
    .filter((one) => one !== null && one !== undefined)
    .join(' ')
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
