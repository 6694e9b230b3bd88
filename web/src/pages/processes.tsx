import { useState } from 'preact/hooks';
import { bytes } from '../format/number';
import { safeText } from '../format/safe_text';
import { parseTime } from '../format/time';
import { useApp, useStore } from '../hooks';
import {
  columns,
  groupings,
  groupRows,
  matches,
  rowsOf,
  sortRows,
  type Column,
  type Group,
  type Grouping,
} from '../model/process_rows';
import { ProcessTable, type Sorting } from '../parts/process_table';
import { t } from '../texts';

/** Columns whose greatest values one wants to see first. */
const downFirst: Column[] = ['memory', 'use', 'cpu'];

/** So many rows of a group are shown: drawn anew every second, thousands would keep the browser busy. */
const mostRows = 300;

function groupName(group: Group, by: Grouping): string {
  if (group.name === null) return t.processes.groupless[by];
  if (by === 'class') return t.kind[group.name as keyof typeof t.kind];
  return by === 'gpu' ? `GPU\u00a0${group.name}` : safeText(group.name, 64);
}

export function Processes() {
  const { snapshot } = useStore(useApp().live);
  const [search, setSearch] = useState('');
  const [by, setBy] = useState<Grouping>('none');
  const [sorting, setSorting] = useState<Sorting>({ column: 'memory', down: true });
  if (!snapshot) return <p class="empty">{t.link.waiting}</p>;
  const now = parseTime(snapshot.taken_at) ?? 0;
  const all = rowsOf(snapshot);
  const rows = sortRows(
    all.filter((row) => matches(row, search)),
    sorting.column,
    sorting.down,
  );
  const sort = (column: Column): void =>
    setSorting((before) => ({ column, down: before.column === column ? !before.down : downFirst.includes(column) }));
  const unknown = snapshot.devices.filter((device) => device.processes_reason !== null);
  return (
    <>
      <h1>{t.pages.processes}</h1>
      <div class="controls">
        <label>
          {t.processes.search}
          <input type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
        <label>
          {t.processes.group}
          <select value={by} onChange={(event) => setBy(event.currentTarget.value as Grouping)}>
            {groupings.map((one) => (
              <option key={one} value={one}>
                {t.processes.grouping[one]}
              </option>
            ))}
          </select>
        </label>
        <span class="note">{t.processes.count(rows.length, all.length)}</span>
      </div>
      {unknown.map((device) => (
        <p key={device.uuid} class="note">{`GPU\u00a0${device.index}: ${safeText(device.processes_reason, 300)}`}</p>
      ))}
      {snapshot.who_reason && <p class="note">{safeText(snapshot.who_reason, 400)}</p>}
      {rows.length === 0 && <p class="empty">{all.length === 0 ? t.processes.nobody : t.processes.noneFound}</p>}
      {groupRows(rows, by).map((group) => (
        <section key={group.name} class={by === 'none' ? '' : 'group'}>
          {by !== 'none' && (
            <h2>
              {groupName(group, by)}{' '}
              <small>{t.processes.sum(group.rows.length, `${group.partial ? '≥ ' : ''}${bytes(group.memory)}`)}</small>
            </h2>
          )}
          <ProcessTable
            rows={group.rows.slice(0, mostRows)}
            shown={columns}
            now={now}
            sorting={sorting}
            sort={sort}
            caption={by === 'none' ? t.pages.processes : groupName(group, by)}
          />
          {group.rows.length > mostRows && <p class="note">{t.card.more(group.rows.length - mostRows)}</p>}
        </section>
      ))}
    </>
  );
}
