import type { ApiAudit, ApiDoctor, ApiHealth, ApiSinks, Status } from '../api/schema';
import { bytes, percent } from '../format/number';
import { safeText } from '../format/safe_text';
import { duration, moment, parseTime } from '../format/time';
import { useAnswer, useApp, useMay, useStore } from '../hooks';
import { ReportLinks } from '../parts/report_links';
import { Trouble } from '../parts/trouble';
import { t } from '../texts';

function Versions() {
  const health = useAnswer<ApiHealth>('/health', 0, 10_000);
  const { snapshot } = useStore(useApp().live);
  const session = useStore(useApp().session.session);
  const data = health.data;
  const facts: [string, string][] = [];
  if (data) {
    facts.push(['gpukeeper', data.version], [t.about.status, t.about.health[data.status]]);
    facts.push([t.about.host, safeText(data.host, 80)], [t.about.uptime, duration(data.uptime_seconds)]);
  }
  if (snapshot && data) {
    const { self } = snapshot;
    facts.push(
      [t.about.cpu, percent((100 * self.cpu_seconds) / Math.max(1, data.uptime_seconds))],
      [t.about.memory, bytes(self.resident_bytes)],
      [t.about.calls, String(self.driver_calls)],
    );
  }
  facts.push([t.about.role, `${t.shell.role[session.role]}${session.name ? ` (${safeText(session.name, 60)})` : ''}`]);
  return (
    <section class="panel" aria-label={t.about.versions}>
      <h2>{t.about.versions}</h2>
      <Trouble refused={health.trouble} />
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {data?.reasons.map((reason) => (
        <p key={reason} class="trouble">
          {safeText(reason, 400)}
        </p>
      ))}
    </section>
  );
}

function Sources({ snapshot }: { snapshot: Status }) {
  const all = [
    ...snapshot.sources.map((source) => ({ ...source, what: t.about.devices(source.devices) })),
    ...snapshot.event_sources.map((source) => ({ ...source, what: t.about.events })),
  ];
  return (
    <section class="panel" aria-label={t.about.sources}>
      <h2>{t.about.sources}</h2>
      <ul class="checks">
        {all.map((source) => (
          <li key={source.name + source.what} class={source.available ? 'good' : 'problem'}>
            <b>{safeText(source.name, 60)}</b> {source.available ? source.what : t.about.notAvailable}
            {source.message && <small>{safeText(source.message, 500)}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Doctor() {
  const doctor = useAnswer<ApiDoctor>('/api/v1/doctor');
  return (
    <section class="panel" aria-label={t.about.doctor}>
      <h2>{t.about.doctor}</h2>
      <Trouble refused={doctor.trouble} />
      <ul class="checks">
        {doctor.data?.checks.map((check, i) => (
          <li key={i} class={check.mark}>
            <b>{safeText(check.area, 60)}</b> <i>{t.about.marks[check.mark]}</i> {safeText(check.text, 500)}
            {check.remedy && <small class="advice">{safeText(check.remedy, 500)}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Sinks() {
  const sinks = useAnswer<ApiSinks>('/api/v1/sinks', 0, 30_000);
  if (!sinks.data || sinks.data.sinks.length === 0) return null;
  return (
    <section class="panel" aria-label={t.about.sinks}>
      <h2>{t.about.sinks}</h2>
      <ul class="checks">
        {sinks.data.sinks.map((sink) => (
          <li key={sink.name} class={sink.error === null ? 'good' : 'problem'}>
            <b>{safeText(sink.name, 60)}</b> {`${sink.kind} · ${t.about.sent(sink.sent, sink.waiting)}`}
            {sink.error && <small>{safeText(sink.error, 400)}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Audit() {
  const audit = useAnswer<ApiAudit>('/api/v1/audit?limit=50', 0, 30_000);
  return (
    <section class="panel" aria-label={t.about.audit}>
      <h2>{t.about.audit}</h2>
      <Trouble refused={audit.trouble} />
      <div class="table">
        <table>
          <tbody>
            {audit.data?.changes.map((change, i) => (
              <tr key={i}>
                <td>{moment(parseTime(change.at))}</td>
                <td>{`${safeText(change.who, 40)} (${change.role})`}</td>
                <td class="wide">{safeText(change.what, 200)}</td>
                <td class="number">{change.status ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function About() {
  const { snapshot } = useStore(useApp().live);
  const mayAudit = useMay('audit');
  return (
    <>
      <h1>{t.pages.about}</h1>
      <Versions />
      {snapshot && <Sources snapshot={snapshot} />}
      <ReportLinks />
      <Doctor />
      <Sinks />
      {mayAudit && <Audit />}
      <p class="note">
        <a href="/api/v1/openapi.json">{t.about.api}</a> · <a href="/metrics">{t.about.metrics}</a>
      </p>
    </>
  );
}
