import type { LeasesLease, StatusDevice, StatusProcess } from '../api/schema';
import { bytes, celsius, megahertz, percent, shareOf, watts, rpm } from '../format/number';
import { safeText } from '../format/safe_text';
import type { Trail } from '../live/trails';
import { toneOf } from '../model/thresholds';
import { heaviest, ownerOf } from '../model/who';
import { linkTo } from '../router';
import { t } from '../texts';
import { Gauge, type Mark } from './gauge';
import { Lamp } from './lamp';
import { MemoryBar } from './memory_bar';
import { Origin } from './origin';
import { StateWord } from './state_word';
import { Value } from './value';

function Who({ process }: { process: StatusProcess }) {
  const owner = ownerOf(process);
  return (
    <li>
      <span class="process">{safeText(process.name, 24)}</span>
      {process.class && process.class.kind !== 'unknown' && <span class="kind">{t.kind[process.class.kind]}</span>}
      {owner && <span class="owner">{`${t.owner[owner.kind]} ${safeText(owner.name, 18)}`}</span>}
      <span class="size">
        <Value text={bytes(process.memory_bytes)} metric="memory_bytes" missing={process.missing} />
      </span>
    </li>
  );
}

function People({ device, most }: { device: StatusDevice; most: number }) {
  const all = heaviest(device);
  if (all.length === 0) {
    return <p class="nobody">{safeText(device.processes_reason, 200) || t.card.nobody}</p>;
  }
  return (
    <ul class="people">
      {all.slice(0, most).map((process) => (
        <Who key={process.pid} process={process} />
      ))}
      {all.length > most && <li class="more">{t.card.more(all.length - most)}</li>}
    </ul>
  );
}

function temperatureMarks(device: StatusDevice): Mark[] {
  const marks: Mark[] = [];
  const throttle = device.throttling.thresholds?.['temp_throttle'];
  const slowdown = device.metrics.temperature_slowdown_celsius;
  if (throttle !== undefined) marks.push({ at: throttle, title: `temp_throttle ${celsius(throttle)}` });
  if (typeof slowdown === 'number') marks.push({ at: slowdown, title: `slowdown ${celsius(slowdown)}` });
  return marks;
}

interface Props {
  device: StatusDevice;
  leases: readonly LeasesLease[];
  trail: Trail | undefined;
  now: number;
  /** Of many GPUs: less of each. */
  dense: boolean;
}

export function GpuCard({ device, leases, trail, now, dense }: Props) {
  const m = device.metrics;
  const shown = device.available ? m : null;
  const memory = shareOf(shown?.memory_used_bytes, shown?.memory_total_bytes);
  const common = { missing: device.missing, trail, now };
  const hottest = typeof m.temperature_slowdown_celsius === 'number' ? m.temperature_slowdown_celsius + 3 : 100;
  const speed = device.throttling.speed_multiplier;
  const request = device.throttling.requests[0];
  const turns = shown?.fan_percent === null && shown.fan_rpm !== null; // some say revolutions only
  return (
    <article
      class={`card ${dense ? 'dense' : ''}`}
      data-testid="monitoring-widget"
      data-gpu={device.uuid}
      data-lamp={device.lamp}
    >
      <header>
        <Lamp lamp={device.lamp} />
        <h2>
          <a href={linkTo('gpu', device.uuid)}>
            <b>{`GPU\u00a0${device.index}`}</b> <span>{safeText(device.name, 48)}</span>
          </a>
        </h2>
        <StateWord device={device} />
      </header>
      {device.reason && <p class="reason">{safeText(device.reason, 300)}</p>}
      <div class="gauges">
        <Gauge
          name={t.metric.utilization}
          title={t.metricTitle.utilization}
          metric="utilization_percent"
          text={percent(shown?.utilization_percent)}
          value={shown?.utilization_percent ?? null}
          high={100}
          {...common}
        />
        <Gauge
          name={t.metric.temperature}
          title={t.metricTitle.temperature}
          metric="temperature_celsius"
          text={celsius(shown?.temperature_celsius)}
          value={shown?.temperature_celsius ?? null}
          low={20}
          high={hottest}
          marks={temperatureMarks(device)}
          tone={toneOf(shown?.temperature_celsius, device.throttling.thresholds)}
          {...common}
        />
        <Gauge
          name={t.metric.memory}
          title={`${t.metricTitle.memory}: ${bytes(shown?.memory_used_bytes)} / ${bytes(shown?.memory_total_bytes)}`}
          metric="memory_used_bytes"
          text={percent(memory)}
          value={shown?.memory_used_bytes ?? null}
          high={m.memory_total_bytes ?? 1}
          spark={!dense}
          {...common}
        />
        <Gauge
          name={t.metric.power}
          title={`${t.metricTitle.power}: ${watts(shown?.power_watts)} / ${watts(m.power_limit_watts)}`}
          metric="power_watts"
          text={watts(shown?.power_watts)}
          value={shown?.power_watts ?? null}
          high={m.power_limit_watts ?? m.power_limit_max_watts ?? 500}
          spark={!dense}
          {...common}
        />
      </div>
      <MemoryBar device={device} leases={leases} />
      <People device={device} most={dense ? 1 : 3} />
      {!dense && (
        <p class="facts">
          <Origin of={device} />
          <span title={t.metricTitle.clock}>
            {t.metric.clock}{' '}
            <Value text={megahertz(shown?.clock_graphics_mhz)} metric="clock_graphics_mhz" missing={device.missing} />
          </span>
          <span title={t.metricTitle.fan}>
            {t.metric.fan}{' '}
            <Value
              text={turns ? rpm(shown.fan_rpm) : percent(shown?.fan_percent)}
              metric="fan_percent"
              missing={device.missing}
            />
          </span>
          {device.partitions.length > 0 && <span>{t.card.partitions(device.partitions.length)}</span>}
        </p>
      )}
      {speed < 1 && device.available && (
        <p class="pace" title={safeText(request?.reason, 300)}>
          <b>{t.card.speed(percent(100 * speed))}</b> {!dense && safeText(request?.reason, 120)}
        </p>
      )}
    </article>
  );
}
