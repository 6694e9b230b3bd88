// Names are whatever somebody chose: they are shown as text, bounded, and do nothing.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, overhang, phone, picture, visit } from './browser';
import { Daemon, until } from './daemon';

const evil = '<img src=x onerror=alert(1)>';
const turned = 'invoice\u202Egpj.exe'; // what stands behind U+202E is read from right to left
const long = 'x'.repeat(400);
const quoted = (text: string): string => JSON.stringify(text);
const scenario = `name: ${quoted(evil)}
devices:
  - name: ${quoted(`<script>alert(2)</script> ${evil}`)}
    vendor: nvidia
    memory: 16GiB
    driver_version: ${quoted('"><svg onload=alert(3)>')}
    processes:
      - {name: ${quoted(evil)}, pid: 4001, memory: 2GiB, utilization: 40, user: ${quoted('<b>root</b>')}, command_line: ${quoted(evil)}}
      - {name: ${quoted(turned)}, pid: 4002, memory: 1GiB}
      - {name: ${quoted(long)}, pid: 4003, memory: 1GiB}
    faults:
      - {kind: xid, start: 1s, xid: 79, message: ${quoted(evil)}}
`;

let browser: Browser;
let daemon: Daemon;
let token: string;
beforeAll(async () => {
  browser = await openBrowser();
  daemon = await new Daemon(scenario).start();
  token = daemon.token('admin');
  const body = JSON.stringify({ service: evil, name: '<i>name</i>', min_bytes: 2 ** 30 });
  await until(() => daemon.ask('/api/v1/leases', token, { method: 'POST', body }));
});
afterAll(async () => {
  await browser?.close();
  await daemon?.end();
});

/** What markup in a name would have become. */
const grown = (page: Page): Promise<number> =>
  page.evaluate(() => document.querySelectorAll('main img, main script, [onerror], [onload]').length);

describe.each(['/', '/gpu/0', '/processes', '/leases', '/alerts', '/optimize', '/settings', '/about'])('on %s', (path) => {
  it('hostile names are text', async () => {
    const { page, close } = await visit(browser, daemon, { path, token, viewport: phone });
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
    if (path === '/processes' || path === '/leases' || path === '/') {
      await page.getByText('<img src=x', { exact: false }).first().waitFor();
    }
    expect(await grown(page)).toBe(0);
    expect(await overhang(page)).toBeLessThanOrEqual(0); // a name of 400 letters makes no page wide
    expect(await page.locator('main').innerText()).not.toContain('\u202E');
    await picture(page, `hostile${path.replaceAll('/', '-')}`);
    await close(); // which fails for a dialog, an error, or a request of anything else
  });
});
