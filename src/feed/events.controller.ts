import { Controller, Get, Headers, Query, Req, Res, StreamableFile, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiKeyGuard, callerOf } from '../platform/api-key.guard.js';
import { showCursor, startOf } from './cursor.js';
import { EVENT_LIST, eventsAnswer, eventsWanted } from './feed-bodies.js';
import { pictureOf } from './frame.js';
import { FeedReading } from './reading.service.js';
import { StreamsWorker } from './streams.worker.js';

const STREAM = 'text/event-stream';

/** The feed of changes, in pages and as a stream. */
@ApiTags('Events')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/events')
export class EventsController {
  constructor(
    private readonly reading: FeedReading,
    private readonly streams: StreamsWorker,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'What changed, in order',
    description:
      'In pages, or with `Accept: text/event-stream` as server-sent events without end, each with its cursor as `id`. ' +
      `Every event is told in the order of its position, once, for as long as it is kept.\n\n${EVENT_LIST}`,
  })
  @ApiQuery({
    name: 'after',
    required: false,
    description: 'A cursor, `oldest` (the default) or `latest`; 410 for one that cannot be gone on from',
  })
  @ApiQuery({ name: 'limit', required: false, description: 'How many events are looked at: 1 to 500, usually 100' })
  @ApiQuery({ name: 'types', required: false, description: 'Types, or kinds such as `group.*`, separated by commas' })
  @ApiQuery({ name: 'group', required: false, description: 'Only what concerns the group with this OCM Address' })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'For streams: counts before `after`' })
  @ApiOkResponse({ standardSchema: eventsAnswer })
  async read(
    @Query({ schema: eventsWanted }) { after, limit, types, group }: z.output<typeof eventsWanted>,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof eventsAnswer> | StreamableFile> {
    const filter = { ...(types && { types }), ...(group && { group }) };
    void reply.header('cache-control', 'no-store');
    if (accept?.toLowerCase().includes(STREAM) === true) {
      const cursor = await this.reading.begin(startOf(lastEventId || after));
      const stream = this.streams.begin(callerOf(request)?.id ?? '', cursor, filter);
      // Proxies would gather it.
      void reply.header('x-accel-buffering', 'no');
      return new StreamableFile(stream, { type: STREAM });
    }
    const cursor = await this.reading.begin(startOf(after));
    const { events, upTo, full } = await this.reading.after(cursor, filter, limit);
    return { events: events.map(pictureOf), next: showCursor(upTo), more: full };
  }
}
