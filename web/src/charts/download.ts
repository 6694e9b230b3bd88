// Hands a file to the person in front of the browser.

export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export interface Picture {
  title: string;
  canvas: HTMLCanvasElement;
  /** What its lines are, in their order. */
  lines: string[];
}

export interface Palette {
  ground: string;
  text: string;
  lines: string[];
}

/** The charts below each other, with their titles, as one PNG. */
export function pictureOf(heading: string, pictures: Picture[], colours: Palette): Promise<Blob> {
  const scale = devicePixelRatio;
  const line = 22 * scale;
  const sheet = document.createElement('canvas');
  sheet.width = Math.max(...pictures.map((one) => one.canvas.width));
  sheet.height = line + pictures.reduce((sum, one) => sum + line + one.canvas.height, 0);
  const context = sheet.getContext('2d')!;
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, sheet.width, sheet.height);
  /** Writes, and says where it ends. */
  const write = (text: string, x: number, y: number, css: string, bold = ''): number => {
    context.fillStyle = css;
    context.font = `${bold} ${13 * scale}px system-ui, sans-serif`;
    context.fillText(text, x, y + 15 * scale);
    return x + context.measureText(text).width + 12 * scale;
  };
  write(heading, 8 * scale, 0, colours.text, 'bold');
  let y = line;
  for (const { title, canvas, lines } of pictures) {
    let x = write(title, 8 * scale, y, colours.text, 'bold');
    lines.forEach((name, i) => (x = write(name, x, y, colours.lines[i % colours.lines.length]!)));
    context.drawImage(canvas, 0, y + line);
    y += line + canvas.height;
  }
  return new Promise((resolve, reject) => {
    sheet.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser makes no PNG'))), 'image/png');
  });
}
