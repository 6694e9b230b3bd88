import { useState } from 'preact/hooks';
import type { Alerts as Document, ApiSilence, ApiSilences, StatusAlert } from '../api/schema';
import { safeText } from '../format/safe_text';
import { moment, parseTime } from '../format/time';
import { useAnswer, useApp, useMay, useStore } from '../hooks';
import { useAction } from '../hooks_action';
import { alertBars } from '../model/time_line';
import { AlertRow } from '../parts/alert_row';
import { TimeLine } from '../parts/time_line';
import { Trouble } from '../parts/trouble';
import { t } from '../texts';

const day = 86_400_000;
const mostOver = 50;

function SilenceRow({ silence, done }: { silence: ApiSilence; done(): void }) {
  const action = useAction<unknown>();
  const may = useMay('silence');
  const end = async (id: string): Promise<void> => {
    if (await action.run('DELETE', `/api/v1/silences/${encodeURIComponent(id)}`)) done();
  };
  const { id } = silence;
  return (
    <li>
      <span>
        {t.alerts.silenceText(safeText(silence.rule, 60), safeText(silence.device, 60), silence.level)}
        {silence.until && ` · ${t.alerts.until(moment(parseTime(silence.until)))}`}
        {silence.by && ` · ${safeText(silence.by, 40)}`}
        {silence.comment && ` · ${safeText(silence.comment, 200)}`}
      </span>
      {may && id !== null && (
        <button type="button" disabled={action.busy} onClick={() => void end(id)}>
          {t.alerts.endSilence}
        </button>
      )}
      <Trouble refused={action.refused} />
    </li>
  );
}

interface ListProps {
  title: string;
  alerts: StatusAlert[];
  now: number;
  done(): void;
  empty: string;
}

function List({ title, alerts, now, done, empty }: ListProps) {
  return (
    <section aria-label={title}>
      <h2>
        {title} <small>{alerts.length}</small>
      </h2>
      {alerts.length === 0 && <p class="note">{empty}</p>}
      <ul class="alerts">
        {alerts.slice(0, mostOver).map((alert) => (
          <AlertRow key={alert.id} alert={alert} now={now} done={done} />
        ))}
      </ul>
      {alerts.length > mostOver && <p class="note">{t.card.more(alerts.length - mostOver)}</p>}
    </section>
  );
}

export function Alerts() {
  const live = useStore(useApp().live);
  const [notes, setNotes] = useState(false);
  const answer = useAnswer<Document>('/api/v1/alerts?all=true', live.alertChanges, 5_000);
  const silences = useAnswer<ApiSilences>('/api/v1/silences', live.alertChanges, 15_000);
  const done = (): void => {
    answer.refresh();
    silences.refresh();
  };
  if (!answer.data)
    return answer.trouble ? <Trouble refused={answer.trouble} /> : <p class="empty">{t.link.waiting}</p>;
  const all = answer.data.alerts;
  const wanted = all.filter((alert) => notes || alert.level !== 'info');
  const now = parseTime(answer.data.taken_at) ?? Date.now();
  const of = (phase: StatusAlert['phase']) => wanted.filter((alert) => alert.phase === phase);
  return (
    <>
      <h1>{t.pages.alerts}</h1>
      <Trouble refused={answer.trouble} />
      <div class="controls">
        <label>
          <input type="checkbox" checked={notes} onChange={(event) => setNotes(event.currentTarget.checked)} />
          {t.alerts.notes(all.filter((alert) => alert.level === 'info').length)}
        </label>
      </div>
      <List title={t.alerts.phase.firing} alerts={of('firing')} now={now} done={done} empty={t.alerts.noneFiring} />
      {of('pending').length > 0 && (
        <List title={t.alerts.phase.pending} alerts={of('pending')} now={now} done={done} empty="" />
      )}
      <section class="panel" aria-label={t.alerts.timeLine}>
        <h2>{t.alerts.timeLine}</h2>
        <TimeLine label={t.alerts.timeLine} bars={alertBars(wanted)} from={now - day} to={now} />
      </section>
      <section class="panel" aria-label={t.alerts.silences}>
        <h2>{t.alerts.silences}</h2>
        <Trouble refused={silences.trouble} />
        {silences.data?.silences.length === 0 && <p class="note">{t.alerts.noSilence}</p>}
        <ul class="silences">
          {silences.data?.silences.map((silence, i) => (
            <SilenceRow key={silence.id ?? `configured${i}`} silence={silence} done={done} />
          ))}
        </ul>
      </section>
      <List
        title={t.alerts.phase.resolved}
        alerts={of('resolved')}
        now={now}
        done={done}
        empty={t.alerts.noneResolved}
      />
    </>
  );
}
