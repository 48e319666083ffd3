// Checks of pages in Chromium. Each takes the browser, the URL of the door and a folder for screenshots.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { Line } = require('./line.cjs');

// open shows the door's page and notes what goes wrong on it.
async function open(browser, door, width, height) {
  const page = await browser.newPage();
  page.mistakes = [];
  page.on('pageerror', (e) => page.mistakes.push(e.message));
  page.on('console', (m) => { if (m.type() === 'error') page.mistakes.push(m.text()); });
  await page.setViewport({ width, height });
  await page.goto(`${door}/try/`);
  return page;
}

// fill puts a value in the place of what a field has.
async function fill(page, field, value) {
  await page.$eval(field, (e) => { e.value = ''; });
  await page.type(field, value);
}

// reads waits until an element has a text.
const reads = (page, element, text) =>
  page.waitForFunction((e, t) => document.querySelector(e).textContent.includes(t), {}, element, text);

const post = (door, address, body) => fetch(`${door}/v1/default/${address}/messages`, { method: 'POST', body });

module.exports = {
  async pageSendsAndWatches(browser, door, folder) {
    const page = await open(browser, door, 1280, 900);
    await page.focus('#filter');
    await page.keyboard.press('Enter');
    await reads(page, '#watching', 'Watching');
    for (const text of ['{"temperature": 21.5}', '{"temperature": 22}', 'größe 🚀']) {
      await fill(page, '#body', text);
      await page.click('#send');
      await reads(page, '#messages', text);
      await reads(page, '#sent', 'Accepted');
    }
    await post(door, 'telemetry/photo', new Uint8Array([0xff, 0xd8]));
    await reads(page, '#messages', '/9g=');
    await page.screenshot({ path: path.join(folder, 'wide.png'), fullPage: true });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await page.screenshot({ path: path.join(folder, 'dark.png'), fullPage: true });
    await page.setViewport({ width: 360, height: 740 });
    await page.emulateMediaFeatures([]);
    await page.screenshot({ path: path.join(folder, 'narrow.png'), fullPage: true });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'a narrow page scrolls sideways');
    assert.deepEqual(page.mistakes, []);
  },

  async pageReceives(browser, door) {
    const page = await open(browser, door, 1280, 900);
    await fill(page, '#address', 'jobs');
    await fill(page, '#body', 'a job');
    await page.click('#send');
    await reads(page, '#sent', 'Accepted');
    await page.click('#receive');
    await reads(page, '#received', 'a job');
    const again = await fetch(`${door}/v1/default/jobs/messages/head?timeout=0`, { method: 'POST' });
    assert.equal(again.status, 204, 'the page has not accepted what it received');
    assert.deepEqual(page.mistakes, []);
  },

  async pageShowsErrors(browser, door, folder) {
    const page = await open(browser, door, 360, 740);
    await fill(page, '#address', 'nowhere');
    await fill(page, '#filter', 'nowhere');
    await page.click('#send');
    await reads(page, '#sent', '404');
    await page.click('#receive');
    await reads(page, '#received', '404');
    await page.click('#watch');
    await reads(page, '#watching', '404');
    await fill(page, '#tenant', 'nobody');
    await page.click('#send');
    await reads(page, '#sent', '401');
    await page.screenshot({ path: path.join(folder, 'errors.png'), fullPage: true });
  },

  // The stream of a queue breaks twice: each time EventSource comes back with the last id, and nothing is lost or doubled.
  async eventSourceComesBack(browser, door) {
    const line = await Line.to(door);
    const page = await open(browser, line.url, 800, 600);
    await page.evaluate(() => {
      window.events = [];
      const source = new EventSource('/v1/default/queues%2Fevents/stream?data=raw');
      source.onmessage = (e) => window.events.push({ data: e.data, id: e.lastEventId });
      window.opened = new Promise((resolve) => { source.onopen = resolve; });
    });
    await page.evaluate(() => window.opened);
    const want = [];
    for (let round = 0; round < 3; round++) {
      for (const n of [1, 2, 3]) {
        want.push(`${round}.${n}`);
        await post(door, 'queues/events', want.at(-1));
      }
      await page.waitForFunction((n) => window.events.length >= n, {}, want.length);
      const events = await page.evaluate(() => window.events);
      assert.deepEqual(events.map((e) => e.data), want);
      assert.equal(line.lastEventIDs.at(-1), round === 0 ? undefined : events.at(-4).id);
      line.cut();
    }
    line.end();
  },
};
