import { safeText } from '../format/safe_text';
import { duration, moment, type Milliseconds } from '../format/time';
import { placeIn, type Bar } from '../model/time_line';
import { t } from '../texts';

interface Props {
  label: string;
  bars: Bar[];
  from: Milliseconds;
  to: Milliseconds;
  /** No more rows than this; the rest is counted. */
  most?: number;
}

function Row({ bar, from, to }: { bar: Bar; from: Milliseconds; to: Milliseconds }) {
  const place = placeIn(bar, from, to);
  if (!place) return null;
  const lasted = duration(((bar.to ?? to) - bar.from) / 1000);
  const text = t.timeLine.bar(moment(bar.from, to), bar.to === null ? null : moment(bar.to, to), lasted);
  return (
    <li title={`${safeText(bar.detail, 300)}\n${text}`}>
      <span class="label">{safeText(bar.label, 40)}</span>
      <span class="track">
        <i class={bar.kind} style={{ left: `${100 * place.left}%`, width: `${100 * place.width}%` }} />
      </span>
      <span class="lasted">{lasted}</span>
      <span class="hidden">{`${safeText(bar.detail, 300)}, ${text}`}</span>
    </li>
  );
}

/** Bars below each other on one axis of time. */
export function TimeLine({ label, bars, from, to, most = 30 }: Props) {
  const shown = bars.filter((bar) => placeIn(bar, from, to) !== null);
  if (shown.length === 0) return <p class="note">{t.timeLine.nothing(duration((to - from) / 1000))}</p>;
  return (
    <div class="time-line">
      <ul aria-label={label}>
        {shown.slice(0, most).map((bar) => (
          <Row key={bar.key} bar={bar} from={from} to={to} />
        ))}
      </ul>
      <p class="axis" aria-hidden="true">
        <span>{moment(from, to)}</span>
        <span>{moment((from + to) / 2, to)}</span>
        <span>{moment(to, to)}</span>
      </p>
      {shown.length > most && <p class="note">{t.card.more(shown.length - most)}</p>}
    </div>
  );
}
