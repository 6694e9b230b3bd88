import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { AppState } from './app_state';
import { Refused } from './api/client';
import type { Store } from './live/store';
import { may, type Action } from './model/roles';

export const AppContext = createContext<AppState>(null as unknown as AppState);

export const useApp = (): AppState => useContext(AppContext);

/** The value of a store, and a new look at each change. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    setValue(store.value);
    return store.subscribe(() => setValue(store.value));
  }, [store]);
  return value;
}

/** Whether who is signed in may do that. */
export function useMay(action: Action): boolean {
  return may(useStore(useApp().session.session).role, action);
}

/** The time now, told every `period` milliseconds. */
export function useNow(period = 1000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), period);
    return () => clearInterval(timer);
  }, [period]);
  return now;
}

export interface Answer<T> {
  data: T | null;
  /** Why there is nothing newer than `data`. */
  trouble: Refused | null;
  at: number;
  refresh(): void;
}

/** After how many milliseconds somebody asks again who was told "not now". */
const notNow = 2_000;

/**
 * What the daemon answers at `path`: asked at once, whenever `key` changes and, where `period` is given, that often while
 * the page is looked at. A refusal keeps what was known, with its age; another path forgets it. One that says "not now" (503:
 * the daemon is busy with other questions) is asked again soon, as nothing else would.
 */
export function useAnswer<T>(path: string | null, key: unknown = 0, period: number | null = null): Answer<T> {
  const { client } = useApp();
  const [answer, setAnswer] = useState<{ data: T | null; trouble: Refused | null; at: number; path: string | null }>({
    data: null,
    trouble: null,
    at: 0,
    path: null,
  });
  const [asked, setAsked] = useState(0);
  const latest = useRef(0);
  useEffect(() => {
    if (path === null) return;
    const aborter = new AbortController();
    const number = (latest.current += 1);
    const settle = (data: T | null, trouble: Refused | null): void => {
      if (latest.current !== number || aborter.signal.aborted) return;
      setAnswer((before) => {
        const kept = before.path === path ? before : { data: null, at: 0 };
        return { data: data ?? kept.data, trouble, at: data === null ? kept.at : Date.now(), path };
      });
    };
    let again: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        settle(await client.get<T>(path, aborter.signal), null);
      } catch (error) {
        if (aborter.signal.aborted) return;
        if (!(error instanceof Refused)) throw error;
        settle(null, error);
        clearTimeout(again); // one at a time, whoever was refused
        if (error.status === 503) again = setTimeout(() => void ask(), notNow);
      }
    };
    void ask();
    const timer = period === null ? undefined : setInterval(() => !document.hidden && void ask(), period);
    return () => {
      aborter.abort();
      clearInterval(timer);
      clearTimeout(again);
    };
  }, [client, path, key, period, asked]);
  const fits = answer.path === path;
  return {
    data: fits ? answer.data : null,
    trouble: fits ? answer.trouble : null,
    at: fits ? answer.at : 0,
    refresh: () => setAsked((n) => n + 1),
  };
}
