import type { LeasesLease, StatusDevice } from '../api/schema';
import { bytes } from '../format/number';
import { safeText } from '../format/safe_text';
import { memorySegments, type Segment } from '../model/memory_bar';
import { t } from '../texts';

function nameOf(segment: Segment): string {
  return segment.kind === 'lease' ? safeText(segment.name, 40) : t.memory[segment.kind];
}

function describe(segment: Segment): string {
  const name = nameOf(segment);
  return segment.kind === 'lease' && segment.observed !== null
    ? t.memory.observed(name, bytes(segment.bytes), bytes(segment.observed))
    : t.memory.segment(name, bytes(segment.bytes));
}

/** Whose the memory is: a segment a lease with its name, what no lease covers hatched, the rest free. */
export function MemoryBar({ device, leases }: { device: StatusDevice; leases: readonly LeasesLease[] }) {
  const segments = memorySegments(device, leases);
  if (segments.length === 0) return <p class="memory-bar-none">{t.memory.unknown}</p>;
  // In 400 parts: a bar is not laid out anew for what nobody sees.
  const total = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return (
    <ul class="memory-bar" aria-label={t.memory.label}>
      {segments.map((segment, i) => (
        <li
          key={`${segment.kind}${i}`}
          class={`segment-${segment.kind} hue-${i % 4}`}
          style={{ flexGrow: Math.max(1, Math.round((400 * segment.bytes) / total)) }}
          title={describe(segment)}
        >
          {segment.bytes > total / 10 && <span aria-hidden="true">{nameOf(segment)}</span>}
          <span class="hidden">{describe(segment)}</span>
        </li>
      ))}
    </ul>
  );
}
