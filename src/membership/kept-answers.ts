interface Kept {
  readonly value: unknown;
  readonly weight: number;
  readonly tags: readonly string[];
}

/**
 * Answers by their questions, as many as weigh no more than the limit together; what was not asked for longest goes first.
 * Each has tags, of which one is enough to drop it.
 */
export class KeptAnswers {
  /** In the order in which they were last asked for. */
  private readonly kept = new Map<string, Kept>();
  private readonly tagged = new Map<string, Set<string>>();
  private total = 0;

  constructor(private readonly limit: number) {}

  /** What is kept weighs so much. */
  get weight(): number {
    return this.total;
  }

  has(key: string): boolean {
    return this.kept.has(key);
  }

  get(key: string): unknown {
    const found = this.kept.get(key);
    if (!found) return undefined;
    this.kept.delete(key);
    this.kept.set(key, found);
    return found.value;
  }

  /** Not kept when it weighs more than the limit by itself. */
  put(key: string, kept: Kept): void {
    this.remove(key);
    if (kept.weight > this.limit) return;
    this.kept.set(key, kept);
    this.total += kept.weight;
    for (const tag of kept.tags) {
      const keys = this.tagged.get(tag);
      if (keys) keys.add(key);
      else this.tagged.set(tag, new Set([key]));
    }
    for (const oldest of this.kept.keys()) {
      if (this.total <= this.limit) break;
      this.remove(oldest);
    }
  }

  /** Forgets all that has the tag. */
  drop(tag: string): void {
    for (const key of this.tagged.get(tag) ?? []) this.remove(key);
  }

  clear(): void {
    this.kept.clear();
    this.tagged.clear();
    this.total = 0;
  }

  private remove(key: string): void {
    const found = this.kept.get(key);
    if (!found) return;
    this.kept.delete(key);
    this.total -= found.weight;
    for (const tag of found.tags) {
      const keys = this.tagged.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.tagged.delete(tag);
    }
  }
}
