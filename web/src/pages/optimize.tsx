import { useState } from 'preact/hooks';
import type { ReclaimPlan, ReclaimReport, ReclaimReports } from '../api/schema';
import { bytes, parseBytes } from '../format/number';
import { safeText } from '../format/safe_text';
import { useAnswer, useApp, useMay, useStore } from '../hooks';
import { useAction } from '../hooks_action';
import { Confirm } from '../parts/confirm';
import { ReclaimReportView } from '../parts/reclaim_report';
import { Trouble } from '../parts/trouble';
import { t } from '../texts';

type Step = ReclaimPlan['steps'][number];

function PlanStep({ step }: { step: Step }) {
  const who = safeText(step.service ?? step.name, 60) || '–';
  const from = step.from_index === null ? safeText(step.from, 40) : `GPU ${step.from_index}`;
  const to = step.to === null ? null : step.to_index === null ? safeText(step.to, 40) : `GPU ${step.to_index}`;
  return (
    <li>
      <b>{t.optimize.does[step.kind]}</b>{' '}
      {`${who}${step.pid === null ? '' : ` (PID ${step.pid})`}, ${bytes(step.bytes)}, ${from}${to ? ` → ${to}` : ''}`}
    </li>
  );
}

function Plan({ plan }: { plan: ReclaimPlan }) {
  return (
    <div class="plan" role="status">
      <p>
        <b>{t.optimize.verdict[plan.verdict]}</b>{' '}
        {plan.indices.length > 0 && `GPU ${plan.indices.map((index) => index ?? '–').join(', ')}`}
      </p>
      {!plan.exact && <p class="note">{t.optimize.inexact}</p>}
      <ol>
        {plan.steps.map((step, i) => (
          <PlanStep key={i} step={step} />
        ))}
      </ol>
      {plan.reasons.map((reason) => (
        <p key={reason} class="note">
          {safeText(reason, 400)}
        </p>
      ))}
    </div>
  );
}

export function Optimize() {
  const { snapshot } = useStore(useApp().live);
  const mayRun = useMay('optimize');
  const [size, setSize] = useState('');
  const [device, setDevice] = useState('');
  const [wrong, setWrong] = useState(false);
  const plan = useAction<ReclaimPlan>();
  const run = useAction<ReclaimReport>();
  const reports = useAnswer<ReclaimReports>('/api/v1/reclaim', run.busy, 5_000);
  const wanted = parseBytes(size);
  const where = device === '' ? {} : { device };
  const makePlan = (event: Event): void => {
    event.preventDefault();
    setWrong(wanted === null);
    if (wanted !== null) void plan.run('POST', '/api/v1/plan', { body: { min_bytes: wanted, ...where } });
  };
  const optimize = async (): Promise<void> => {
    const body = { ...where, ...(wanted === null ? {} : { min_bytes: wanted }) };
    if (await run.run('POST', '/api/v1/reclaim', { body })) reports.refresh();
  };
  return (
    <>
      <h1>{t.pages.optimize}</h1>
      <form class="panel" onSubmit={makePlan}>
        <h2>{t.optimize.plan}</h2>
        <p class="note">{t.optimize.explain}</p>
        <div class="controls">
          <label>
            {t.optimize.room}
            <input
              value={size}
              placeholder="40 GiB"
              aria-invalid={wrong}
              onInput={(event) => setSize(event.currentTarget.value)}
            />
          </label>
          <label>
            {t.book.device}
            <select value={device} onChange={(event) => setDevice(event.currentTarget.value)}>
              <option value="">{t.book.anyDevice}</option>
              {snapshot?.devices.map((one) => (
                <option key={one.uuid} value={one.uuid}>
                  {`GPU ${one.index} ${safeText(one.name, 30)}`}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" class="main" disabled={plan.busy}>
            {t.optimize.makePlan}
          </button>
          {mayRun && (
            <Confirm
              label={t.optimize.run}
              question={wanted === null ? t.optimize.question : t.optimize.questionRoom(bytes(wanted))}
              disabled={run.busy}
              go={() => void optimize()}
            />
          )}
          {run.busy && <span role="status">{t.optimize.running}</span>}
        </div>
        {wrong && (
          <p class="trouble" role="alert">
            {t.book.problem.size}
          </p>
        )}
        <Trouble refused={plan.refused} />
        <Trouble refused={run.refused} />
        {plan.answer && <Plan plan={plan.answer} />}
      </form>
      <h2>{t.optimize.reports}</h2>
      <Trouble refused={reports.trouble} />
      {reports.data && <p class="note">{reports.data.by_itself ? t.optimize.byItself : t.optimize.notByItself}</p>}
      {reports.data?.reports.length === 0 && <p class="empty">{t.optimize.noReport}</p>}
      {reports.data?.reports.map((report) => (
        <ReclaimReportView key={report.number} report={report} />
      ))}
    </>
  );
}
