// What the page costs, each figure with its goal: `./bench web` runs it. GPUKEEPER is the program; FIGURES_SECONDS how long
// a page of 64 GPUs is watched (30).
import { until, Daemon, machineOf } from './daemon';
import { desk, live, openBrowser } from './browser';

/** A row as those of the other benchmarks (benchmarks/figures.cpp). */
function figure(what: string, value: number, unit: string, goal?: number): void {
  const said = goal === undefined ? '' : `goal <= ${goal} ${unit}`;
  const verdict = goal === undefined ? '' : value <= goal ? 'met' : 'MISSED';
  console.log(`  ${what.padEnd(58)} ${value.toFixed(3).padStart(10)} ${unit.padEnd(14)} ${said.padEnd(26)} ${verdict}`.trimEnd());
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
const mib = 2 ** 20;

/** Of all that the first page asks for, as it travels. */
async function size(daemon: Daemon): Promise<number> {
  const headers = { Accept: 'text/html', 'Accept-Encoding': 'gzip' };
  const length = async (path: string): Promise<number> => {
    const answer = await fetch(daemon.address + path, { headers, method: 'HEAD' });
    return Number(answer.headers.get('content-length'));
  };
  const page = await (await fetch(daemon.address, { headers })).text();
  const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((found) => found[1]!);
  let sum = await length('/');
  for (const file of files) sum += await length(file);
  return sum;
}

const daemon = await new Daemon(machineOf(64)).start();
const browser = await openBrowser();
try {
  figure('the whole page, packed', (await size(daemon)) / 1024, 'KiB', 150);

  const painted: number[] = [];
  const carded: number[] = [];
  for (let i = 0; i < 5; ++i) {
    const page = await browser.newPage({ viewport: desk });
    await page.goto(daemon.address);
    await page.locator('article[data-gpu]').first().waitFor();
    carded.push(await page.evaluate(() => performance.now()));
    const paint = (): Promise<number | undefined> =>
      page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    painted.push(await until(async () => (await paint()) ?? Promise.reject(new Error('nothing was painted'))));
    await page.close();
  }
  figure('first content, median of 5', median(painted), 'ms', 300);
  figure('first GPU with its readings, as seen by the test', median(carded), 'ms');

  const page = await browser.newPage({ viewport: desk });
  await page.goto(daemon.address);
  await live(page);
  await page.waitForTimeout(5_000); // what is compiled once is compiled
  const inside = await page.context().newCDPSession(page);
  const outside = await browser.newBrowserCDPSession();
  const cpu = async (kind: RegExp): Promise<number> => {
    const { processInfo } = await outside.send('SystemInfo.getProcessInfo');
    return processInfo.filter((one) => kind.test(one.type)).reduce((sum, one) => sum + one.cpuTime, 0);
  };
  const heap = async (): Promise<number> => {
    await inside.send('HeapProfiler.collectGarbage');
    return (await inside.send('Runtime.getHeapUsage')).usedSize;
  };
  const seconds = Number(process.env['FIGURES_SECONDS'] ?? 30);
  const before = { heap: await heap(), page: await cpu(/renderer/), all: await cpu(/./), at: performance.now() };
  await page.waitForTimeout(1_000 * seconds);
  const passed = (performance.now() - before.at) / 1_000;
  figure('processor time of the page', (100 * ((await cpu(/renderer/)) - before.page)) / passed, '% of a core', 15);
  figure('processor time of the whole browser, painting by software', (100 * ((await cpu(/./)) - before.all)) / passed, '% of a core');
  const after = await heap();
  figure('its heap', after / mib, 'MiB');
  figure(`its heap's growth in ${seconds} s, without what is kept on purpose`, (after - before.heap) / mib, 'MiB');
} finally {
  await browser.close();
  await daemon.end();
}
