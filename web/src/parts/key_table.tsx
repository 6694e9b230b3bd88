import { useState } from 'preact/hooks';
import type { ApiConfig } from '../api/schema';
import { safeText } from '../format/safe_text';
import { t } from '../texts';

const shownValue = (value: unknown): string => safeText(typeof value === 'string' ? value : JSON.stringify(value), 200);

/** Every key, its value, and who set it. */
export function KeyTable({ config }: { config: ApiConfig }) {
  const [search, setSearch] = useState('');
  const keys = config.keys.filter((key) => key.key.includes(search.trim()));
  return (
    <section aria-label={t.settings.all}>
      <h2>{t.settings.all}</h2>
      <div class="controls">
        <label>
          {t.processes.search}
          <input type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
        <span class="note">
          {config.file === null ? t.settings.noFile : t.settings.file(safeText(config.file, 200))}
        </span>
      </div>
      <div class="table" role="region" aria-label={t.table(t.settings.all)} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {t.settings.columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.key} class={key.origin === 'default' ? 'default' : ''}>
                <td>{key.key}</td>
                <td class="wide">{`${shownValue(key.value)}${key.unit ? `\u00a0${key.unit}` : ''}`}</td>
                <td>
                  {key.origin}
                  {key.place && <small>{safeText(key.place, 120)}</small>}
                </td>
                <td>{t.settings.change[key.change]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
