import type { LeasesLeasesDocument, StatusDevice } from '../api/schema';
import { bytes, percent } from '../format/number';
import { safeText } from '../format/safe_text';
import { parseTime } from '../format/time';
import { useAnswer, useApp, useStore } from '../hooks';
import { describeLease } from '../model/lease_text';
import { rowsOfDevice, sortRows, type Column } from '../model/process_rows';
import { leaseBars } from '../model/time_line';
import { linkTo } from '../router';
import { GpuCard } from '../parts/gpu_card';
import { GpuCharts } from '../parts/gpu_charts';
import { GpuFacts } from '../parts/gpu_facts';
import { GpuHealth } from '../parts/gpu_health';
import { ProcessTable } from '../parts/process_table';
import { TimeLine } from '../parts/time_line';
import { Value } from '../parts/value';
import { WhyAnswers } from '../parts/why_answers';
import { t } from '../texts';

const shownColumns: Column[] = ['pid', 'name', 'user', 'kind', 'memory', 'use', 'cpu', 'since'];

function Partitions({ device }: { device: StatusDevice }) {
  if (device.partitions.length === 0) return null;
  const rows = rowsOfDevice(device);
  return (
    <section class="panel" aria-label={t.gpu.partitions}>
      <h2>{t.gpu.partitions}</h2>
      <div class="table">
        <table>
          <thead>
            <tr>
              <th scope="col">{t.gpu.partition}</th>
              <th scope="col" class="number">
                {t.metric.utilization}
              </th>
              <th scope="col" class="number">
                {t.metric.memory}
              </th>
              <th scope="col" class="number">
                {t.pages.processes}
              </th>
            </tr>
          </thead>
          <tbody>
            {device.partitions.map((one) => (
              <tr key={one.uuid}>
                <td title={one.uuid}>{`${one.index} · ${safeText(one.partition ?? one.name, 60)}`}</td>
                <td class="number">
                  <Value
                    text={percent(one.metrics.utilization_percent)}
                    metric="utilization_percent"
                    missing={one.missing}
                  />
                </td>
                <td class="number">
                  <Value text={bytes(one.metrics.memory_used_bytes)} metric="memory_used_bytes" missing={one.missing} />
                  {` / ${bytes(one.metrics.memory_total_bytes)}`}
                </td>
                <td class="number">{rows.filter((row) => row.partition === one).length}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function GpuLeases({ device, now }: { device: StatusDevice; now: number }) {
  const live = useStore(useApp().live);
  const path = `/api/v1/leases?all=true&device=${encodeURIComponent(device.uuid)}`;
  const leases = useAnswer<LeasesLeasesDocument>(path, live.leaseChanges, 15_000);
  const all = leases.data ? [...leases.data.leases, ...(leases.data.ended ?? [])] : [];
  const bars = leaseBars(all, describeLease);
  const oldest = Math.min(...bars.map((bar) => bar.from), now - 3_600_000);
  return (
    <section class="panel" aria-label={t.gpu.leases}>
      <h2>
        {t.gpu.leases} <a href={linkTo('leases')}>{t.gpu.toLeases}</a>
      </h2>
      {leases.trouble && <p class="trouble">{leases.trouble.detail}</p>}
      {leases.data && <TimeLine label={t.gpu.leases} bars={bars} from={Math.max(oldest, now - 86_400_000)} to={now} />}
    </section>
  );
}

function GpuProcesses({ device, now }: { device: StatusDevice; now: number }) {
  const rows = sortRows(rowsOfDevice(device), 'memory', true);
  return (
    <section class="panel" aria-label={t.pages.processes}>
      <h2>{t.pages.processes}</h2>
      {device.processes_reason && <p class="note">{safeText(device.processes_reason, 300)}</p>}
      {rows.length === 0 ? (
        <p class="note">{t.card.nobody}</p>
      ) : (
        <ProcessTable rows={rows} shown={shownColumns} now={now} caption={t.pages.processes} />
      )}
    </section>
  );
}

export function Gpu({ uuid }: { uuid: string }) {
  const app = useApp();
  const { snapshot, trouble } = useStore(app.live);
  const leases = useStore(app.leases)?.leases ?? [];
  if (!snapshot) return <p class="empty">{trouble ? t.link.nothing : t.link.waiting}</p>;
  const device = snapshot.devices.find((one) => one.uuid === uuid || String(one.index) === uuid);
  if (!device) return <p class="empty">{t.gpu.gone(safeText(uuid, 60))}</p>;
  const now = parseTime(snapshot.taken_at) ?? 0;
  const at = snapshot.devices.indexOf(device);
  const before = snapshot.devices[at - 1];
  const after = snapshot.devices[at + 1];
  return (
    <>
      <div class="title">
        <h1>{`GPU\u00a0${device.index} ${safeText(device.name)}`}</h1>
        <nav aria-label={t.gpu.others}>
          {before && <a href={linkTo('gpu', before.uuid)}>{`← GPU\u00a0${before.index}`}</a>}
          {after && <a href={linkTo('gpu', after.uuid)}>{`GPU\u00a0${after.index} →`}</a>}
        </nav>
      </div>
      <div class="beside">
        <GpuCard device={device} leases={leases} trail={app.trails.of(device.uuid)} now={now} dense={false} />
        <WhyAnswers key={device.uuid} uuid={device.uuid} />
      </div>
      <GpuCharts key={device.uuid} device={device} now={now} />
      <GpuProcesses device={device} now={now} />
      <Partitions device={device} />
      <GpuLeases device={device} now={now} />
      <div class="beside">
        <GpuHealth device={device} />
        <div class="stack">
          <GpuFacts device={device} />
        </div>
      </div>
    </>
  );
}
