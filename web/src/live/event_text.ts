// The text of Server-Sent Events, taken apart as it comes (HTML Living Standard, 9.2.6). Read from fetch() rather than by
// EventSource, as that can send no token and does not tell why it was refused.

export interface ServerEvent {
  id: string | null;
  type: string;
  data: string;
}

/** Longer than the snapshot of a machine with hundreds of GPUs; what is longer is no event of ours. */
export const longestEvent = 32 * 1024 * 1024;

export class EventText {
  private rest = '';
  private lastId: string | null = null;
  private id: string | null = null;
  private type = '';
  private data: string[] = [];

  /** The events that `text` completes, in order. Throws where one grows beyond all bounds. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    // A chunk without an end of line is common in a large snapshot: it is only kept, not searched again.
    let from = 0;
    const all = this.rest + text;
    let scan = this.rest.length;
    for (;;) {
      const end = all.indexOf('\n', scan);
      if (end < 0) break;
      this.line(all.charAt(end - 1) === '\r' ? all.slice(from, end - 1) : all.slice(from, end), events);
      from = end + 1;
      scan = from;
    }
    this.rest = all.slice(from);
    if (this.rest.length > longestEvent) throw new Error('an event is longer than 32 MiB');
    return events;
  }

  /** The number to go on behind; null before the first. */
  get last(): string | null {
    return this.lastId;
  }

  private line(line: string, events: ServerEvent[]): void {
    if (line === '') return this.end(events);
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment, which keeps the connection open
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.data.push(value);
    if (field === 'event') this.type = value;
    if (field === 'id' && !value.includes('\0')) this.id = value;
  }

  private end(events: ServerEvent[]): void {
    if (this.id !== null) this.lastId = this.id;
    if (this.data.length > 0) {
      events.push({ id: this.id, type: this.type || 'message', data: this.data.join('\n') });
    }
    this.id = null;
    this.type = '';
    this.data = [];
  }
}
