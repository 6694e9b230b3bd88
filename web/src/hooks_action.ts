import { useEffect, useRef, useState } from 'preact/hooks';
import { Refused, type Method, type Options } from './api/client';
import { useApp } from './hooks';

export interface Action<T> {
  busy: boolean;
  /** What the daemon refused last; null after a success. */
  refused: Refused | null;
  /** What it answered last; null after a refusal. */
  answer: T | null;
  /** True when it was done. */
  run(method: Method, path: string, options?: Options): Promise<boolean>;
  /** Ends a request that waits: who goes leaves the queue. */
  cancel(): void;
}

/** A request that changes something, and what became of it. One at a time. */
export function useAction<T>(): Action<T> {
  const { client } = useApp();
  const [state, setState] = useState<{ busy: boolean; refused: Refused | null; answer: T | null }>({
    busy: false,
    refused: null,
    answer: null,
  });
  const aborter = useRef<AbortController | null>(null);
  useEffect(() => () => aborter.current?.abort(), []);
  const run = async (method: Method, path: string, options: Options = {}): Promise<boolean> => {
    if (aborter.current) return false;
    const mine = new AbortController();
    aborter.current = mine;
    setState({ busy: true, refused: null, answer: null });
    try {
      const answer = await client.ask<T>(method, path, { ...options, signal: mine.signal });
      setState({ busy: false, refused: null, answer: answer ?? null });
      return true;
    } catch (error) {
      if (error instanceof Refused) setState({ busy: false, refused: error, answer: null });
      else if (mine.signal.aborted) setState({ busy: false, refused: null, answer: null });
      else throw error;
      return false;
    } finally {
      aborter.current = null;
    }
  };
  return { ...state, run, cancel: () => aborter.current?.abort() };
}
