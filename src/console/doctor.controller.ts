import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { hostField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { doctorAnswer } from './doctor-answers.js';
import { DoctorService } from './doctor.service.js';

const asked = z.strictObject({ peer: hostField.optional() });

@ApiTags('Doctor')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/doctor')
export class DoctorController {
  constructor(private readonly doctor: DoctorService) {}

  @Get()
  @ApiOperation({
    summary: 'Look at this server as others do',
    description:
      'Reads our own discovery document and keys over the network, asks other servers whether they accept our signature and what time it is there, and counts what lacks or stands still. With `peer`, only that server is asked.',
  })
  @ApiOkResponse({ standardSchema: doctorAnswer })
  async examine(@Query({ schema: asked }) { peer }: z.output<typeof asked>): Promise<z.input<typeof doctorAnswer>> {
    return { checks: await this.doctor.examine(peer) };
  }
}
