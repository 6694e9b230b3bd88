// The page shown, by the path of the address. The daemon answers each of these paths with the same page.
import { useEffect, useState } from 'preact/hooks';

export const pages = ['overview', 'gpu', 'processes', 'leases', 'alerts', 'optimize', 'settings', 'about'] as const;
export type Page = (typeof pages)[number];

export interface Place {
  page: Page;
  /** Of a GPU page: which. */
  device: string | null;
}

export function placeOf(path: string): Place {
  const [page = '', device = ''] = path.replace(/^\//, '').split('/');
  if (page === 'gpu' && device) return { page, device: decode(device) };
  const known = pages.find((one) => one === page && one !== 'gpu');
  return { page: known ?? 'overview', device: null };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a "%" that somebody typed
  }
}

export function linkTo(page: Page, device?: string): string {
  if (page === 'overview') return '/';
  return device === undefined ? `/${page}` : `/${page}/${encodeURIComponent(device)}`;
}

/** Shows another page without loading anything. */
export function goTo(path: string): void {
  history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Whether a click on a link is one that this page follows itself: plain, and to a page of its own. */
export function followed(event: MouseEvent): string | null {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  ) {
    return null;
  }
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin || link.hash)
    return null;
  const place = placeOf(link.pathname);
  const isPage = link.pathname === '/' || place.page !== 'overview';
  return isPage ? link.pathname : null;
}

export function usePlace(): Place {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const follow = (): void => setPath(location.pathname);
    const click = (event: MouseEvent): void => {
      const to = followed(event);
      if (to === null) return;
      event.preventDefault();
      goTo(to);
    };
    addEventListener('popstate', follow);
    addEventListener('click', click);
    return () => {
      removeEventListener('popstate', follow);
      removeEventListener('click', click);
    };
  }, []);
  return placeOf(path);
}
