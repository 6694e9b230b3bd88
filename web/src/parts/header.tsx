import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp, useStore } from '../hooks';
import { safeText } from '../format/safe_text';
import { wantsAttention } from '../model/alerts';
import { linkTo, pages, type Place } from '../router';
import { chooseTheme, chosenTheme, nextTheme } from '../theme';
import { t } from '../texts';
import { Lamp } from './lamp';
import { LinkBadge } from './link_badge';
import { Origin } from './origin';
import { SignInButton } from './sign_in';

function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme());
  const turn = (): void => {
    const next = nextTheme(theme);
    chooseTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" class="quiet" onClick={turn} title={t.shell.theme[theme]} aria-label={t.shell.theme[theme]}>
      {theme === 'auto' ? '◐' : theme === 'light' ? '○' : '●'}
    </button>
  );
}

function Machine() {
  const { snapshot } = useStore(useApp().live);
  if (!snapshot) return null;
  const origin = {
    simulated: snapshot.devices.some((device) => device.simulated),
    recorded: snapshot.devices.some((device) => device.recorded),
  };
  return (
    <span class="machine">
      <Lamp lamp={snapshot.lamp} word />
      <span class="host">{safeText(snapshot.host, 40)}</span>
      <Origin of={origin} />
    </span>
  );
}

export function Header({ place }: { place: Place }) {
  const live = useStore(useApp().live);
  const firing = live.snapshot?.alerts.filter(wantsAttention) ?? [];
  const current = place.page === 'gpu' ? 'overview' : place.page;
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the pages scroll sideways.
    const link = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && link) nav.current.scrollLeft = link.offsetLeft - nav.current.clientWidth / 2;
  }, [current]);
  return (
    <header class="shell">
      <a class="mark" href={linkTo('overview')}>
        gpukeeper
      </a>
      <Machine />
      <nav aria-label={t.shell.pages} ref={nav}>
        {pages
          .filter((page) => page !== 'gpu')
          .map((page) => (
            <a key={page} href={linkTo(page)} aria-current={page === current ? 'page' : undefined}>
              {t.pages[page]}
              {page === 'alerts' && firing.length > 0 && (
                <span class={`count ${firing.some((alert) => alert.level === 'critical') ? 'critical' : ''}`}>
                  {firing.length}
                </span>
              )}
            </a>
          ))}
      </nav>
      <span class="tools">
        <LinkBadge />
        <SignInButton />
        <ThemeButton />
      </span>
    </header>
  );
}
