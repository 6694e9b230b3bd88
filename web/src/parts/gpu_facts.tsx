import type { Devices, DevicesDevice, StatusDevice } from '../api/schema';
import { byName } from '../format/number';
import { safeText } from '../format/safe_text';
import { useAnswer } from '../hooks';
import { inShort, reachOf } from '../model/topology';
import { t } from '../texts';
import { Value } from './value';

function Facts({ device }: { device: DevicesDevice }) {
  return (
    <dl class="facts">
      {Object.entries(device.facts).map(([name, value]) => (
        <div key={name}>
          <dt>{name.replace(/_(bytes|watts|mhz|celsius)$/, '').replaceAll('_', ' ')}</dt>
          <dd>
            <Value
              text={safeText(byName(name, value), 120)}
              metric={name}
              missing={device.missing as StatusDevice['missing']}
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Topology({ devices, uuid }: { devices: Devices; uuid: string }) {
  const reaches = reachOf(devices, uuid);
  const links = devices.devices.find((device) => device.uuid === uuid)?.links ?? [];
  if (reaches.length === 0 && links.length === 0) return <p class="note">{t.facts.alone}</p>;
  return (
    <ul class="reach">
      {links.map((link) => (
        <li key={link.kind + link.peer}>{t.facts.link(link.kind, safeText(link.peer, 40), link.count)}</li>
      ))}
      {reaches.map((reach) => (
        <li key={`${reach.way}${reach.links}`}>
          {t.facts.reach(t.facts.way[reach.way], reach.links, inShort(reach.others))}
        </li>
      ))}
    </ul>
  );
}

/** What of a GPU does not change, and how it reaches the others. */
export function GpuFacts({ device }: { device: StatusDevice }) {
  const devices = useAnswer<Devices>('/api/v1/devices', device.uuid);
  const mine = devices.data?.devices.find((one) => one.uuid === device.uuid);
  return (
    <>
      <section class="panel" aria-label={t.facts.title}>
        <h2>{t.facts.title}</h2>
        {devices.trouble && <p class="trouble">{devices.trouble.detail}</p>}
        <p class="note">{`${device.uuid} · ${device.pci_address ?? '–'} · ${device.source}`}</p>
        {mine && <Facts device={mine} />}
      </section>
      <section class="panel" aria-label={t.facts.topology}>
        <h2>{t.facts.topology}</h2>
        {devices.data && <Topology devices={devices.data} uuid={device.uuid} />}
      </section>
    </>
  );
}
