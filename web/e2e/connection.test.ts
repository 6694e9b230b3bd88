// A page that is left open all day says at once when what it shows is old, and comes back by itself.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connection, live, openBrowser, picture, visit } from './browser';
import { Daemon } from './daemon';

let browser: Browser;
let daemon: Daemon;
beforeAll(async () => {
  browser = await openBrowser();
  daemon = await new Daemon('two-gpus.yaml').start();
});
afterAll(async () => {
  await browser?.close();
  await daemon?.end();
});

const cutOff = /ERR_|Failed to load resource/;

it('says that it is cut off when the daemon is killed, and goes on when it is back', async () => {
  const { page, close } = await visit(browser, daemon);
  await page.locator('article[data-gpu]').first().waitFor();
  await daemon.stop('SIGKILL');
  await connection(page, 'lost');
  expect(await page.locator('[data-connection]').innerText()).toContain('Not connected');
  expect(await page.locator('article[data-gpu]').count()).toBe(2); // what was known last, said to be old
  await picture(page, 'connection-lost');
  await daemon.start();
  await live(page);
  const text = await page.locator('article[data-gpu]').first().innerText();
  await expect.poll(() => page.locator('article[data-gpu]').first().innerText(), { timeout: 15_000 }).not.toBe(text);
  await close(cutOff);
});

it('says that what it shows is old when the daemon says nothing', async () => {
  const { page, close } = await visit(browser, daemon);
  daemon.pause();
  try {
    await connection(page, 'stale');
    expect(await page.locator('[data-connection]').innerText()).toMatch(/Old: nothing new for/);
    await picture(page, 'connection-stale');
  } finally {
    daemon.resume();
  }
  await live(page);
  await close(cutOff);
});

it('says what it waits for when there is no daemon from the beginning of a view on', async () => {
  const { page, close } = await visit(browser, daemon, { path: '/leases' });
  await daemon.stop();
  await connection(page, 'lost');
  await page.getByRole('link', { name: 'Alerts' }).click();
  await expect.poll(() => page.locator('main').innerText()).not.toBe('');
  await daemon.start();
  await live(page);
  await page.getByRole('heading', { level: 1, name: 'Alerts' }).waitFor();
  await close(cutOff);
});
