// What somebody typed into the form, as a request for a lease; or what is wrong with it.
import type { ApiLeaseRequest } from '../api/schema';
import { parseBytes } from '../format/number';

export interface LeaseForm {
  service: string;
  name: string;
  size: string;
  most: string;
  device: string;
  wait: string;
  lifetime: string;
}

export const emptyForm: LeaseForm = { service: '', name: '', size: '', most: '', device: '', wait: '0', lifetime: '' };

export type FormProblem = 'service' | 'size' | 'most' | 'wait' | 'lifetime';

/** Seconds; null for what is no number of them, undefined for nothing. */
function seconds(text: string): number | null | undefined {
  if (text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

export function leaseRequest(form: LeaseForm): { request: ApiLeaseRequest } | { problem: FormProblem } {
  const service = form.service.trim();
  const size = parseBytes(form.size);
  if (service === '') return { problem: 'service' };
  if (size === null) return { problem: 'size' };
  const request: ApiLeaseRequest = { service, min_bytes: size };
  if (form.most.trim() !== '') {
    const most = parseBytes(form.most);
    if (most === null || most < size) return { problem: 'most' };
    request.max_bytes = most;
  }
  const wait = seconds(form.wait);
  const lifetime = seconds(form.lifetime);
  if (wait === null) return { problem: 'wait' };
  if (lifetime === null || lifetime === 0) return { problem: 'lifetime' };
  if (wait) request.wait_seconds = wait;
  if (lifetime) request.lifetime_seconds = lifetime;
  if (form.name.trim() !== '') request.name = form.name.trim();
  if (form.device !== '') Object.assign(request, { device: form.device, require_device: true });
  return { request };
}
