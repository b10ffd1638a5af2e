import { Readable } from 'node:stream';
import { Controller, Get, Query, StreamableFile, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ApiKeyGuard } from './api-key.guard.js';
import { AUDIT_ACTS } from './audit-entry.js';
import { AuditService } from './audit.service.js';

const LINES = 'application/jsonl';

const wanted = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  group: z.string().min(1).max(1024).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
});

const acts = Object.entries(AUDIT_ACTS).map(([act, says]) => `- \`${act}\`: ${says}`);

@ApiTags('Audit')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @ApiOperation({
    summary: 'Export the audit log as JSON lines, oldest first',
    description: `Only what can no longer be overtaken is told, so asking again after the last \`number\` misses nothing.\n\n${acts.join('\n')}`,
  })
  @ApiQuery({ name: 'after', required: false, description: 'Only entries with a higher number', example: 0 })
  @ApiQuery({ name: 'group', required: false, description: 'Only what concerns the group with this OCM Address' })
  @ApiQuery({ name: 'since', required: false, description: 'Only entries of this time or later (ISO 8601)' })
  @ApiProduces(LINES)
  @ApiOkResponse({ description: 'One entry a line.', schema: { type: 'string', format: 'binary' } })
  export(@Query({ schema: wanted }) { after, group, since }: z.output<typeof wanted>): StreamableFile {
    const filter = { ...(group && { group }), ...(since && { since: new Date(since) }) };
    return new StreamableFile(Readable.from(this.audit.export(after, filter)), { type: LINES });
  }
}
