import { bytes, percent } from '../format/number';
import { safeText } from '../format/safe_text';
import { duration, parseTime } from '../format/time';
import { ownerOf } from '../model/who';
import type { Column, ProcessRow } from '../model/process_rows';
import { linkTo } from '../router';
import { t } from '../texts';
import { Value } from './value';

export interface Sorting {
  column: Column;
  down: boolean;
}

const numbers: Column[] = ['pid', 'memory', 'use', 'cpu', 'since'];

interface Props {
  rows: ProcessRow[];
  shown: readonly Column[];
  now: number;
  sorting?: Sorting;
  sort?: (column: Column) => void;
  caption: string;
}

function Cell({ row, column, now }: { row: ProcessRow; column: Column; now: number }) {
  const { process, device, partition } = row;
  const started = parseTime(process.started_at);
  switch (column) {
    case 'gpu':
      return (
        <td>
          <a href={linkTo('gpu', device.uuid)}>{partition ? `${device.index}:${partition.index}` : device.index}</a>
        </td>
      );
    case 'pid':
      return <td class="number">{process.pid}</td>;
    case 'name':
      return (
        <td class="name" title={safeText(process.command_line ?? process.executable, 1000)}>
          {safeText(process.name, 60)}
          {process.command_line && <small>{safeText(process.command_line, 160)}</small>}
        </td>
      );
    case 'user': {
      const owner = ownerOf(process);
      return (
        <td>
          <Value text={safeText(process.user, 40) || '–'} metric="user" missing={process.missing} />
          {owner && owner.kind !== 'user' && <small>{`${t.owner[owner.kind]} ${safeText(owner.name, 20)}`}</small>}
        </td>
      );
    }
    case 'kind':
      return <td title={safeText(process.class?.reason, 300)}>{t.kind[process.class?.kind ?? 'unknown']}</td>;
    case 'memory':
      return (
        <td class="number">
          <Value text={bytes(process.memory_bytes)} metric="memory_bytes" missing={process.missing} />
        </td>
      );
    case 'use':
      return (
        <td class="number">
          <Value text={percent(process.utilization_percent)} metric="utilization_percent" missing={process.missing} />
        </td>
      );
    case 'cpu':
      return (
        <td class="number">
          <Value text={percent(process.cpu_percent)} metric="cpu_percent" missing={process.missing} />
        </td>
      );
    case 'since':
      return (
        <td class="number">
          <Value
            text={started === null ? '–' : duration((now - started) / 1000)}
            metric="started_at"
            missing={process.missing}
          />
        </td>
      );
  }
}

/** Processes, a row each; heads sort where `sort` is given. */
export function ProcessTable({ rows, shown, now, sorting, sort, caption }: Props) {
  const direction = (column: Column) =>
    sorting?.column !== column ? undefined : sorting.down ? 'descending' : 'ascending';
  return (
    <div class="table" role="region" aria-label={t.table(caption)} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {shown.map((column) => (
              <th
                key={column}
                scope="col"
                aria-sort={direction(column)}
                class={numbers.includes(column) ? 'number' : ''}
              >
                {sort ? (
                  <button type="button" class="quiet" onClick={() => sort(column)}>
                    {t.processes.column[column]}
                    <i aria-hidden="true">{sorting?.column === column ? (sorting.down ? '▾' : '▴') : ''}</i>
                  </button>
                ) : (
                  t.processes.column[column]
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.device.uuid}/${row.partition?.uuid ?? ''}/${row.process.pid}`}>
              {shown.map((column) => (
                <Cell key={column} row={row} column={column} now={now} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
