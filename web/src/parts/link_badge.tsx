import { useApp, useNow, useStore } from '../hooks';
import { linkState } from '../live/live';
import { t } from '../texts';

/** Whether what is shown is now: the first thing that a page like this must not be wrong about. */
export function LinkBadge() {
  const live = useStore(useApp().live);
  const now = useNow();
  const state = linkState(live, now);
  const age = live.snapshot === null ? null : Math.max(0, (now - live.receivedAt) / 1000);
  const text = state === 'lost' ? t.link.lost(age) : state === 'stale' ? t.link.stale(age ?? 0) : t.link[state];
  return (
    <span
      class={`link link-${state}`}
      data-connection={state}
      title={live.trouble ? t.link.title(live.trouble) : undefined}
    >
      <i aria-hidden="true" />
      <span>{text}</span>
      {/* Said once a change, not every second. */}
      <span class="hidden" role="status">
        {state === 'lost' ? t.link.lost(null) : state === 'stale' ? t.link.stale(null) : t.link[state]}
      </span>
    </span>
  );
}
