import { absent } from '../format/number';
import { t } from '../texts';
import type { StatusMissing } from '../api/schema';

/** Why a value is not there, in a sentence. */
export function reasonText(reason: string | undefined): string {
  return reason !== undefined && reason in t.missing ? t.missing[reason as keyof typeof t.missing] : t.missing.unknown;
}

/** A reading; a dash that says why where there is none. */
export function Value({ text, metric, missing }: { text: string; metric: string; missing: StatusMissing }) {
  if (text !== absent) return <span class="value">{text}</span>;
  const reason = reasonText(missing[metric]);
  return (
    <span class="value absent" title={reason}>
      <span aria-hidden="true">{absent}</span>
      <span class="hidden">{reason}</span>
    </span>
  );
}
