import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Host, ocmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { Peer } from '../ocm/peer.decorator.js';
import { SignatureGuard, SignedAnswer, SignedBy } from '../ocm/signature.guard.js';
import { keyPackageAnswer } from './key-package-answer.js';
import { KeyPackagesService } from './key-packages.service.js';

/** `GET {endPoint}/mls-key-packages?userId=...`, signed both ways. OCM-MLS, D-06 */
@ApiExcludeController()
@UseGuards(SignatureGuard)
@SignedBy('keyid')
@Controller('ocm/mls-key-packages')
export class KeyPackagesController {
  constructor(private readonly keyPackages: KeyPackagesService) {}

  @Get()
  @SignedAnswer()
  async handOut(@Peer() from: Host, @Query('userId') userId: unknown): Promise<ReturnType<typeof keyPackageAnswer>> {
    if (typeof userId !== 'string') throw new Fault('request.malformed', { reason: 'userId is needed, once' });
    const address = ocmAddress(userId);
    const out = await this.keyPackages.handOut(address, from);
    switch (out.kind) {
      case 'given':
        return keyPackageAnswer(address, out.keyPackage);
      case 'limited':
        throw new Fault('key-package.limited', { retryAfter: Math.ceil(out.waitMs / 1000) });
      case 'none':
        throw new Fault('key-package.none');
    }
  }
}
