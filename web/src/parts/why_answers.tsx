import type { Why } from '../api/schema';
import { safeText } from '../format/safe_text';
import { useAnswer } from '../hooks';
import { t } from '../texts';

/** Why a GPU is loud, slow, hot, busy or full, in the daemon's sentences. */
export function WhyAnswers({ uuid }: { uuid: string }) {
  const why = useAnswer<Why>(`/api/v1/why?device=${encodeURIComponent(uuid)}`, 0, 5_000);
  const answers = why.data?.devices[0]?.answers ?? [];
  return (
    <section class="panel why" aria-label={t.why.title}>
      <h2>{t.why.title}</h2>
      {why.trouble && <p class="trouble">{why.trouble.detail}</p>}
      <dl>
        {answers.map((answer) => (
          <div key={answer.topic} class={`tone-${answer.tone}`}>
            <dt>{t.why.topic[answer.topic]}</dt>
            <dd>
              {safeText(answer.verdict, 600)}
              {[...answer.evidence, ...answer.other_causes].map((line) => (
                <small key={line}>{safeText(line, 400)}</small>
              ))}
              {answer.advice.map((line) => (
                <small key={line} class="advice">
                  {safeText(line, 400)}
                </small>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
