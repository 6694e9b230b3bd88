import { useState } from 'preact/hooks';
import type { ApiConfig, ApiConfigChange, ApiMonitoring } from '../api/schema';
import { safeText } from '../format/safe_text';
import { duration } from '../format/time';
import { useAnswer, useApp, useMay, useStore } from '../hooks';
import { useAction } from '../hooks_action';
import {
  changesOf,
  memoryKeys,
  temperatureKeys,
  thresholdsOf,
  type ThresholdKey,
  type Thresholds,
} from '../model/threshold_form';
import { KeyTable } from '../parts/key_table';
import { ThresholdChart, useDay } from '../parts/threshold_chart';
import { Trouble } from '../parts/trouble';
import { t } from '../texts';

interface FieldProps {
  name: ThresholdKey;
  edited: Thresholds;
  edit(key: ThresholdKey, value: number): void;
}

function Field({ name, edited, edit }: FieldProps) {
  return (
    <label>
      {name}
      <input
        type="number"
        min={0}
        max={name.startsWith('memory') ? 100 : 150}
        step={0.5}
        required
        value={edited[name]}
        onInput={(event) =>
          Number.isFinite(event.currentTarget.valueAsNumber) && edit(name, event.currentTarget.valueAsNumber)
        }
      />
      {name.startsWith('memory') ? '%' : '°C'}
    </label>
  );
}

function ThresholdForm({ inForce, file, done }: { inForce: Thresholds; file: boolean; done(): void }) {
  const { snapshot } = useStore(useApp().live);
  const mayConfigure = useMay('configure');
  const [edits, setEdits] = useState<Partial<Thresholds>>({});
  const [uuid, setUuid] = useState<string | null>(null);
  const [save, setSave] = useState(false);
  const action = useAction<ApiConfigChange>();
  const edited: Thresholds = { ...inForce, ...edits };
  const changes = changesOf(inForce, edited);
  const device = uuid ?? snapshot?.devices[0]?.uuid ?? null;
  const history = useDay(device);
  const edit = (key: ThresholdKey, value: number): void => setEdits((before) => ({ ...before, [key]: value }));
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!(await action.run('PATCH', save ? '/api/v1/config?save=true' : '/api/v1/config', { body: changes }))) return;
    setEdits({});
    done();
  };
  const fields = (keys: readonly ThresholdKey[]) => (
    <div class="fields">
      {keys.map((key) => (
        <Field key={key} name={key} edited={edited} edit={edit} />
      ))}
    </div>
  );
  return (
    <form class="panel thresholds" onSubmit={(event) => void submit(event)}>
      <h2>{t.settings.thresholds}</h2>
      <p class="note">{mayConfigure ? t.settings.explain : t.settings.explainViewer}</p>
      {snapshot && snapshot.devices.length > 1 && (
        <label class="device">
          {t.settings.device}
          <select value={device ?? ''} onChange={(event) => setUuid(event.currentTarget.value)}>
            {snapshot.devices.map((one) => (
              <option key={one.uuid} value={one.uuid}>
                {`GPU ${one.index} ${safeText(one.name, 40)}`}
              </option>
            ))}
          </select>
        </label>
      )}
      <div class="beside">
        <div>
          <h3>{t.settings.temperature}</h3>
          {fields(temperatureKeys)}
          {device && <ThresholdChart kind="temperature" uuid={device} history={history} edited={edited} />}
        </div>
        <div>
          <h3>{t.settings.memory}</h3>
          {fields(memoryKeys)}
          {device && <ThresholdChart kind="memory" uuid={device} history={history} edited={edited} />}
        </div>
      </div>
      <Trouble refused={action.refused} />
      <div class="buttons" role="status">
        {mayConfigure && (
          <>
            <button type="submit" class="main" disabled={action.busy || Object.keys(changes).length === 0}>
              {t.settings.apply(Object.keys(changes).length)}
            </button>
            {file && (
              <label>
                <input type="checkbox" checked={save} onChange={(event) => setSave(event.currentTarget.checked)} />
                {t.settings.save}
              </label>
            )}
          </>
        )}
        <button type="button" disabled={Object.keys(changes).length === 0} onClick={() => setEdits({})}>
          {t.settings.reset}
        </button>
        {action.answer && <span>{t.settings.done(action.answer.changed.length, action.answer.saved)}</span>}
      </div>
    </form>
  );
}

function Monitoring() {
  const monitoring = useAnswer<ApiMonitoring>('/api/v1/monitoring', 0, 10_000);
  const action = useAction<ApiMonitoring>();
  const may = useMay('monitor');
  const state = monitoring.data;
  if (!state) return <Trouble refused={monitoring.trouble} />;
  const turn = async (): Promise<void> => {
    await action.run('POST', `/api/v1/monitoring/${state.monitoring ? 'stop' : 'start'}`);
    monitoring.refresh();
  };
  return (
    <section class="panel" aria-label={t.settings.monitoring}>
      <h2>{t.settings.monitoring}</h2>
      <div class="buttons">
        <span>
          {state.monitoring ? t.settings.watches(duration(state.sample_interval_seconds)) : t.settings.paused}
        </span>
        {may && (
          <button type="button" disabled={action.busy} onClick={() => void turn()}>
            {state.monitoring ? t.settings.stop : t.settings.start}
          </button>
        )}
      </div>
      <Trouble refused={action.refused} />
    </section>
  );
}

export function Settings() {
  const config = useAnswer<ApiConfig>('/api/v1/config');
  if (!config.data)
    return config.trouble ? <Trouble refused={config.trouble} /> : <p class="empty">{t.link.waiting}</p>;
  const inForce = thresholdsOf(config.data);
  return (
    <>
      <h1>{t.pages.settings}</h1>
      {inForce ? (
        <ThresholdForm inForce={inForce} file={config.data.file !== null} done={config.refresh} />
      ) : (
        <p class="note">{t.settings.noThresholds}</p>
      )}
      <Monitoring />
      <KeyTable config={config.data} />
    </>
  );
}
