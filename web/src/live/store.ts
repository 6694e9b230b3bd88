// A value that changes, and who shows it. Listeners are told once a frame at most, and not at all while nobody looks.

export class Store<T> {
  private readonly listeners = new Set<() => void>();
  private scheduled = false;

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(next: T): void {
    if (Object.is(next, this.current)) return;
    this.current = next;
    this.schedule();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden page draws no frames: it hears of it all at once when it is looked at again.
    const later =
      typeof requestAnimationFrame === 'function' ? requestAnimationFrame : (f: () => void) => setTimeout(f);
    later(() => {
      this.scheduled = false;
      for (const listener of [...this.listeners]) listener();
    });
  }
}
