// What of the alerts a person is told first.
import type { StatusAlert } from '../api/schema';

/** Whether somebody should look at it now: it fires, is no mere note, and nobody has said to keep it quiet. */
export function wantsAttention(alert: StatusAlert): boolean {
  return alert.phase === 'firing' && alert.level !== 'info' && !alert.silenced;
}
