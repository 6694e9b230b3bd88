// The last so many numbers, in memory that does not grow.

export class Ring {
  private readonly values: Float64Array;
  private begin = 0;
  private count = 0;

  constructor(readonly capacity: number) {
    this.values = new Float64Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** Keeps `value`, and forgets the oldest where it is full. */
  push(value: number): void {
    this.values[(this.begin + this.count) % this.capacity] = value;
    if (this.count < this.capacity) this.count += 1;
    else this.begin = (this.begin + 1) % this.capacity;
  }

  /** The value at `index`, 0 the oldest; NaN beyond its ends. */
  at(index: number): number {
    if (index < 0 || index >= this.count) return NaN;
    return this.values[(this.begin + index) % this.capacity]!;
  }

  last(): number {
    return this.at(this.count - 1);
  }

  clear(): void {
    this.begin = 0;
    this.count = 0;
  }
}
