// What a person does here, and what the daemon then says of it.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, visit } from './browser';
import { Daemon, until } from './daemon';

const scenario = `name: Two
devices:
  - &card {name: NVIDIA RTX A4000, vendor: nvidia, memory: 16GiB}
  - {<<: *card, faults: [{kind: xid, start: 1s, xid: 79}]}
`;

let browser: Browser;
let daemon: Daemon;
let operator: string;
let admin: string;
beforeAll(async () => {
  browser = await openBrowser();
  daemon = await new Daemon(scenario).start();
  operator = daemon.token('operator');
  admin = daemon.token('admin');
});
afterAll(async () => {
  await browser?.close();
  await daemon?.end();
});

const leases = async (service: string): Promise<any[]> =>
  (await daemon.ask('/api/v1/leases', admin)).leases.filter((lease: any) => lease.service === service);

describe('leases', () => {
  it('are booked and released', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/leases', token: operator });
    await page.getByLabel('Service').fill('embedding');
    await page.getByLabel('Memory', { exact: true }).fill('2 GiB');
    await page.getByRole('button', { name: 'Book' }).click();
    await page.getByText(/^Booked: lease \S+ on GPU [01]\.$/).waitFor();
    expect(await leases('embedding')).toMatchObject([{ min_bytes: 2 * 2 ** 30, state: expect.stringMatching(/^(starting|active)$/) }]);
    const row = page.getByRole('row', { name: /embedding/ });
    await row.getByRole('button', { name: 'Release' }).click();
    await page.getByRole('dialog').filter({ visible: true }).getByRole('button', { name: 'Release' }).click();
    await expect.poll(() => leases('embedding')).toEqual([]);
    await row.waitFor({ state: 'detached' });
    await close();
  });

  it('that cannot be granted say what stands in the way', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/leases', token: operator });
    await page.getByLabel('Service').fill('giant');
    await page.getByLabel('Memory', { exact: true }).fill('900 GiB');
    await page.getByRole('button', { name: 'Book' }).click();
    await page.getByText('Waiting does not help. This stands in the way:').waitFor();
    await page.getByText(/too large for it, even empty/).first().waitFor();
    await close(/409/);
  });

  it('that must wait stand in the queue until somebody leaves it', async () => {
    const body = JSON.stringify({ service: 'first', min_bytes: 14 * 2 ** 30, device: '0' });
    const { leases: made } = await daemon.ask('/api/v1/leases', operator, { method: 'POST', body });
    const { page, close } = await visit(browser, daemon, { path: '/leases', token: operator });
    await page.getByLabel('Service').fill('second');
    await page.getByLabel('Memory', { exact: true }).fill('14 GiB');
    await page.getByRole('combobox', { name: /^GPU/ }).selectOption({ index: 1 });
    await page.getByLabel('Wait for it (s)').fill('600');
    await page.getByRole('button', { name: 'Book' }).click();
    await page.getByText('Waiting until it is granted').waitFor();
    await page.getByText('1 request waits').waitFor();
    await daemon.ask(`/api/v1/leases/${made[0].id}`, admin, { method: 'DELETE' });
    await page.getByText(/^Booked: lease \S+ on GPU 0\.$/).waitFor();
    for (const lease of await leases('second')) await daemon.ask(`/api/v1/leases/${lease.id}`, admin, { method: 'DELETE' });
    await close();
  });

  it('with a size that is none are not sent', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/leases', token: operator });
    await page.getByLabel('Service').fill('unsent');
    await page.getByLabel('Memory', { exact: true }).fill('a lot');
    await page.getByRole('button', { name: 'Book' }).click();
    await page.getByText('Say how much, such as 16 GiB or 512 MiB.').waitFor();
    expect(await leases('unsent')).toEqual([]);
    await close();
  });
});

describe('alerts', () => {
  it('are acknowledged, silenced, and told again', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/alerts', token: operator });
    const alert = page.locator('[data-alert]', { hasText: 'XID 79' }).first();
    await alert.waitFor();
    expect(await alert.innerText()).toContain('Drain the machine'); // its remedy
    await alert.getByRole('button', { name: 'Acknowledge' }).click();
    await alert.getByLabel('Comment').fill('a card is ordered');
    await alert.getByRole('button', { name: 'Acknowledge' }).click();
    await alert.getByText(/takes care of it/).first().waitFor();
    await alert.getByText('a card is ordered').waitFor();
    await alert.getByRole('button', { name: 'Nobody takes care of it' }).click();
    await alert.getByRole('button', { name: 'Acknowledge' }).waitFor();

    await alert.getByLabel('For how long').selectOption('1h');
    await alert.getByRole('button', { name: 'Silence', exact: true }).click();
    const silences = page.getByRole('region', { name: 'Silences' });
    await silences.getByText(/^xid on /).waitFor();
    expect((await daemon.ask('/api/v1/silences', admin)).silences).toMatchObject([{ rule: 'xid' }]);
    await silences.getByRole('button', { name: 'End it' }).click();
    await silences.getByText('Nothing is silenced.').waitFor();
    await close();
  });
});

describe('settings', () => {
  it('are changed, and what the daemon refuses is said in its words', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/settings', token: admin });
    const throttle = page.getByLabel('temp_throttle');
    await throttle.fill('81');
    await page.getByRole('button', { name: 'Apply 1 change' }).click();
    await page.getByText('1 key is changed, until the next start.').waitFor();
    const value = async (): Promise<number> =>
      (await daemon.ask('/api/v1/config', admin)).keys.find((key: any) => key.key === 'temp_throttle').value;
    expect(await value()).toBe(81);
    await throttle.fill('20'); // below temp_optimal
    await page.getByRole('button', { name: 'Apply 1 change' }).click();
    await page.getByText(/temp_throttle.*(must|above|below|less|greater)/).first().waitFor();
    expect(await value()).toBe(81);
    await close(/400/);
  });

  it('turn monitoring off and on', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/settings', token: operator });
    await page.getByRole('button', { name: 'Look only when asked' }).click();
    await page.getByText('The GPUs are looked at only when somebody asks.').waitFor();
    await page.getByRole('button', { name: 'Look all the time' }).click();
    await page.getByText(/^The GPUs are looked at every/).waitFor();
    await close();
  });
});

describe('making room', () => {
  it('is planned, run, and its result measured', async () => {
    const { page, close } = await visit(browser, daemon, { path: '/optimize', token: admin });
    await page.getByLabel('Memory wanted').fill('1 GiB');
    await page.getByRole('button', { name: 'Plan' }).click();
    await page.getByText('It fits as it is.').waitFor();
    await page.getByLabel('Memory wanted').fill('900 GiB');
    await page.getByRole('button', { name: 'Plan' }).click();
    await page.getByText('It does not fit, whatever ends.').waitFor();
    await page.getByLabel('Memory wanted').fill('');
    await page.getByRole('button', { name: 'Optimize' }).click();
    await page.getByRole('dialog').filter({ visible: true }).getByRole('button', { name: 'Optimize' }).click();
    await expect.poll(async () => (await daemon.ask('/api/v1/reclaim', admin)).reports.length).toBe(1);
    await page.getByText('Nothing was run yet.').waitFor({ state: 'detached' });
    await close();
  });
});
