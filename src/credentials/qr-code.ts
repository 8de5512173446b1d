import qrcode from 'qrcode-generator';

/** A QR code as one path of an SVG: squares of side 1 in a square of side `size`, its quiet zone included. */
export interface QrCode {
  size: number;
  path: string;
}

/** Light modules around the code (ISO/IEC 18004). */
const quietZone = 4;

export function drawQrCode(text: string): QrCode {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      if (code.isDark(row, column)) path += `M${column + quietZone} ${row + quietZone}h1v1h-1z`;
    }
  }
  return { size: count + 2 * quietZone, path };
}
