import { bytes } from '../format/number';
import { safeText } from '../format/safe_text';
import { duration } from '../format/time';
import { byShortage, obstaclesOn, type Obstacle, type Refusal as Document } from '../model/refusal';
import { t } from '../texts';

function name(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'lease':
    case 'process':
      return safeText(obstacle.name, 60);
    case 'more':
      return t.refusal.more(obstacle.name);
    default:
      return t.refusal[obstacle.kind];
  }
}

/** What stands in the way of a request that was refused. */
export function Refusal({ refusal }: { refusal: Document }) {
  const devices = byShortage(refusal);
  return (
    <div class="refusal">
      <p>{refusal.may_come ? t.refusal.mayCome : t.refusal.never}</p>
      <ul>
        {devices.slice(0, 8).map((device) => (
          <li key={device.device}>
            <b>{`GPU\u00a0${device.index}`}</b>{' '}
            <span>
              {device.detail
                ? safeText(device.detail, 300)
                : t.refusal.bar(
                    t.refusal.bars[device.bar],
                    bytes(device.available_bytes),
                    bytes(device.short_by_bytes),
                  )}
            </span>
            <ul>
              {obstaclesOn(device).map((obstacle) => (
                <li key={obstacle.kind + obstacle.name}>
                  {name(obstacle)}
                  {obstacle.bytes !== null && ` · ${bytes(obstacle.bytes)}`}
                  {obstacle.endsIn !== null && ` · ${t.leases.endsIn(duration(obstacle.endsIn))}`}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
      {devices.length > 8 && <p class="note">{t.card.more(devices.length - 8)}</p>}
    </div>
  );
}
