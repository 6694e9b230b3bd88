import { render } from 'preact';
import { App } from './app';
import { AppState } from './app_state';
import { Client } from './api/client';
import { AppContext } from './hooks';
import { applyTheme } from './theme';
import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/overview.css';
import './styles/charts.css';
import './styles/pages.css';
import './styles/print.css';

function storage(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null; // a browser that keeps nothing: the token is asked for again
  }
}

const state = new AppState(new Client(), storage());
applyTheme();
state.start();
render(
  <AppContext.Provider value={state}>
    <App />
  </AppContext.Provider>,
  document.getElementById('app')!,
);
