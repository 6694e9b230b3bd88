import type { Refused } from '../api/client';
import { safeText } from '../format/safe_text';

/** What the daemon refused, in its own words, a line each. */
export function Trouble({ refused, most = 20 }: { refused: Refused | null; most?: number }) {
  if (!refused) return null;
  return (
    <div class="trouble" role="alert">
      {refused.detail
        .split('\n')
        .slice(0, most)
        .map((line) => (
          <p key={line}>{safeText(line, 500)}</p>
        ))}
    </div>
  );
}
