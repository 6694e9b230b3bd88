import { useState } from 'preact/hooks';
import type { LeasesDevice, LeasesEndingDocument, LeasesLease, LeasesLeasesDocument } from '../api/schema';
import { bytes } from '../format/number';
import { safeText } from '../format/safe_text';
import { duration, moment, parseTime } from '../format/time';
import { useAnswer, useApp, useMay, useStore } from '../hooks';
import { useAction } from '../hooks_action';
import { describeLease } from '../model/lease_text';
import { leaseBars } from '../model/time_line';
import { BookForm } from '../parts/book_form';
import { Confirm } from '../parts/confirm';
import { Origin } from '../parts/origin';
import { TimeLine } from '../parts/time_line';
import { Trouble } from '../parts/trouble';
import { Value } from '../parts/value';
import { linkTo } from '../router';
import { t } from '../texts';

const mostRows = 300;

function Controls({ lease, done }: { lease: LeasesLease; done(): void }) {
  const action = useAction<LeasesEndingDocument>();
  const release = useMay('release');
  const revoke = useMay('revoke');
  const run = async (method: 'POST' | 'DELETE', path: string): Promise<void> => {
    if (await action.run(method, path)) done();
  };
  const path = `/api/v1/leases/${encodeURIComponent(lease.id)}`;
  if (lease.state === 'ended') return null;
  return (
    <div class="buttons">
      {release && (
        <Confirm
          label={t.leases.release}
          question={t.leases.releaseQuestion(safeText(lease.service, 60), bytes(lease.min_bytes))}
          disabled={action.busy}
          go={() => void run('DELETE', path)}
        />
      )}
      {revoke && (
        <Confirm
          label={t.leases.revoke}
          question={t.leases.revokeQuestion(safeText(lease.service, 60), bytes(lease.min_bytes))}
          disabled={action.busy}
          go={() => void run('POST', `${path}/revoke`)}
        />
      )}
      <Trouble refused={action.refused} />
    </div>
  );
}

function Row({ lease, waits, now, done }: { lease: LeasesLease; waits: boolean; now: number; done(): void }) {
  return (
    <tr>
      <td class="number">{lease.id}</td>
      <td>
        {safeText(lease.service, 60)}
        {lease.name && <small>{safeText(lease.name, 60)}</small>}
      </td>
      <td>
        {lease.device ? <a href={linkTo('gpu', lease.device)}>{lease.index ?? safeText(lease.device, 20)}</a> : '–'}
      </td>
      <td>
        {waits ? t.lease.state.waiting : t.lease.state[lease.state]}
        {lease.overused && <small class="trouble">{t.leases.overused}</small>}
        {lease.ends_in_seconds !== null && <small>{t.leases.endsIn(duration(lease.ends_in_seconds))}</small>}
      </td>
      <td class="number">
        {bytes(lease.min_bytes)}
        {lease.max_bytes > lease.min_bytes && <small>{t.leases.upTo(bytes(lease.max_bytes))}</small>}
      </td>
      <td class="number">
        <Value text={bytes(lease.observed_bytes)} metric="observed_bytes" missing={{}} />
      </td>
      <td>
        {safeText(lease.user, 40) || '–'}
        <small>{t.leases.owner[lease.owner.kind]}</small>
      </td>
      <td class="number">{moment(parseTime(lease.created), now)}</td>
      <td class="actions">
        <Controls lease={lease} done={done} />
      </td>
    </tr>
  );
}

function Account({ device, leases, now }: { device: LeasesDevice; leases: LeasesLease[]; now: number }) {
  const [open, setOpen] = useState(leases.length > 0);
  const bars = leaseBars(leases, describeLease);
  const oldest = Math.max(now - 86_400_000, Math.min(now - 600_000, ...bars.map((bar) => bar.from)));
  return (
    <details class="panel account" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <b>{`GPU\u00a0${device.index ?? '–'}`}</b> {safeText(device.name, 40)} <Origin of={device} />
        <span class="note">
          {t.leases.account(bytes(device.booked_bytes), bytes(device.available_bytes), bytes(device.unmanaged_bytes))}
        </span>
      </summary>
      {open && <TimeLine label={t.leases.timeLine} bars={bars} from={oldest} to={now} />}
    </details>
  );
}

function LeaseTable({ document, now, done }: { document: LeasesLeasesDocument; now: number; done(): void }) {
  const [ended, setEnded] = useState(false);
  const rows = ended ? [...document.leases, ...(document.ended ?? [])] : document.leases;
  return (
    <section aria-label={t.pages.leases}>
      <div class="controls">
        <label>
          <input type="checkbox" checked={ended} onChange={(event) => setEnded(event.currentTarget.checked)} />
          {t.leases.showEnded(document.ended?.length ?? 0)}
        </label>
        {document.waiting.length > 0 && <span class="note">{t.leases.waiting(document.waiting.length)}</span>}
      </div>
      {rows.length === 0 ? (
        <p class="empty">{t.leases.none}</p>
      ) : (
        <div class="table" role="region" aria-label={t.table(t.pages.leases)} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {t.leases.columns.map((name, i) => (
                  <th key={name} scope="col" class={[0, 4, 5, 7].includes(i) ? 'number' : ''}>
                    {name || <span class="hidden">{t.leases.actions}</span>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, mostRows).map((lease) => (
                <Row key={lease.id} lease={lease} waits={document.waiting.includes(lease.id)} now={now} done={done} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > mostRows && <p class="note">{t.card.more(rows.length - mostRows)}</p>}
    </section>
  );
}

export function Leases() {
  const app = useApp();
  const live = useStore(app.live);
  const mayBook = useMay('book');
  const leases = useAnswer<LeasesLeasesDocument>('/api/v1/leases?all=true', live.leaseChanges, 5_000);
  const done = (): void => {
    leases.refresh();
    void app.refreshLeases();
  };
  const document = leases.data;
  const now = parseTime(document?.taken_at) ?? Date.now();
  const of = (device: LeasesDevice): LeasesLease[] =>
    document ? [...document.leases, ...(document.ended ?? [])].filter((lease) => lease.device === device.id) : [];
  return (
    <>
      <h1>{t.pages.leases}</h1>
      <Trouble refused={leases.trouble} />
      {document?.closed && <p class="trouble">{safeText(document.closed, 300)}</p>}
      {mayBook && <BookForm done={done} />}
      {document && <LeaseTable document={document} now={now} done={done} />}
      {document && <h2>{t.leases.timeLine}</h2>}
      {document?.devices.map((device) => (
        <Account key={device.id} device={device} leases={of(device)} now={now} />
      ))}
    </>
  );
}
