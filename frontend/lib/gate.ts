/** Keeps a crowd of equal questions from becoming a crowd of child processes. */

/** Too many different questions are waiting already. */
export class Busy extends Error {}

interface Remembered<T> {
  value: T;
  until: number;
}

export interface GateLimits {
  /** How long an answer is given again without asking anew, ms. */
  remember: number;
  /** How many different questions may wait for their turn. */
  queue: number;
  /** How many answers are kept. */
  answers: number;
}

/**
 * Asks one question at a time. Equal keys share the one answer that is under way or was given a moment ago;
 * other keys wait in a bounded queue.
 */
export class Gate<T> {
  private readonly underWay = new Map<string, Promise<T>>();
  private readonly remembered = new Map<string, Remembered<T>>();
  private turn: Promise<unknown> = Promise.resolve();
  private generation = 0;

  constructor(private readonly limits: GateLimits) {}

  /** The answer that needs no new question, if there is one. */
  shared(key: string): Promise<T> | null {
    const answer = this.remembered.get(key);
    if (answer && answer.until > performance.now()) return Promise.resolve(answer.value);
    return this.underWay.get(key) ?? null;
  }

  /** Asks `question` unless its answer can be shared. Throws Busy when the queue is full. */
  ask(key: string, question: () => Promise<T>): Promise<T> {
    const shared = this.shared(key);
    if (shared) return shared;
    if (this.underWay.size > this.limits.queue) throw new Busy("too many requests are waiting");
    const { generation } = this;
    const answer = this.turn.then(question).then((value) => this.keep(key, value, generation));
    const settled = answer.finally(() => this.underWay.get(key) === settled && this.underWay.delete(key));
    this.turn = settled.catch(() => undefined);
    this.underWay.set(key, settled);
    return settled;
  }

  /** Something has changed: answers given or under way are not shared with who asks from now on. */
  forget(): void {
    this.generation += 1;
    this.remembered.clear();
    this.underWay.clear();
  }

  private keep(key: string, value: T, generation: number): T {
    if (generation !== this.generation) return value;
    this.remembered.delete(key);
    this.remembered.set(key, { value, until: performance.now() + this.limits.remember });
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= this.limits.answers) break;
      this.remembered.delete(oldest);
    }
    return value;
  }
}
