import type { StatusLamp } from '../api/schema';
import { t } from '../texts';

/** The signal light: never a colour alone, as its sign differs, too. */
export function Lamp({ lamp, word = false }: { lamp: StatusLamp; word?: boolean }) {
  const text = t.lamp[lamp];
  return (
    <span class={`lamp lamp-${lamp}`} title={t.lampTitle(text)}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {lamp === 'yellow' ? (
          <path d="M8 1.5 15.2 14.5H.8z" />
        ) : lamp === 'red' ? (
          <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" />
        ) : (
          <circle cx="8" cy="8" r="6.5" />
        )}
        {lamp === 'green' && <path class="sign" d="m4.8 8.2 2.2 2.3 4.2-4.8" />}
        {(lamp === 'yellow' || lamp === 'red') && <path class="sign" d="M8 4.6v4.6m0 2.2v.1" />}
      </svg>
      <span class={word ? '' : 'hidden'}>{text}</span>
    </span>
  );
}
