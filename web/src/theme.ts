// Light or dark: as the computer has it, unless this browser was told otherwise.

export type Theme = 'auto' | 'light' | 'dark';
const place = 'gpukeeper.theme';
const themes: Theme[] = ['auto', 'light', 'dark'];

export function chosenTheme(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(place)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

export function applyTheme(theme: Theme = chosenTheme()): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(place, theme);
  } catch {
    // it holds until the page is left
  }
  applyTheme(theme);
  dispatchEvent(new Event('themechange'));
}

export const nextTheme = (theme: Theme): Theme => themes[(themes.indexOf(theme) + 1) % themes.length]!;
