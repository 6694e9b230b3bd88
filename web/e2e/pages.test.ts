// Each page: what it is called, whether everybody can read it, whether it fits, what its address is.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibility, openBrowser, overhang, phone, picture, visit } from './browser';
import { Daemon, until } from './daemon';

const pages: [string, string | RegExp][] = [
  ['/gpu/0', /^GPU.0/],
  ['/processes', 'Processes'],
  ['/leases', 'Leases'],
  ['/alerts', 'Alerts'],
  ['/optimize', 'Optimize'],
  ['/settings', 'Settings'],
  ['/about', 'About'],
];

let browser: Browser;
let daemon: Daemon;
let token: string;
beforeAll(async () => {
  browser = await openBrowser();
  daemon = await new Daemon('eight-gpus.yaml').start();
  token = daemon.token('admin');
  const book = { service: 'training', min_bytes: 2 ** 30, device: '0' };
  await until(() => daemon.ask('/api/v1/leases', token, { method: 'POST', body: JSON.stringify(book) }));
});
afterAll(async () => {
  await browser?.close();
  await daemon?.end();
});

describe.each(pages)('the page %s', (path, heading) => {
  it('can be read by everybody, in light and in dark', async () => {
    const { page, close } = await visit(browser, daemon, { path, token, colorScheme: 'light' });
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await accessibility(page, colorScheme === 'light' ? 'all' : 'colours'), colorScheme).toEqual([]);
      await picture(page, `${path.slice(1).replace('/', '-')}-${colorScheme}`);
    }
    await close();
  });

  it('fits a phone', async () => {
    const { page, close } = await visit(browser, daemon, { path, token, viewport: phone, hasTouch: true });
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    expect(await overhang(page)).toBeLessThanOrEqual(0);
    await picture(page, `${path.slice(1).replace('/', '-')}-phone`);
    await close();
  });
});

describe('addresses', () => {
  it('go back and forward, and are the page again when it is loaded anew', async () => {
    const { page, close } = await visit(browser, daemon);
    const pages = page.getByRole('navigation', { name: 'Pages' });
    await pages.getByRole('link', { name: 'Leases' }).click();
    await page.getByRole('heading', { level: 1, name: 'Leases' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/leases');
    await pages.getByRole('link', { name: 'About' }).click();
    await page.getByRole('heading', { level: 1, name: 'About' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Leases' }).waitFor();
    await page.goForward();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'About' }).waitFor();
    await close();
  });

  it('lead from a card to its GPU, and from there to its neighbour', async () => {
    const { page, close } = await visit(browser, daemon);
    await page.locator('article[data-gpu] h2 a').nth(2).click();
    await page.getByRole('heading', { level: 1, name: /^GPU.2/ }).waitFor();
    await page.getByRole('link', { name: /GPU.3 →/ }).click();
    await page.getByRole('heading', { level: 1, name: /^GPU.3/ }).waitFor();
    await close();
  });

  it('of a GPU that there is not say so', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/gpu/99' });
    await page.getByText('There is no GPU ‘99’ here now.').waitFor();
    await close();
  });
});

describe('the charts of a GPU', () => {
  it('are drawn, and saved as a table of numbers and as a picture', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/gpu/0', token });
    const charts = page.getByRole('region', { name: 'Charts' });
    await charts.locator('canvas').first().waitFor({ timeout: 50_000 }); // the history may be busy: 503, and it is asked again
    const csv = page.waitForEvent('download');
    await charts.getByRole('button', { name: 'Save as CSV' }).click();
    expect((await csv).suggestedFilename()).toMatch(/^gpu.*\.csv$/);
    const png = page.waitForEvent('download');
    await charts.getByRole('button', { name: 'Save as picture' }).click();
    expect((await png).suggestedFilename()).toMatch(/^gpu.*\.png$/);
    await charts.getByRole('button', { name: '1 min' }).click();
    expect(await charts.getByRole('button', { name: '1 min' }).getAttribute('aria-pressed')).toBe('true');
    await close();
  });
});

describe('the page of the machine', () => {
  it('shows what the doctor of the daemon says, with what to type', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/about', token });
    const doctor = page.getByRole('region', { name: 'Doctor' });
    await doctor.getByText('Kernel').first().waitFor();
    const { checks } = await daemon.ask('/api/v1/doctor', token);
    expect(await doctor.getByRole('listitem').count()).toBe(checks.length);
    for (const check of checks.filter((each: { remedy: string | null }) => each.remedy)) {
      await doctor.getByText(check.remedy.split(/\s{2,}/)[0], { exact: false }).first().waitFor();
    }
    await close();
  });
});

describe('a daemon that is busy', () => {
  it('is asked for the history again', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/about', token });
    let refused = 0;
    const busy = { status: 503, contentType: 'application/problem+json', body: '{"title": "", "status": 503, "code": "busy", "detail": "16 wait"}' };
    await page.route(/history\?device=/, (route) => (refused++ === 0 ? route.fulfill(busy) : route.continue()));
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.locator('article[data-gpu] h2 a').first().click();
    await page.getByRole('region', { name: 'Charts' }).locator('canvas').first().waitFor();
    expect(refused).toBeGreaterThan(1);
    await close();
  });
});

describe('processes', () => {
  it('are searched, sorted and grouped', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/processes', token });
    const rows = page.locator('tbody tr');
    await rows.first().waitFor();
    const all = await rows.count();
    await page.getByLabel('Search').fill('no such process');
    await page.getByText('No process is like that.').waitFor();
    await page.getByLabel('Search').fill('');
    await expect.poll(() => rows.count()).toBe(all);
    await page.getByRole('button', { name: /PID/ }).click();
    const pids = (): Promise<number[]> =>
      rows.evaluateAll((each) => each.map((row) => Number(/\b\d{5}\b/.exec((row as HTMLElement).innerText)?.[0])));
    await expect.poll(pids).toEqual([...(await pids())].sort((a, b) => a - b));
    await page.getByLabel('Group by').selectOption('gpu');
    await page.getByRole('heading', { level: 2, name: /GPU.7/ }).waitFor();
    await close();
  });
});

describe('the keyboard', () => {
  it('leads past the navigation, along it, and to what it opens', async () => {
    const { page, close } = await visit(browser, daemon);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
    const seen = new Set<string>();
    for (let i = 0; i < 12; ++i) {
      await page.keyboard.press('Tab');
      const [text, outlined] = await page.evaluate(() => {
        const at = document.activeElement as HTMLElement;
        const style = getComputedStyle(at);
        return [at.innerText.trim(), style.outlineStyle !== 'none' || style.boxShadow !== 'none'] as const;
      });
      expect(outlined, `whether one sees that '${text}' has the focus`).toBe(true);
      seen.add(text);
      if (text === 'Leases') break;
    }
    expect([...seen]).toContain('Leases');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Leases' }).waitFor();
    await close();
  });

  it('closes a question without doing anything', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/leases', token });
    const before = (await daemon.ask('/api/v1/leases', token)).leases.length;
    await page.getByRole('row', { name: /training/ }).getByRole('button', { name: 'Release' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Release' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Release' }).waitFor({ state: 'hidden' });
    expect((await daemon.ask('/api/v1/leases', token)).leases.length).toBe(before);
    await close();
  });
});

describe('colours and movement', () => {
  it('are as the computer wants them, until somebody wants them otherwise, and stay so', async () => {
    const { page, close } = await visit(browser, daemon, { colorScheme: 'light' });
    const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole('button', { name: /^Colours/ }).click(); // light
    await page.getByRole('button', { name: /^Colours/ }).click(); // dark
    await expect.poll(ground).not.toBe(light);
    const dark = await ground();
    await page.reload();
    await expect.poll(ground).toBe(dark);
    await close();
  });

  it('move nothing where somebody wants no movement', async () => {
    const { page, close } = await visit(browser, daemon, { reducedMotion: 'reduce' });
    await page.locator('article[data-gpu]').first().waitFor();
    const moving = await page.evaluate(() => document.getAnimations().filter((one) => one.playState === 'running').length);
    expect(moving).toBe(0);
    await close();
  });

  it('print as dark on light', async () => {
    const { page, close } = await visit(browser, daemon, { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    const [ground, text] = await page.evaluate(() => {
      const sum = (colour: string): number => (colour.match(/[\d.]+/g) ?? []).slice(0, 3).reduce((all, one) => all + Number(one), 0);
      const style = getComputedStyle(document.body);
      return [style.backgroundColor === 'rgba(0, 0, 0, 0)' ? 765 : sum(style.backgroundColor), sum(style.color)];
    });
    expect(ground).toBeGreaterThan(text!);
    await close();
  });
});
