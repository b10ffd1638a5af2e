interface Asked<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Questions that come at about the same time are answered together: whoever asks waits for a round that begins after that,
 * never for one that is under way. A round that fails fails for all who are in it.
 */
export class Rounds<K, V> {
  private readonly waiting: Asked<K, V>[] = [];
  private underWay = 0;

  /**
   * @param work answers all keys of a round, in their order
   * @param most keys of one round
   * @param loops rounds at the same time, so that one that hangs does not stop all
   */
  constructor(
    private readonly work: (keys: readonly K[]) => Promise<readonly V[]>,
    private readonly most = 1000,
    private readonly loops = 2,
  ) {}

  ask(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ key, resolve, reject });
      if (this.underWay < this.loops) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.underWay++;
    while (this.waiting.length > 0) {
      const round = this.waiting.splice(0, this.most);
      try {
        const values = await this.work(round.map(({ key }) => key));
        for (const [index, { resolve }] of round.entries()) resolve(values[index]!);
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    this.underWay--;
  }
}
