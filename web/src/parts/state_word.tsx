import type { StatusDevice } from '../api/schema';
import { t } from '../texts';

/** How a GPU is, in a word and its colour. A sleeping one is not ill. */
export function StateWord({ device }: { device: StatusDevice }) {
  const asleep = device.attention === 'asleep';
  const state = device.available || !asleep ? device.throttling.state : 'unavailable';
  const word = asleep ? t.card.asleep : device.available ? t.state[state] : t.state.unavailable;
  return <span class={`state state-${device.available && !asleep ? state : 'unavailable'}`}>{word}</span>;
}
