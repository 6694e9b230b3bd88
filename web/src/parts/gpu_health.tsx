import type { Faults, StatusDevice, StatusMetrics, Trend } from '../api/schema';
import { byName, celsius } from '../format/number';
import { safeText } from '../format/safe_text';
import { duration, moment, parseTime } from '../format/time';
import { useAnswer, useApp, useStore } from '../hooks';
import { t } from '../texts';
import { Value } from './value';

/** What tells how long a GPU will live; which of them a vendor reports differs. */
const signs: (keyof StatusMetrics)[] = [
  'faults',
  'faults_critical',
  'xid_last',
  'ecc_corrected_volatile',
  'ecc_uncorrected_volatile',
  'ecc_corrected_aggregate',
  'ecc_uncorrected_aggregate',
  'remapped_rows_corrected',
  'remapped_rows_uncorrected',
  'remapped_rows_pending',
  'remapped_rows_failed',
  'retired_pages_corrected',
  'retired_pages_uncorrected',
  'retired_pages_pending',
  'pcie_replays',
  'throttle_power_seconds',
  'throttle_thermal_seconds',
];

function Signs({ device }: { device: StatusDevice }) {
  const reported = signs.filter((name) => device.missing[name] !== 'not_supported');
  return (
    <dl class="facts">
      {reported.map((name) => (
        <div key={name}>
          <dt>{t.health.sign[name as keyof typeof t.health.sign] ?? name}</dt>
          <dd>
            <Value text={byName(name, device.metrics[name])} metric={name} missing={device.missing} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function TrendLine({ uuid }: { uuid: string }) {
  const trend = useAnswer<Trend>(`/api/v1/trend?device=${encodeURIComponent(uuid)}`, 0, 15_000);
  const mine = trend.data?.devices[0];
  if (!mine) return null;
  if (mine.trend === null) return <p class="note">{safeText(mine.reason, 300)}</p>;
  const text = t.health.trend(
    t.health.trends[mine.trend],
    celsius(mine.min_temp),
    celsius(mine.max_temp),
    duration(mine.seconds_seen),
  );
  return (
    <p>
      {text}
      {mine.next_limit && mine.seconds_until_limit !== null && (
        <b> {t.health.until(mine.next_limit.name, duration(mine.seconds_until_limit))}</b>
      )}
    </p>
  );
}

function FaultList({ uuid }: { uuid: string }) {
  const live = useStore(useApp().live);
  const faults = useAnswer<Faults>(
    `/api/v1/faults?limit=20&device=${encodeURIComponent(uuid)}`,
    live.alertChanges,
    15_000,
  );
  if (faults.trouble) return <p class="trouble">{faults.trouble.detail}</p>;
  if (!faults.data) return null;
  if (faults.data.faults.length === 0) return <p class="note">{t.health.noFault}</p>;
  return (
    <ul class="faults">
      {faults.data.faults.map((fault) => (
        <li key={fault.id} class={`severity-${fault.severity}`}>
          <b>{safeText(fault.title, 120)}</b>
          <span class="note">
            {t.health.times(fault.count, moment(parseTime(fault.last_at)))} · {fault.severity}
          </span>
          <p>{safeText(fault.explanation, 500)}</p>
          <p class="advice">{safeText(fault.action, 500)}</p>
          {fault.detail && <small>{safeText(fault.detail, 300)}</small>}
        </li>
      ))}
    </ul>
  );
}

export function GpuHealth({ device }: { device: StatusDevice }) {
  return (
    <section class="panel" aria-label={t.health.title}>
      <h2>{t.health.title}</h2>
      <TrendLine uuid={device.uuid} />
      <Signs device={device} />
      <FaultList uuid={device.uuid} />
    </section>
  );
}
