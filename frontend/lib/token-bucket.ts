/** A rate limit: `burst` at once, then one every `refillMs`. */
export class TokenBucket {
  private level: number;
  private at: number;

  constructor(
    private readonly burst: number,
    private readonly refillMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.level = burst;
    this.at = now();
  }

  /** Takes one token: 0 if there was one, otherwise the seconds to wait for the next. */
  take(): number {
    const now = this.now();
    this.level = Math.min(this.burst, this.level + (now - this.at) / this.refillMs);
    this.at = now;
    if (this.level < 1) return Math.ceil(((1 - this.level) * this.refillMs) / 1000);
    this.level -= 1;
    return 0;
  }
}
