import { t } from '../texts';

/** Says where a device that is no hardware of this machine comes from. */
export function Origin({ of }: { of: { simulated: boolean; recorded: boolean } }) {
  if (of.simulated)
    return (
      <span class="origin" title={t.shell.simulatedTitle}>
        {t.shell.simulated}
      </span>
    );
  if (of.recorded)
    return (
      <span class="origin" title={t.shell.recordedTitle}>
        {t.shell.recorded}
      </span>
    );
  return null;
}
