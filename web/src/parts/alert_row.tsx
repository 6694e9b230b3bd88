import { useState } from 'preact/hooks';
import type { StatusAlert } from '../api/schema';
import { safeText } from '../format/safe_text';
import { duration, moment, parseTime } from '../format/time';
import { useMay } from '../hooks';
import { useAction } from '../hooks_action';
import { linkTo } from '../router';
import { t } from '../texts';
import { Trouble } from './trouble';

function Acknowledge({ alert, done }: { alert: StatusAlert; done(): void }) {
  const [comment, setComment] = useState('');
  const [open, setOpen] = useState(false);
  const action = useAction<unknown>();
  const path = `/api/v1/alerts/${encodeURIComponent(alert.id)}/ack`;
  const acknowledge = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!(await action.run('POST', path, { body: comment.trim() === '' ? {} : { comment: comment.trim() } }))) return;
    setOpen(false);
    done();
  };
  const takeBack = async (): Promise<void> => {
    if (await action.run('DELETE', path)) done();
  };
  return (
    <>
      {alert.acknowledged_by !== null ? (
        <button type="button" disabled={action.busy} onClick={() => void takeBack()}>
          {t.alerts.unacknowledge}
        </button>
      ) : open ? (
        <form class="inline" onSubmit={(event) => void acknowledge(event)}>
          <label>
            {t.alerts.comment}
            <input value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
          </label>
          <button type="submit" class="main" disabled={action.busy}>
            {t.alerts.acknowledge}
          </button>
        </form>
      ) : (
        <button type="button" onClick={() => setOpen(true)}>
          {t.alerts.acknowledge}
        </button>
      )}
      <Trouble refused={action.refused} />
    </>
  );
}

function Silence({ alert, done }: { alert: StatusAlert; done(): void }) {
  const [length, setLength] = useState('2h');
  const action = useAction<unknown>();
  const silence = async (): Promise<void> => {
    const body = { rule: alert.rule, ...(alert.uuid === null ? {} : { device: alert.uuid }), for: length };
    if (await action.run('POST', '/api/v1/silences', { body })) done();
  };
  return (
    <>
      <select
        value={length}
        aria-label={t.alerts.silenceFor}
        onChange={(event) => setLength(event.currentTarget.value)}
      >
        {Object.entries(t.alerts.lengths).map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
      <button type="button" disabled={action.busy} onClick={() => void silence()}>
        {t.alerts.silence}
      </button>
      <Trouble refused={action.refused} />
    </>
  );
}

/** An alert with all that is to be said and done about it. */
export function AlertRow({ alert, now, done }: { alert: StatusAlert; now: number; done(): void }) {
  const mayAcknowledge = useMay('acknowledge');
  const maySilence = useMay('silence');
  const from = parseTime(alert.fired_at ?? alert.since);
  const to = parseTime(alert.resolved_at);
  const lasted = from === null ? '–' : duration(((to ?? now) - from) / 1000);
  const over = alert.phase === 'resolved';
  return (
    <li class={`alert level-${alert.level} phase-${alert.phase}`} data-alert={alert.id}>
      <p class="message">
        <b>{t.alerts.level[alert.level]}</b> {safeText(alert.message, 400)}
      </p>
      <p class="note">
        {alert.uuid !== null && (
          <>
            <a href={linkTo('gpu', alert.uuid)}>{`GPU\u00a0${alert.index ?? '–'}`}</a>
            {' · '}
          </>
        )}
        {`${alert.rule} · ${t.alerts.phase[alert.phase]} · ${t.alerts.lasted(moment(from, now), lasted)}`}
        {alert.acknowledged_by !== null && ` · ${t.alerts.acknowledgedBy(safeText(alert.acknowledged_by, 40))}`}
        {alert.silenced && ` · ${t.alerts.silenced(moment(parseTime(alert.silenced_until), now))}`}
      </p>
      {alert.comment && <p class="comment">{safeText(alert.comment, 300)}</p>}
      {alert.remedy && <p class="advice">{safeText(alert.remedy, 500)}</p>}
      {!over && (mayAcknowledge || maySilence) && (
        <div class="buttons">
          {mayAcknowledge && <Acknowledge alert={alert} done={done} />}
          {maySilence && !alert.silenced && <Silence alert={alert} done={done} />}
        </div>
      )}
    </li>
  );
}
