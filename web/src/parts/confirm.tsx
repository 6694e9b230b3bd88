import { useRef } from 'preact/hooks';
import { t } from '../texts';

interface Props {
  /** Of the button. */
  label: string;
  /** What will happen, as a question. */
  question: string;
  danger?: boolean;
  disabled?: boolean;
  go(): void;
}

/** A button whose deed cannot be undone: it is asked for twice. */
export function Confirm({ label, question, danger = true, disabled = false, go }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} aria-label={label}>
        <form method="dialog" class="confirm panel">
          <p>{question}</p>
          <div class="buttons">
            <button type="submit">{t.confirm.no}</button>
            <button type="submit" class={danger ? 'danger' : 'main'} onClick={go}>
              {label}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
