import { useRef, useState } from 'preact/hooks';
import { Refused } from '../api/client';
import { useApp, useStore } from '../hooks';
import { safeText } from '../format/safe_text';
import { t } from '../texts';

/** Asks for a token, and says what the daemon says of it. */
export function SignIn({ done }: { done?: () => void }) {
  const app = useApp();
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const go = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await app.session.signIn(token);
      app.reconnect();
      done?.();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setTrouble(error.detail);
    }
  };
  return (
    <form class="sign-in panel" onSubmit={(event) => void go(event)}>
      <h2>{t.signIn.title}</h2>
      <p>{t.signIn.explain}</p>
      <label>
        {t.signIn.token}
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      {trouble && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <p class="note">{t.signIn.kept}</p>
      <button type="submit" class="main">
        {t.signIn.go}
      </button>
    </form>
  );
}

/** Who is signed in; a way to be somebody else. */
export function SignInButton() {
  const app = useApp();
  const session = useStore(app.session.session);
  const dialog = useRef<HTMLDialogElement>(null);
  if (!session.known) return null;
  const signOut = async (): Promise<void> => {
    await app.session.signOut().catch(() => undefined);
    app.reconnect();
  };
  return (
    <>
      <span class="who" title={session.name ? safeText(session.name, 80) : undefined}>
        {t.shell.role[session.role]}
      </span>
      {app.session.hasToken ? (
        <button type="button" class="quiet" onClick={() => void signOut()}>
          {t.shell.signOut}
        </button>
      ) : (
        <button type="button" class="quiet" onClick={() => dialog.current?.showModal()}>
          {t.shell.signIn}
        </button>
      )}
      <dialog ref={dialog} aria-label={t.signIn.title}>
        <SignIn done={() => dialog.current?.close()} />
      </dialog>
    </>
  );
}
