// One Chromium for a file of tests. Each visit is a browser of its own, and ends with a look at what no page may do.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { Daemon } from './daemon';

const program = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const quiet = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const desk = { width: 1280, height: 800 };
export const phone = { width: 360, height: 740 };

export async function openBrowser(): Promise<Browser> {
  if (!existsSync(program)) throw new Error(`there is no ${program}: install chromium, or say with CHROMIUM where it is`);
  return chromium.launch({ executablePath: program, args: [...quiet, '--disable-component-update'] });
}

export interface Visit {
  page: Page;
  /** Fails where the page has done what it may not. Errors that fit `expected` were provoked. */
  close(expected?: RegExp): Promise<void>;
}

interface Options extends BrowserContextOptions {
  token?: string;
  path?: string;
}

/** Opens the page, with `token` as if it had been given before, and waits until it is live. */
export async function visit(browser: Browser, daemon: Daemon, { token, path = '/', ...more }: Options = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: desk, ...more });
  const wrong: string[] = [];
  const foreign: string[] = [];
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${daemon.address}/`) && !url.startsWith('blob:')) foreign.push(url);
  });
  if (token !== undefined) {
    await context.addInitScript((text) => sessionStorage.setItem('gpukeeper.token', text), token);
  }
  const page = await context.newPage();
  page.on('pageerror', (error) => wrong.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    if (message.text().includes('status of 503')) return; // "not now": the page asks again, and says so meanwhile
    wrong.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(daemon.address + path);
  await live(page);
  const close = async (expected?: RegExp): Promise<void> => {
    await context.close();
    const unexpected = wrong.filter((text) => !expected?.test(text));
    if (foreign.length > 0) throw new Error(`the page asked others: ${foreign.join(', ')}`);
    if (unexpected.length > 0) throw new Error(`errors of the page: ${unexpected.join('; ')}`);
  };
  return { page, close };
}

/** Waits until it says that what it shows is now. */
export async function live(page: Page): Promise<void> {
  await connection(page, 'live');
}

export async function connection(page: Page, state: 'live' | 'stale' | 'lost'): Promise<void> {
  await page.locator(`[data-connection="${state}"]`).waitFor({ timeout: 20_000 });
}

/** What axe-core finds against WCAG 2.1 A and AA, in words; of `colours` only what depends on them. */
export async function accessibility(page: Page, what: 'all' | 'colours' = 'all'): Promise<string[]> {
  await live(page); // what is old is dimmed
  await page.evaluate(() => document.getAnimations().forEach((one) => one.finish())); // half a colour is none
  await page.evaluate(axe);
  return page.evaluate(async (all) => {
    const tags = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] };
    const found = await (window as any).axe.run({ runOnly: all ? tags : { type: 'rule', values: ['color-contrast'] } });
    const node = (one: any): string => `${one.target} ${one.any[0]?.message ?? ''}`;
    return found.violations.map((each: any) => `${each.id}: ${each.nodes.slice(0, 4).map(node).join('; ')}`);
  }, what === 'all');
}

/** How far the page is wider than its window: nobody wants to scroll sideways. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** A picture for a person to look at, where one is wanted. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
