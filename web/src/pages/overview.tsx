import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { Status, StatusAlert, StatusDevice, Why } from '../api/schema';
import { parseTime } from '../format/time';
import { safeText } from '../format/safe_text';
import { useAnswer, useApp, useNow, useStore } from '../hooks';
import { wantsAttention } from '../model/alerts';
import { linkTo } from '../router';
import { t } from '../texts';
import { GpuCard } from '../parts/gpu_card';
import { WhyAnswers } from '../parts/why_answers';

/** More GPUs than this are shown with less of each. */
const denseFrom = 13;

function Headline() {
  const why = useAnswer<Why>('/api/v1/why?topic=fan', 0, 10_000);
  const now = useNow(5_000);
  if (!why.data) {
    return why.trouble ? (
      <p class="headline trouble">{why.trouble.detail}</p>
    ) : (
      <p class="headline loading">{t.link.waiting}</p>
    );
  }
  return (
    <section class={`headline tone-${why.data.tone}`} aria-label={t.overview.why}>
      <h2>{t.overview.why}</h2>
      <p>{safeText(why.data.summary, 600)}</p>
      {why.data.warnings.map((warning) => (
        <p key={warning} class="warning">
          {safeText(warning, 400)}
        </p>
      ))}
      {now - why.at > 30_000 && <p class="note">{t.overview.asOf((now - why.at) / 1000)}</p>}
    </section>
  );
}

function AlertLine({ alert }: { alert: StatusAlert }) {
  return (
    <li class={`level-${alert.level}`}>
      <b>{alert.level}</b> <span>{safeText(alert.message, 200)}</span>
    </li>
  );
}

function AlertStrip({ snapshot }: { snapshot: Status }) {
  const firing = snapshot.alerts.filter(wantsAttention);
  if (firing.length === 0) return null;
  return (
    <section class="alert-strip" aria-label={t.pages.alerts}>
      <ul>
        {firing.slice(0, 4).map((alert) => (
          <AlertLine key={alert.id} alert={alert} />
        ))}
      </ul>
      <a href={linkTo('alerts')}>{firing.length > 4 ? t.card.more(firing.length - 4) : t.overview.allAlerts}</a>
    </section>
  );
}

type Filter = keyof typeof t.overview.filters;

const passes: Record<Filter, (device: StatusDevice) => boolean> = {
  all: () => true,
  attention: (device) =>
    device.lamp === 'yellow' || device.lamp === 'red' || !device.available || device.throttling.should_throttle,
  busy: (device) => (device.metrics.utilization_percent ?? 0) >= 5 || device.processes.length > 0,
  free: (device) => {
    const total = device.metrics.memory_total_bytes ?? 0;
    return total > 0 && (device.booking?.available_bytes ?? device.metrics.memory_free_bytes ?? 0) > total / 10;
  },
};

function Grid({ snapshot }: { snapshot: Status }) {
  const app = useApp();
  const leases = useStore(app.leases)?.leases ?? [];
  const [filter, setFilter] = useState<Filter>('all');
  const dense = snapshot.devices.length >= denseFrom;
  const few = snapshot.devices.length <= 2; // there is room to say more of each
  const shown = snapshot.devices.filter(passes[filter]);
  const now = parseTime(snapshot.taken_at) ?? 0;
  if (snapshot.devices.length === 0) return <p class="empty">{t.overview.noGpu}</p>;
  return (
    <>
      {snapshot.devices.length > 4 && (
        <div class="filters" role="group" aria-label={t.overview.filter}>
          {(Object.keys(t.overview.filters) as Filter[]).map((one) => (
            <button key={one} type="button" aria-pressed={one === filter} onClick={() => setFilter(one)}>
              {t.overview.filters[one]} <small>{snapshot.devices.filter(passes[one]).length}</small>
            </button>
          ))}
        </div>
      )}
      {shown.length === 0 && <p class="empty">{t.overview.noneOfThese}</p>}
      <div class={`cards ${dense ? 'dense' : ''} ${few ? 'few' : ''}`} data-testid="dashboard-grid">
        {shown.map((device) => (
          <Fragment key={device.uuid}>
            <GpuCard device={device} leases={leases} trail={app.trails.of(device.uuid)} now={now} dense={dense} />
            {few && <WhyAnswers uuid={device.uuid} />}
          </Fragment>
        ))}
      </div>
    </>
  );
}

export function Overview() {
  const live = useStore(useApp().live);
  if (!live.snapshot) return <p class="empty">{live.trouble ? t.link.nothing : t.link.waiting}</p>;
  return (
    <>
      <h1 class="hidden">{t.pages.overview}</h1>
      <Headline />
      <AlertStrip snapshot={live.snapshot} />
      <Grid snapshot={live.snapshot} />
    </>
  );
}
