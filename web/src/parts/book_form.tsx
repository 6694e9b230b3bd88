import { useState } from 'preact/hooks';
import type { LeasesLeaseDocument } from '../api/schema';
import { useApp, useStore } from '../hooks';
import { useAction } from '../hooks_action';
import { safeText } from '../format/safe_text';
import { emptyForm, leaseRequest, type FormProblem, type LeaseForm } from '../model/lease_request';
import { t } from '../texts';
import { Refusal } from './refusal';
import { Trouble } from './trouble';

/** Books memory. What is refused says what stands in the way. */
export function BookForm({ done }: { done(): void }) {
  const { snapshot } = useStore(useApp().live);
  const session = useStore(useApp().session.session);
  const [form, setForm] = useState<LeaseForm>({ ...emptyForm, service: session.service ?? '' });
  const [problem, setProblem] = useState<FormProblem | null>(null);
  const action = useAction<LeasesLeaseDocument>();
  const field = (name: keyof LeaseForm, more: object = {}) => (
    <label>
      {t.book[name]}
      <input
        name={name}
        value={form[name]}
        aria-invalid={problem === name}
        onInput={(event) => setForm({ ...form, [name]: event.currentTarget.value })}
        {...more}
      />
    </label>
  );
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const made = leaseRequest(form);
    setProblem('problem' in made ? made.problem : null);
    if ('problem' in made) return;
    // A lost answer does not book twice: asked again with the same key, the same lease is answered.
    const headers = { 'Idempotency-Key': crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
    // A request that waits is shown in the queue; no event tells that it came.
    if (made.request.wait_seconds) setTimeout(done, 300);
    if (await action.run('POST', '/api/v1/leases', { body: made.request, headers })) done();
  };
  const lease = action.answer?.leases[0];
  return (
    <form class="panel book" onSubmit={(event) => void submit(event)}>
      <h2>{t.book.title}</h2>
      <div class="fields">
        {field('service', { required: true, readOnly: session.service !== null })}
        {field('size', { required: true, placeholder: '16 GiB' })}
        {field('most', { placeholder: t.book.same })}
        <label>
          {t.book.device}
          <select value={form.device} onChange={(event) => setForm({ ...form, device: event.currentTarget.value })}>
            <option value="">{t.book.anyDevice}</option>
            {snapshot?.devices.map((device) => (
              <option key={device.uuid} value={device.uuid}>
                {`GPU ${device.index} ${safeText(device.name, 30)}`}
              </option>
            ))}
          </select>
        </label>
        {field('name')}
        {field('wait', { inputMode: 'numeric' })}
        {field('lifetime', { inputMode: 'numeric', placeholder: t.book.forever })}
      </div>
      {problem && (
        <p class="trouble" role="alert">
          {t.book.problem[problem]}
        </p>
      )}
      {/* GPU by GPU it stands below, with sizes as the page writes them. */}
      <Trouble refused={action.refused} most={action.refused?.refusal?.devices.length ? 1 : 20} />
      {action.refused?.refusal && <Refusal refusal={action.refused.refusal} />}
      <div class="buttons" role="status">
        <button type="submit" class="main" disabled={action.busy}>
          {t.book.go}
        </button>
        {action.busy && (
          <>
            <span>{t.book.waiting}</span>
            <button type="button" onClick={() => (action.cancel(), setTimeout(done, 300))}>
              {t.book.cancel}
            </button>
          </>
        )}
        {lease && <span>{t.book.granted(lease.id, lease.index)}</span>}
      </div>
    </form>
  );
}
