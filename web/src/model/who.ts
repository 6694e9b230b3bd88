// Who is on a GPU, the heaviest first.
import type { StatusDevice, StatusProcess } from '../api/schema';

/** The processes of a device and of its partitions, those with the most memory first; unknown memory last. */
export function heaviest(device: StatusDevice): StatusProcess[] {
  const all = [...device.processes, ...device.partitions.flatMap((partition) => partition.processes)];
  return all.sort((a, b) => (b.memory_bytes ?? -1) - (a.memory_bytes ?? -1) || a.pid - b.pid);
}

/** Whose a process is, in the words that say most: a pod, a job, a container, a user. Null where nobody knows. */
export function ownerOf(process: StatusProcess): { kind: 'pod' | 'job' | 'container' | 'user'; name: string } | null {
  if (process.pod) return { kind: 'pod', name: `${process.pod.namespace}/${process.pod.name}` };
  if (process.pod_uid) return { kind: 'pod', name: process.pod_uid.slice(0, 8) };
  if (process.slurm_job) return { kind: 'job', name: process.slurm_job };
  if (process.container) return { kind: 'container', name: process.container.id.slice(0, 12) };
  if (process.user) return { kind: 'user', name: process.user };
  return null;
}
