import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibility, openBrowser, overhang, phone, picture, visit } from './browser';
import { Daemon, machineOf } from './daemon';

let browser: Browser;
beforeAll(async () => void (browser = await openBrowser()));
afterAll(async () => browser?.close());

const machines: [string, number, string][] = [
  ['one GPU', 1, machineOf(1)],
  ['eight GPUs', 8, 'eight-gpus.yaml'],
  ['64 GPUs', 64, machineOf(64)],
];

describe.each(machines)('the overview of %s', (_name, count, scenario) => {
  let daemon: Daemon;
  beforeAll(async () => void (daemon = await new Daemon(scenario).start()));
  afterAll(async () => daemon?.end());

  it('shows each with its state in words, and says that it is made up', async () => {
    const { page, close } = await visit(browser, daemon);
    const cards = page.locator('article[data-gpu]');
    await expect.poll(() => cards.count()).toBe(count);
    for (const text of await cards.allInnerTexts()) expect(text).toMatch(/optimal|normal|throttled|critical|unavailable/);
    expect(await page.locator('header').first().innerText()).toContain('Simulated');
    const { devices } = await daemon.ask('/api/v1/snapshot');
    expect(await cards.evaluateAll((all) => all.map((card) => card.getAttribute('data-gpu')))).toEqual(
      devices.map((device: { uuid: string }) => device.uuid),
    );
    // The documented names, by which others' tests find them.
    expect(await page.getByTestId('dashboard-grid').getByTestId('monitoring-widget').count()).toBe(count);
    await picture(page, `overview-${count}`);
    await close();
  });

  it('fits a desk and a phone', async () => {
    for (const viewport of [{ width: 1280, height: 800 }, phone]) {
      const { page, close } = await visit(browser, daemon, { viewport });
      await page.locator('article[data-gpu]').first().waitFor();
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      await picture(page, `overview-${count}-${viewport.width}`);
      await close();
    }
  });

  it('can be read by everybody, in light and in dark', async () => {
    const { page, close } = await visit(browser, daemon, { colorScheme: 'light' });
    await page.locator('article[data-gpu]').first().waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Many are many of the same, and each takes axe its time.
      const what = colorScheme === 'dark' || count > 8 ? 'colours' : 'all';
      expect(await accessibility(page, what), colorScheme).toEqual([]);
      await picture(page, `overview-${count}-${colorScheme}`);
    }
    await close();
  });
});

describe('what is shown', () => {
  let daemon: Daemon;
  beforeAll(async () => void (daemon = await new Daemon('two-gpus.yaml').start()));
  afterAll(async () => daemon?.end());

  it('is what the daemon says, and goes on with it', async () => {
    const { page, close } = await visit(browser, daemon);
    const card = page.locator('article[data-gpu]').first();
    await card.waitFor();
    const { devices } = await daemon.ask('/api/v1/snapshot');
    const total = Math.round(devices[0].metrics.memory_total_bytes / 2 ** 30);
    expect(await card.getByTitle(/Memory in use:/).first().getAttribute('title')).toContain(`${total}`);
    const before = await card.innerText();
    await expect.poll(() => card.innerText(), { timeout: 15_000 }).not.toBe(before); // readings move
    await close();
  });

  it('answers why the fan runs', async () => {
    const { page, close } = await visit(browser, daemon);
    const why = await daemon.ask('/api/v1/why?topic=fan');
    const headline = page.getByRole('region', { name: 'Why is my fan running?' });
    await headline.waitFor();
    expect((await headline.innerText()).length).toBeGreaterThan(20);
    expect(typeof why.summary).toBe('string');
    await close();
  });

  it('says what is absent, and never shows a nought for it', async () => {
    const scenario =
      'name: Silent\ndevices:\n  - name: NVIDIA RTX A4000\n    vendor: nvidia\n    memory: 16GiB\n    faults:\n' +
      '      - {kind: missing, metrics: [power_watts, temperature_celsius, fan_percent, fan_rpm]}\n';
    const silent = await new Daemon(scenario).start();
    try {
      const { page, close } = await visit(browser, silent);
      const card = page.locator('article[data-gpu]').first();
      await card.waitFor();
      const text = await card.innerText();
      expect(text).toContain('–');
      expect(text).not.toMatch(/\b0\s?(W|°C)/);
      expect(await page.getByTitle('This GPU does not report it').count()).toBeGreaterThan(0);
      await close();
    } finally {
      await silent.end();
    }
  });

  it('keeps a GPU that was lost, and says so', async () => {
    const scenario =
      'name: Lost\ndevices:\n  - name: NVIDIA RTX A4000\n    vendor: nvidia\n    memory: 16GiB\n' +
      '  - name: NVIDIA RTX A4000\n    vendor: nvidia\n    memory: 16GiB\n    faults:\n      - {kind: lost, start: 1s}\n';
    const machine = await new Daemon(scenario).start();
    try {
      const { page, close } = await visit(browser, machine);
      await page.locator('article[data-lamp]', { hasText: 'unavailable' }).waitFor();
      const lost = page.locator('article[data-lamp]', { hasText: 'unavailable' });
      expect(await lost.innerText()).toContain('fallen off the bus');
      expect(await page.locator('article[data-gpu]').count()).toBe(2);
      await close();
    } finally {
      await machine.end();
    }
  });
});
