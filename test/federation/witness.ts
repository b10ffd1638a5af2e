import type { Person } from '../support/cast.js';
import type { World } from '../support/world.js';
import type { StoredFile } from './stored-file.js';

/** What is told of each step: what went over the wire, how each server stands, and what its user can open. */
export class Witness {
  readonly rows: { token: string; outcomes: string[] }[] = [];
  private told = 0;

  constructor(
    private readonly world: World,
    private readonly group: string,
    /** One of each server. */
    private readonly people: readonly Person[],
    private readonly file: StoredFile,
  ) {
    this.told = world.network.exchanges.length;
  }

  get columns(): string[] {
    return ['messages', ...this.people.map(({ address }) => address)];
  }

  /** One more step has been taken. */
  async notes(step: string): Promise<void> {
    const outcomes = [this.messages()];
    for (const person of this.people) outcomes.push(await this.view(person));
    // What was asked for by looking is not part of the story.
    this.told = this.world.network.exchanges.length;
    this.rows.push({ token: step, outcomes });
  }

  private messages(): string {
    const counts = new Map<string, number>();
    for (const { from, to, what, outcome } of this.world.network.exchanges.slice(this.told)) {
      if (what.startsWith('/.well-known/') || what.endsWith('/jwks')) continue;
      const line = `${letter(from)} to ${letter(to)}: ${what.replace(/\?.*$/, '')} ${outcome}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    const lines = [...counts].map(([line, count]) => (count > 1 ? `${line} (${count} times)` : line));
    return lines.sort().join('; ') || 'none';
  }

  private async view(person: Person): Promise<string> {
    const server = this.world.server(person.address.split('@')[1]!);
    if (!server.isAlive) return 'is down';
    const { epoch, state, members } = await person.sees(this.group);
    const seen: string[] = [];
    for (const { name } of await person.receives()) {
      const opened = await person.open(name);
      const reads = name === this.file.name && typeof opened === 'object' ? await this.file.readBy(person) : 'secret';
      const how = typeof opened === 'string' ? opened : reads;
      seen.push(how === 'secret' ? name : `${name} (${how})`);
    }
    return `epoch ${epoch}, ${state}, ${members.length} members; opens ${seen.sort().join(', ')}`;
  }
}

const letter = (host: string): string => host.split('.')[0]!;
