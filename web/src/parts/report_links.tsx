import { useState } from 'preact/hooks';
import type { ApiIndex } from '../api/schema';
import { Refused } from '../api/client';
import { fileName } from '../charts/csv';
import { download } from '../charts/download';
import { useAnswer, useApp, useStore } from '../hooks';
import { t } from '../texts';
import { Trouble } from './trouble';

const days = [1, 7, 30] as const;

/** Reports of the last days. A link cannot send a token: with one the report is fetched, and saved as a file. */
export function ReportLinks() {
  const app = useApp();
  useStore(app.session.session); // a token came or went
  const [refused, setRefused] = useState<Refused | null>(null);
  const index = useAnswer<ApiIndex>('/');
  if (!index.data?.routes.some((one) => one.route.includes('/api/v1/report'))) return null;
  const offset = -60 * new Date().getTimezoneOffset();
  const path = (span: number): string => `/api/v1/report?format=html&since=${span}d&utc_offset=${offset}`;
  const save = async (span: number): Promise<void> => {
    setRefused(null);
    try {
      const response = await app.client.open(path(span), { Accept: 'text/html' }, new AbortController().signal);
      download(fileName(['gpukeeper-report', `${span}d`], 'html'), await response.blob());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setRefused(error);
    }
  };
  return (
    <section class="panel" aria-label={t.report.title}>
      <h2>{t.report.title}</h2>
      <p class="note">{t.report.explain}</p>
      <div class="buttons">
        {days.map((span) =>
          app.session.hasToken ? (
            <button key={span} type="button" onClick={() => void save(span)}>
              {t.report.days(span)}
            </button>
          ) : (
            <a key={span} href={path(span)} target="_blank" rel="noreferrer">
              {t.report.days(span)}
            </a>
          ),
        )}
      </div>
      <Trouble refused={refused} />
    </section>
  );
}
