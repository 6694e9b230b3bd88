// The style sheet's colours, for what is painted on a canvas.

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Of the lines of a chart, in their order; they differ in brightness, too. */
export const lineColours = (): string[] => ['line-0', 'line-1', 'line-2', 'line-3'].map(colour);

/** Tells when the page turned light or dark. */
export function onThemeChange(listener: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', listener);
  addEventListener('themechange', listener);
  return () => {
    media.removeEventListener('change', listener);
    removeEventListener('themechange', listener);
  };
}
