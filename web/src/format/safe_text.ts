// Names of processes, services and containers may hold anything. Preact escapes markup; this takes out what would still
// deceive: control characters, marks that turn the direction of text, letters without width, and endless length.

// eslint-disable-next-line no-control-regex
const hidden =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff]/g;

/** `text` as one harmless line of at most `most` characters; what cannot be seen becomes "�". */
export function safeText(text: string | null | undefined, most = 80): string {
  if (text === null || text === undefined) return '';
  // Cut first: a name of a megabyte is not searched through. Lone surrogates are no characters.
  const letters = Array.from(text.slice(0, 4 * most));
  const shown = letters
    .slice(0, most)
    .map((letter) => (/^[\ud800-\udfff]$/.test(letter) ? '\ufffd' : letter))
    .join('');
  const clean = shown.replace(/[\t\n\r]+/g, ' ').replace(hidden, '\ufffd');
  return letters.length > most ? `${clean}…` : clean;
}
