// Every control that a role may not use is absent; the daemon would refuse it all the same.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { live, openBrowser, visit } from './browser';
import { Daemon, until, type Role } from './daemon';

const scenario = 'name: One\ndevices:\n  - name: A\n    vendor: nvidia\n    memory: 16GiB\n    faults: [{kind: xid, start: 1s, xid: 79}]\n';
const ways = ['/leases', '/alerts', '/settings', '/optimize', '/about'] as const;

// What may be done on each page, by the least role that may.
const controls: [Role, (typeof ways)[number], string | RegExp][] = [
  ['operator', '/leases', 'Book'],
  ['operator', '/leases', 'Release'],
  ['admin', '/leases', 'Revoke'],
  ['operator', '/alerts', 'Acknowledge'],
  ['operator', '/alerts', 'Silence'],
  ['operator', '/settings', 'Look only when asked'],
  ['admin', '/settings', /^(Apply|Nothing changed)/],
  ['admin', '/optimize', 'Optimize'],
];
const order: Role[] = ['viewer', 'operator', 'admin'];

let browser: Browser;
let daemon: Daemon;
const tokens = new Map<Role, string>();
beforeAll(async () => {
  browser = await openBrowser();
  daemon = await new Daemon(scenario).start();
  for (const role of order) tokens.set(role, daemon.token(role));
  const body = JSON.stringify({ service: 'training', min_bytes: 2 ** 30 });
  await until(() => daemon.ask('/api/v1/leases', tokens.get('admin'), { method: 'POST', body }));
  await until(async () => {
    if ((await daemon.ask('/api/v1/alerts')).alerts.length === 0) throw new Error('there is no alert');
  });
});
afterAll(async () => {
  await browser?.close();
  await daemon?.end();
});

describe.each(order)('a %s', (role) => {
  it.each(ways)('has the controls of his role on %s, and no other', async (path) => {
    const { page, close } = await visit(browser, daemon, { path, token: tokens.get(role)! });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator('header .who', { hasText: role }).waitFor();
    // What everybody sees there, so that what is absent is not only late.
    if (path === '/leases') await page.getByRole('row', { name: /training/ }).waitFor();
    if (path === '/alerts') await page.locator('[data-alert]').first().waitFor();
    if (path === '/settings') await page.getByLabel('temp_throttle').waitFor();
    for (const [least, where, name] of controls) {
      if (where !== path) continue;
      const button = page.getByRole('button', { name, exact: true });
      const may = order.indexOf(role) >= order.indexOf(least);
      if (may) await button.first().waitFor();
      else expect(await button.count(), `${name} for a ${role}`).toBe(0);
    }
    await close();
  });
});

describe('signing in', () => {
  it('is offered to who has not, refused with the daemon’s words, and kept for the tab', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/leases' });
    expect(await page.getByRole('button', { name: 'Book' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Sign in' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Sign in' });
    await dialog.getByLabel('Token').fill('gk_wrong');
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await dialog.getByRole('alert').innerText()).toContain('the token is none that counts');
    await dialog.getByLabel('Token').fill(tokens.get('operator')!);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Book' }).waitFor();
    await page.reload();
    await live(page);
    await page.getByRole('button', { name: 'Book' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Book' }).waitFor({ state: 'detached' });
    await close(/401/);
  });
});
