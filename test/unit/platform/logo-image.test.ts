import { expect } from 'chai';
import { mostLogoBytes, readLogo } from '../../../src/platform/schemas/logo-image.js';
import { jpegOf, pngOf, webp } from '../../support/pictures.js';

const problemOf = (bytes: Uint8Array): string => (readLogo(bytes) as { problem: string }).problem;

describe('a logo', () => {
  it('is a PNG, JPEG or WebP, known by its bytes', () => {
    expect(readLogo(pngOf(120, 40))).to.deep.equal({ type: 'image/png', width: 120, height: 40 });
    expect(readLogo(jpegOf(64, 32))).to.deep.equal({ type: 'image/jpeg', width: 64, height: 32 });
    expect(readLogo(webp)).to.deep.equal({ type: 'image/webp', width: 1, height: 1 });
  });

  it('sec-027 is nothing that could run or fetch', () => {
    for (const text of [
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
      '<?xml version="1.0"?><svg/>',
      '<!doctype html><script>alert(1)</script>',
      'GIF89a<script>alert(1)</script>',
      '%PDF-1.7',
      'RIFF\0\0\0\0WAVE',
      '',
    ])
      expect(problemOf(Buffer.from(text, 'latin1')), text).to.equal('is no PNG, JPEG or WebP');
  });

  it('is whole as far as its size is concerned', () => {
    expect(problemOf(pngOf(8, 8).subarray(0, 16))).to.equal('cannot be read');
    expect(problemOf(Buffer.from('ffd8ffe000', 'hex'))).to.equal('cannot be read');
    expect(problemOf(webp.subarray(0, 14))).to.equal('cannot be read');
  });

  it('is small, in bytes and in pixels', () => {
    expect(problemOf(Buffer.alloc(mostLogoBytes + 1))).to.equal('has 32769 bytes, and may have 32768');
    expect(problemOf(pngOf(1025, 1))).to.equal('has 1025 × 1 pixels, and may have 1024 each way');
    expect(problemOf(jpegOf(1, 65_535))).to.contain('65535');
    const empty = pngOf(8, 8);
    empty.writeUInt32BE(0, 16);
    expect(problemOf(empty)).to.contain('0 × 8 pixels');
  });
});
