import { useEffect, useRef } from 'preact/hooks';
import { useApp, useStore } from './hooks';
import { usePlace, type Place } from './router';
import { t } from './texts';
import { Header } from './parts/header';
import { SignIn } from './parts/sign_in';
import { About } from './pages/about';
import { Alerts } from './pages/alerts';
import { Gpu } from './pages/gpu';
import { Leases } from './pages/leases';
import { Optimize } from './pages/optimize';
import { Overview } from './pages/overview';
import { Processes } from './pages/processes';
import { Settings } from './pages/settings';

function PageOf({ place }: { place: Place }) {
  switch (place.page) {
    case 'gpu':
      return <Gpu uuid={place.device ?? ''} />;
    case 'processes':
      return <Processes />;
    case 'leases':
      return <Leases />;
    case 'alerts':
      return <Alerts />;
    case 'optimize':
      return <Optimize />;
    case 'settings':
      return <Settings />;
    case 'about':
      return <About />;
    case 'overview':
      return <Overview />;
  }
}

export function App() {
  const app = useApp();
  const place = usePlace();
  const live = useStore(app.live);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${t.pages[place.page]} – gpukeeper`;
    // Who follows a link with the keyboard or a reader goes on in the page that it leads to.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
    scrollTo(0, 0);
  }, [place.page, place.device]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        {t.shell.skip}
      </a>
      <Header place={place} />
      <main id="main" tabIndex={-1} ref={main}>
        {live.needsToken ? <SignIn /> : <PageOf place={place} />}
      </main>
    </>
  );
}
