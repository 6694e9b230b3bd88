// A lease in a sentence.
import type { LeasesLease } from '../api/schema';
import { bytes } from '../format/number';
import { t } from '../texts';

export function describeLease(lease: LeasesLease): string {
  const size = bytes(lease.min_bytes);
  const used = lease.observed_bytes === null ? null : bytes(lease.observed_bytes);
  return t.lease.sentence(lease.service, lease.name, size, used, t.lease.state[lease.state]);
}
