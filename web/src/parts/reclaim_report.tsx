import type { ReclaimHolder, ReclaimReport } from '../api/schema';
import { bytes } from '../format/number';
import { safeText } from '../format/safe_text';
import { duration, moment, parseTime } from '../format/time';
import { t } from '../texts';

function Holder({ holder }: { holder: ReclaimHolder }) {
  const name = holder.service ?? holder.name ?? '–';
  return (
    <tr>
      <td>
        {safeText(name, 60)}
        {holder.pid !== null && <small>{`PID ${holder.pid}`}</small>}
      </td>
      <td class="wide">
        {safeText(holder.what, 200)}
        {holder.note && <small>{safeText(holder.note, 300)}</small>}
        {holder.problem && <small class="trouble">{safeText(holder.problem, 300)}</small>}
      </td>
      <td class="number">{bytes(holder.promised_bytes)}</td>
      <td class="number">{bytes(holder.returned_bytes)}</td>
      <td class="number">{duration(holder.took_seconds)}</td>
    </tr>
  );
}

function Before({ report }: { report: ReclaimReport }) {
  return (
    <ul class="before">
      {report.devices.map((device) => (
        <li key={device.id}>
          <b>{`GPU\u00a0${device.index ?? '–'}`}</b>{' '}
          {t.optimize.before(bytes(device.used_before_bytes), bytes(device.used_after_bytes))}
          {(device.still_wanted_bytes ?? 0) > 0 && (
            <span class="trouble"> {t.optimize.stillWanted(bytes(device.still_wanted_bytes))}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** What a run gave back, measured: what holders promised stands beside what came. */
export function ReclaimReportView({ report }: { report: ReclaimReport }) {
  return (
    <article class="panel report">
      <h3>
        <b>{t.optimize.returned(bytes(report.returned_bytes))}</b>{' '}
        <small>
          {`${moment(parseTime(report.started))} · ${safeText(report.why, 120)} · ${
            report.finished ? duration(report.took_seconds) : t.optimize.running
          }`}
        </small>
      </h3>
      {report.problem && <p class="trouble">{safeText(report.problem, 400)}</p>}
      <Before report={report} />
      {report.steps.map((step) => (
        <section key={step.step + (step.type ?? '')}>
          <h4>
            {t.optimize.step[step.step]} <small>{bytes(step.returned_bytes)}</small>
          </h4>
          {step.skipped && <p class="note">{safeText(step.skipped, 300)}</p>}
          {step.holders.length > 0 && (
            <div class="table">
              <table>
                <thead>
                  <tr>
                    {t.optimize.columns.map((name, i) => (
                      <th key={name} scope="col" class={i > 1 ? 'number' : ''}>
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {step.holders.map((holder, i) => (
                    <Holder key={i} holder={holder} />
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
      ))}
      {report.advice.map((advice) => (
        <p key={`${advice.device}${advice.pid}${advice.lease}`} class="advice">
          {`${safeText(advice.service ?? advice.name, 60) || '–'} (${bytes(advice.memory_bytes)}): ${safeText(advice.recommendation, 400)}`}
        </p>
      ))}
    </article>
  );
}
