/** Lets one look at a time. Who came before a look that found nothing began need not look again. */
export class Turnstile {
  private tickets = 0;
  private foundNothingFor = 0;
  private queue: Promise<unknown> = Promise.resolve();

  pass<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    const ticket = ++this.tickets;
    const passed = this.queue.then(() => this.through(ticket, look));
    this.queue = passed.catch(() => undefined);
    return passed;
  }

  private async through<T>(ticket: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
    if (ticket <= this.foundNothingFor) return undefined;
    const servedAlong = this.tickets;
    const found = await look();
    if (found === undefined) this.foundNothingFor = servedAlong;
    return found;
  }
}
